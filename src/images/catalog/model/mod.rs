//! Images, and what their manifests say.

mod image;
mod manifest;

pub use image::{
    Hold, Image, ImageLayer, ImageMember, ImageMetadata, ImageRole, ImageType, Lifecycle, LifecycleStep, Visibility,
    layers, metadata, term_range, terms,
};
pub use manifest::{ImageManifest, ManifestRole};
