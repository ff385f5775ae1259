//! Scopes are bounded, and read back what they write.
#![no_main]

use image_factory::images::registry::Scope;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let scopes = Scope::parse_all(text);
    assert!(scopes.len() <= Scope::MAX);
    for scope in scopes {
        assert_eq!(Scope::parse_all(&scope.to_string()), [scope]);
    }
});
