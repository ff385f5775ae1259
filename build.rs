//! A new migration file rebuilds the crate, into which the migrations are compiled.
fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
