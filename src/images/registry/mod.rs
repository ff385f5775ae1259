//! The OCI registry: blobs, uploads, manifests, tags, tokens (OCI Distribution Specification 1.1, push and pull).
//!
//! Owns `storage_backends`, `image_blobs`, `repositories`, `repository_blobs`, `blob_uploads`, `image_manifests`,
//! `image_layer_blobs`, `image_tags`, `image_tag_history`, `tenant_blobs`, `layer_measures`, `layer_sizes`, `storage_metrics`,
//! `registry_accesses`, `tenant_transfers`, `storage_garbage`, `storage_quarantine`, `storage_runs` and
//! `retention_policies`. Publishes `image.pushed`, `image.deleted`, `retention_policy.updated` and `blob.rotten`.
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
pub use api::{management_routes, routes};
pub use config::Config;
pub use gates::{
    BuildRobot, BuildRobotGate, Built, Push, ROBOT_SECRET_START, Robot, RobotGate, Shelf, Standing, UpstreamGate,
    staging_tag,
};
pub use model::{
    AccessKind, Action, Actions, Descriptor, Finding, ImageAccess, Manifest, ManifestKind, OCI_INDEX, Platform,
    Reference, RepositoryName, RepositoryPattern, Requested, RetentionPolicy, RunCounts, RunKind, RunStatus, Scope,
    StorageRun, StorageTotals, Tag, TagRule, Transfer, blob_range, content_range, is_referrers_tag, referrers_tag,
    subject_of,
};
pub use service::{
    Base, BodyStream, DigestPrefix, Entry, ManifestDetails, Parts, Referrer, Registry, Removed, RetentionPreview,
    Served, TagInfo, TagMove, Tagged, Usage,
};
pub use tasks::register;
