//! What the registry asks of others: ports that contexts above it, or beside it, implement.

use super::access::Place;
use super::model::{Manifest, Reference, RepositoryName};
use super::service::{Registry, Served};
use crate::kernel::ids::{ExecutionId, ImageId, ProjectId, TenantId};
use crate::kernel::{Digest, Result};
use crate::platform::db::TenantTx;
use crate::platform::storage::ByteStream;
use chrono::{DateTime, Utc};
use std::ops::Range;

/// A running build at the registry's door: may pull every repository of its tenant and push the named ones, as long as
/// it holds its lease.
#[derive(Debug, Clone)]
pub struct Robot {
    /// The attempt of a build that it works for.
    pub execution: ExecutionId,
    /// Which attempt; a later one takes over its rights.
    pub attempt: i32,
    /// The build's tenant.
    pub tenant_id: TenantId,
    /// Its slug.
    pub tenant_slug: String,
    /// The build's project.
    pub project_id: ProjectId,
    /// Full names of the repositories it may push to.
    pub push: Vec<String>,
}

/// The tag under which a run pushes its image, for clients that cannot push by digest alone. The registry keeps the
/// manifest and makes no tag of it.
pub fn staging_tag(execution: ExecutionId) -> String {
    format!("_build-{execution}")
}

/// Knows the robots.
#[async_trait::async_trait]
pub trait RobotGate: Send + Sync {
    /// The robot behind these credentials; none when they are no robot's, or not any more.
    async fn robot(&self, username: &str, token: &str) -> Result<Option<Robot>>;

    /// Whether the execution still works at this attempt. Asked before every write.
    async fn lease_alive(&self, execution: ExecutionId, attempt: i32) -> Result<bool>;
}

/// A manifest that is new in its repository, or a tag that moved to it.
#[derive(Debug)]
pub struct Push {
    /// The repository; the image of the catalogue has the same id.
    pub image_id: ImageId,
    /// Its project.
    pub project_id: ProjectId,
    /// Its name.
    pub name: RepositoryName,
    /// The manifest's digest.
    pub digest: Digest,
    /// Bytes of the manifest and all it names, as it says.
    pub size_bytes: u64,
    /// The tag it was pushed under, if it was.
    pub tag: Option<String>,
    /// The manifest.
    pub manifest: Manifest,
    /// The config of a container image; none for indexes and artifacts, and where it does not parse.
    pub config: Option<serde_json::Value>,
    /// Who pushed: `user:<id>` or another actor.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Keeps the catalogue in step with the registry, in the registry's own transactions.
#[async_trait::async_trait]
pub trait Shelf: Send + Sync {
    /// A manifest is new in its repository, or a tag moved to it.
    async fn pushed(&self, tx: &mut TenantTx, push: &Push) -> Result<()>;

    /// A manifest was deleted; what is left of the newest, if anything is.
    async fn deleted(&self, tx: &mut TenantTx, image: ImageId, digest: Digest, newest: Option<&Push>) -> Result<()>;
}

/// Knows the projects that are a cache of another registry. What it is asked for there it serves, and keeps through
/// [`super::Access::service`].
#[async_trait::async_trait]
pub trait UpstreamGate: Send + Sync {
    /// Whether a project is such a cache: nobody else pushes to it.
    async fn is_cache(&self, place: Place) -> Result<bool>;

    /// A manifest of a cache, from here or from there.
    async fn manifest(
        &self,
        registry: &Registry,
        place: Place,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Option<Served>>;

    /// Size in bytes that the other registry says a blob has which is not here.
    async fn blob_size(&self, place: Place, name: &RepositoryName, blob: &Digest) -> Result<Option<u64>>;

    /// Bytes of such a blob, sent while they arrive and are stored.
    async fn blob(
        &self,
        registry: &Registry,
        place: Place,
        name: &RepositoryName,
        blob: &Digest,
        range: Range<u64>,
    ) -> Result<ByteStream>;
}
