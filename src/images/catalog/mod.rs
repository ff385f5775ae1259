//! The catalogue: one image for each repository of the registry, with what its newest manifest says.
//!
//! Owns `images`, `image_metadata`, `image_layers`, `image_terms` and `image_builds`. Publishes `image.published`,
//! `image.deprecated`, `image.archived` and `image.restored`. The registry fills them in its own transactions, through
//! [`CatalogShelf`].

mod api;
mod events;
mod model;
mod service;
mod shelf;
mod store;

pub use api::routes;
pub use model::{
    Hold, Image, ImageLayer, ImageManifest, ImageMetadata, ImageType, Lifecycle, LifecycleStep, ManifestRole,
    Visibility,
};
pub use service::{Catalog, ImageFilters};
pub use shelf::CatalogShelf;
