//! The words of the registry: names, references, scopes, ranges, manifests, digests of streams.

mod compression;
mod hasher;
mod manifest;
mod name;
mod range;
mod scope;

pub use compression::{Compression, Unpacked};
pub use hasher::StreamHasher;
pub use manifest::{Descriptor, Manifest, ManifestKind, OCI_INDEX, Platform, without};
pub use name::{Reference, RepositoryName, Tag};
pub use range::{Requested, blob_range, content_range};
pub use scope::{Action, Actions, Scope};
