//! What must not come in with a dependency.

use std::path::Path;
use std::process::Command;

const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "TLS is rustls, so the binary needs no library of the machine"),
    ("native-tls", "TLS is rustls, so the binary needs no library of the machine"),
    ("ring", "rustls runs on aws-lc-rs: one cryptography, one set of build steps"),
];

/// Asks for what is built: `Cargo.lock` also names what an unused feature would bring.
#[test]
fn no_banned_crate_is_built() {
    let out = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let tree = String::from_utf8(out.stdout).unwrap();
    assert!(tree.starts_with("image-factory "), "the tree begins with this crate: {tree}");
    for (name, reason) in BANNED {
        let built = tree.lines().any(|line| line.split(' ').next() == Some(name));
        assert!(!built, "`cargo tree -i {name}` shows who brings it; {reason}");
    }
}

#[test]
fn every_dependency_comes_from_the_registry() {
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let sources: Vec<&str> = lock.lines().filter(|line| line.starts_with("source = ")).collect();
    assert!(!sources.is_empty());
    let elsewhere: Vec<&&str> = sources.iter().filter(|line| !line.starts_with("source = \"registry+")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}
