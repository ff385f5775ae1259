//! Names, tags and references read back what they write.
#![no_main]

use image_factory::images::registry::{DigestPrefix, Reference, RepositoryName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(name) = text.parse::<RepositoryName>() {
        assert_eq!(format!("{}/{}/{}", name.tenant(), name.project(), name.image()), text);
    }
    if let Ok(reference) = text.parse::<Reference>() {
        assert_eq!(reference.to_string(), text);
    }
    let _ = DigestPrefix::parse(text);
});
