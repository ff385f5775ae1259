//! What the registry asks of others: ports that contexts above it, or beside it, implement.

use super::access::Place;
use super::model::{Action, Actions, Manifest, Reference, RepositoryName, RepositoryPattern, is_referrers_tag};
use super::service::{Registry, Served};
use crate::kernel::ids::{BuildId, ExecutionId, ImageId, ProjectId, RobotId, TenantId, UserId};
use crate::kernel::{Digest, Result};
use crate::platform::db::{SystemTx, TenantStatement, TenantTx};
use crate::platform::storage::ByteStream;
use crate::tenancy::access::Caller;
use chrono::{DateTime, Utc};
use std::ops::Range;

/// A running build at the registry's door: may pull every repository of its tenant and push the named ones, as long as
/// it holds its lease.
#[derive(Debug, Clone)]
pub struct BuildRobot {
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

/// An image that a build made and pushed by digest.
#[derive(Debug, Clone, Copy)]
pub struct Built<'a> {
    /// The build.
    pub build: BuildId,
    /// Its project.
    pub project: ProjectId,
    /// The image's name in the project.
    pub image: &'a str,
    /// The manifest.
    pub digest: Digest,
    /// Tags that it gets.
    pub tags: &'a [String],
}

/// The tag under which a run pushes its image, for clients that cannot push by digest alone. The registry keeps the
/// manifest and makes no tag of it.
pub fn staging_tag(execution: ExecutionId) -> String {
    format!("_build-{execution}")
}

/// Knows the running builds.
#[async_trait::async_trait]
pub trait BuildRobotGate: Send + Sync {
    /// The build behind these credentials; none when they are no build's, or not any more.
    async fn build_robot(&self, username: &str, token: &str) -> Result<Option<BuildRobot>>;

    /// Whether the execution still works at this attempt. Asked before every write.
    async fn lease_alive(&self, execution: ExecutionId, attempt: i32) -> Result<bool>;
}

/// How the secret of every robot account begins, so that people and secret scanners recognise one.
pub const ROBOT_SECRET_START: &str = "ifr_";

/// A robot account that works now.
#[derive(Debug, Clone)]
pub struct Robot {
    /// Unique.
    pub id: RobotId,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// Its slug.
    pub tenant_slug: String,
    /// The only project in which it works, where it is limited to one.
    pub project_id: Option<ProjectId>,
    /// The repositories of its tenant that it works with.
    pub repositories: Vec<RepositoryPattern>,
    /// What it may do with them.
    pub actions: Actions,
    /// Counts its secrets: a token made with an earlier one writes no more.
    pub secret_version: i32,
}

impl Robot {
    /// Whether it may do this with a repository of its tenant.
    pub fn may(&self, action: Action, project: ProjectId, name: &RepositoryName) -> bool {
        self.actions.has(action)
            && self.project_id.is_none_or(|only| only == project)
            && self.repositories.iter().any(|pattern| pattern.matches(name))
    }
}

/// Knows the robot accounts.
#[async_trait::async_trait]
pub trait RobotGate: Send + Sync {
    /// The robot of this login name (or none, where only the secret is known) and secret; none when they do not hold, or
    /// not any more.
    async fn robot(&self, username: &str, secret: &str) -> Result<Option<Robot>>;

    /// The robot as it is now. Asked before every write.
    async fn robot_of(&self, tenant: TenantId, id: RobotId) -> Result<Option<Robot>>;
}

/// How a repository stands to somebody, beyond their rights in its project.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// Whether everybody may pull.
    pub public: bool,
    /// Whether it is for those alone who belong to its project.
    pub closed: bool,
    /// What the person may do with this one repository.
    pub granted: Actions,
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
    /// The build that made it, where one did.
    pub build: Option<BuildId>,
    /// Who pushed: `user:<id>` or another actor.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Push {
    /// Whether it is about another manifest: by its subject, or by the tag that names one.
    pub fn is_about_another(&self) -> bool {
        self.manifest.subject.is_some() || self.tag.as_deref().is_some_and(is_referrers_tag)
    }
}

/// Keeps the catalogue in step with the registry, in the registry's own transactions.
#[async_trait::async_trait]
pub trait Shelf: Send + Sync {
    /// A manifest is new in its repository, or a tag moved to it.
    async fn pushed(&self, tx: &mut TenantTx, push: &Push) -> Result<()>;

    /// Whether the image takes pushes: Forbidden when it does not.
    async fn check_writable(&self, tx: &mut TenantTx, image: ImageId) -> Result<()>;

    /// How large the layers of a manifest are when they are unpacked, in bytes.
    async fn measured(&self, tx: &mut TenantTx, image: ImageId, digest: Digest, unpacked_bytes: u64) -> Result<()>;

    /// Full names after `last` of the repositories with manifests that the caller may pull, in the order of their bytes.
    async fn repositories(&self, tx: &mut TenantTx, caller: &Caller, last: &str, limit: i64) -> Result<Vec<String>>;

    /// Full names after `last` of the repositories with manifests that begin with `within` and match one of these patterns
    /// of full names, in which `*` stands for any characters; in the order of their bytes.
    async fn repositories_matching(
        &self,
        tx: &mut TenantTx,
        within: &str,
        patterns: &[String],
        last: &str,
        limit: i64,
    ) -> Result<Vec<String>>;

    /// How a repository stands to a person, or to nobody in particular; none where it has no image.
    async fn standing(
        &self,
        at: &mut TenantStatement,
        project: ProjectId,
        image: &str,
        user: Option<UserId>,
    ) -> Result<Option<Standing>>;

    /// Whether the project has an image of this name.
    async fn has_image(&self, tx: &mut TenantTx, project: ProjectId, image: &str) -> Result<bool>;

    /// Whether an image of the project is for those alone who belong to it.
    async fn any_closed(&self, at: &mut TenantStatement, project: ProjectId) -> Result<bool>;

    /// Where a repository is that everybody may pull. One look, whatever there is of this name.
    async fn public_place(&self, tx: &mut SystemTx, name: &RepositoryName) -> Result<Option<Place>>;

    /// A manifest is gone: what is kept by its digest goes, too.
    async fn forget(&self, tx: &mut TenantTx, image: ImageId, digest: &Digest) -> Result<()>;

    /// A manifest was deleted, or a tag of it; what is left of the newest, if anything is.
    async fn deleted(&self, tx: &mut TenantTx, image: ImageId, digest: Digest, newest: Option<&Push>) -> Result<()>;

    /// Whether an image is held: then nothing of it goes by itself.
    async fn is_held(&self, tx: &mut TenantTx, image: ImageId) -> Result<bool>;
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
