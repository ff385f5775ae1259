//! The catalogue: one image for each repository of the registry, with what its newest manifest says.
//!
//! Owns `images`, `image_metadata`, `image_layers`, `image_terms`, `image_builds` and `image_members`. The registry fills all
//! but the last in its own transactions, through [`CatalogShelf`], and asks it who may see what. Publishes `image.updated`,
//! `image.published`, `image.deprecated`, `image.archived`, `image.restored`, `image_member.set` and
//! `image_member.removed`.

mod api;
mod events;
mod model;
mod service;
mod shelf;
mod store;

pub use api::routes;
pub use model::{
    Hold, Image, ImageLayer, ImageManifest, ImageMember, ImageMetadata, ImageRole, ImageType, Lifecycle, LifecycleStep,
    ManifestRole, Visibility,
};
pub use service::{Catalog, ImageFilters};
pub use shelf::CatalogShelf;
