//! The references that are made from the source are current.

use image_factory::config::{Config, reference_markdown};
use std::path::Path;

#[track_caller]
fn assert_current(path: &str, made: &str, command: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    // The first line that differs says more than two whole documents.
    for (n, (kept, made)) in (1..).zip(kept.lines().zip(made.lines())) {
        assert_eq!(kept, made, "{path}:{n} is not current: run `{command}`");
    }
    assert_eq!(kept.lines().count(), made.lines().count(), "{path} is not current: run `{command}`");
}

#[test]
fn the_configuration_reference_is_what_the_types_say() {
    let made = reference_markdown().unwrap();
    assert_current("docs/reference/configuration.md", made.trim_end(), "make reference");
}

#[tokio::test]
async fn the_openapi_document_is_what_the_server_serves() {
    let document = image_factory::server::openapi(&Config::default()).unwrap();
    let made = serde_json::to_string_pretty(&document).unwrap();
    assert_current("docs/reference/openapi.json", &made, "make reference");
}
