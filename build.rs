//! A new migration or a new bundle of the web app rebuilds the crate, into which both are compiled.
fn main() {
    println!("cargo::rerun-if-changed=migrations");
    // One that is not there would rebuild the crate each time.
    if std::path::Path::new("web/dist").exists() {
        println!("cargo::rerun-if-changed=web/dist");
    }
}
