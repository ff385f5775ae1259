//! The registry's use cases.

mod access_log;
mod blobs;
mod details;
mod listings;
mod manifests;
mod measures;
mod mounts;
mod referrers;
mod removal;
mod retention;
mod rights;
mod storage;
mod tags;
mod tokens;
mod uploads;

pub use details::{Base, DigestPrefix, Entry, ManifestDetails, TagMove};
pub use listings::NamePage;
pub use manifests::{Served, Tagged};
pub use referrers::Referrer;
pub use removal::Removed;
pub use retention::RetentionPreview;
pub use tags::{TagInfo, Usage};
pub use tokens::{Credentials, SERVICE};
pub use uploads::{BodyStream, UploadStatus};

use super::access::{Access, Place};
use super::config::Config;
use super::gates::{BuildRobotGate, RobotGate, Shelf, UpstreamGate};
use super::store;
use crate::kernel::ids::TenantId;
use crate::kernel::secret::Keyring;
use crate::kernel::{Clock, Error, Result};
use crate::platform::db::Db;
use crate::platform::http::rate_limit::RateLimits;
use crate::platform::storage::ObjectStore;
use crate::platform::tasks::Tasks;
use crate::tenancy::identity::Identity;
use crate::tenancy::projects::Projects;
use crate::tenancy::tenants::Tenants;
use std::sync::Arc;
use uuid::Uuid;

/// What the registry is made of.
pub struct Parts {
    /// Limits and times.
    pub config: Config,
    /// Address of this server as clients reach it, for the token realm; empty: as the client named it.
    pub public_url: String,
    pub db: Db,
    pub clock: Clock,
    pub tasks: Tasks,
    pub store: Arc<dyn ObjectStore>,
    pub keyring: Keyring,
    pub identity: Identity,
    pub tenants: Tenants,
    pub projects: Projects,
    pub build_robots: Arc<dyn BuildRobotGate>,
    pub robots: Arc<dyn RobotGate>,
    pub shelf: Arc<dyn Shelf>,
    pub upstreams: Arc<dyn UpstreamGate>,
}

/// The OCI registry. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    parts: Arc<Parts>,
    tokens: tokens::Signer,
    accesses: access_log::AccessLog,
    /// For those who have not signed in, by address.
    anonymous_limits: RateLimits,
    /// This process, as the writer of uploads.
    process: Uuid,
}

impl Registry {
    /// The registry of these parts.
    pub fn new(parts: Parts) -> Result<Self> {
        let tokens = tokens::Signer::new(&parts.keyring, parts.clock.clone(), parts.config.token_minutes)?;
        let anonymous_limits =
            RateLimits::per_second(parts.config.anonymous_requests_per_second).forgetful(&parts.tasks);
        let accesses = access_log::AccessLog::start(
            parts.db.clone(),
            parts.clock.clone(),
            parts.config.access_log_queue,
            &parts.tasks,
        );
        Ok(Self { parts: Arc::new(parts), tokens, accesses, anonymous_limits, process: Uuid::now_v7() })
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Limits and times.
    pub fn config(&self) -> &Config {
        &self.parts.config
    }

    /// Address of this server for clients; empty: as the client named it.
    pub fn public_url(&self) -> &str {
        &self.parts.public_url
    }

    /// Whether what the caller asks for may have to come from another registry.
    async fn is_cache(&self, access: &Access, place: Place) -> Result<bool> {
        Ok(!access.is_service() && self.parts.upstreams.is_cache(place).await?)
    }

    /// Refuses a project that is a cache of another registry: what is in it comes from there alone.
    pub async fn require_no_cache(&self, place: Place) -> Result<()> {
        if self.parts.upstreams.is_cache(place).await? {
            let text = "the project is a cache of another registry: nothing else is put into it";
            return Err(Error::conflict("project.is_cache", text));
        }
        Ok(())
    }

    /// Whether a project has repositories, whoever asks.
    pub async fn has_repositories(&self, place: Place) -> Result<bool> {
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        store::repositories::any(&mut tx, place.project_id).await
    }

    /// Runs to the end even when the client goes away meanwhile, so that no upload is left half recorded.
    async fn detached<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.parts.tasks.spawn(name, work).await.map_err(|e| Error::internal("a task panicked").with_source(e))?
    }

    /// Most bytes of blobs that the tenant's manifests may need.
    async fn storage_limit(&self, tenant: TenantId) -> Result<u64> {
        let quota = self.parts.tenants.quota(tenant).await?;
        Ok(u64::try_from(quota.storage_bytes_max).unwrap_or_default())
    }
}
