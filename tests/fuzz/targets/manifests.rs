//! A manifest that is read is consistent in itself.
#![no_main]

use image_factory::images::registry::{Manifest, ManifestKind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for content_type in [None, Some("application/vnd.oci.image.manifest.v1+json"), Some("application/vnd.oci.image.index.v1+json")]
    {
        if let Ok(manifest) = Manifest::parse(content_type, bytes) {
            assert_eq!(manifest.layer_hashes().len(), manifest.layers.len());
            assert!(manifest.blobs().count() <= manifest.layers.len() + 1);
            match manifest.kind {
                ManifestKind::Image => assert!(manifest.config.is_some() && manifest.manifests.is_empty()),
                ManifestKind::Index => assert!(manifest.config.is_none() && manifest.layers.is_empty()),
            }
        }
    }
});
