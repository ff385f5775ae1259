//! The catalogue: one image for each repository of the registry, with what its newest manifest says.
//!
//! Owns `images`, `image_metadata` and `image_layers`. The registry fills them in its own transactions, through
//! [`CatalogShelf`].

mod api;
mod model;
mod service;
mod shelf;
mod store;

pub use api::routes;
pub use model::{Hold, Image, ImageLayer, ImageMetadata, ImageType, Lifecycle, Visibility};
pub use service::{Catalog, ImageFilters};
pub use shelf::CatalogShelf;
