//! The words of the registry: names, references, scopes, ranges, manifests, digests of streams.

mod access_log;
mod compression;
mod hasher;
mod manifest;
mod name;
mod pattern;
mod range;
mod retention;
mod scope;
mod storage;

pub use access_log::{AccessKind, ImageAccess, Transfer};
pub use compression::{Compression, Unpacked};
pub use hasher::StreamHasher;
pub use manifest::{Descriptor, Manifest, ManifestKind, OCI_INDEX, Platform, without};
pub use name::{Reference, RepositoryName, Tag, is_referrers_tag, referrers_tag, subject_of};
pub use pattern::RepositoryPattern;
pub use range::{Requested, blob_range, content_range};
pub use retention::{Doomed, HeldManifest, HeldTag, Holdings, RetentionPolicy, TagRule, Terms};
pub use scope::{Action, Actions, Scope};
pub use storage::{Finding, RunCounts, RunKind, RunStatus, StorageRun, StorageTotals};
