//! The OCI registry: blobs, uploads, manifests, tags, tokens (OCI Distribution Specification 1.1, push and pull).
//!
//! Owns `storage_backends`, `image_blobs`, `repositories`, `repository_blobs`, `blob_uploads`, `image_manifests`,
//! `image_layer_blobs`, `image_tags`, `image_tag_history`, `tenant_blobs` and `storage_metrics`. Publishes `image.pushed`
//! and `image.deleted`.
//!
//! Content is stored once for all tenants and reached only through a link of a repository (`repository_blobs`): knowing
//! a digest opens nothing. A link is made when the bytes are verified and durable, never before.

mod access;
mod api;
mod config;
mod error;
mod events;
mod gates;
mod model;
mod service;
mod store;
mod tasks;

pub use access::{Access, Place};
pub use api::routes;
pub use config::Config;
pub use gates::{Push, Robot, RobotGate, Shelf, UpstreamGate, staging_tag};
pub use model::{Action, Descriptor, Manifest, ManifestKind, Platform, Reference, RepositoryName, Tag};
pub use service::{BodyStream, Parts, Registry, Served, TagInfo, Tagged, Usage};
pub use tasks::register;
