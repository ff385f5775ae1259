//! The registry's use cases.

mod blobs;
mod manifests;
mod tags;
mod tokens;
mod uploads;

pub use manifests::{Served, Tagged};
pub use tags::{TagInfo, Usage};
pub use tokens::{Credentials, SERVICE};
pub use uploads::{BodyStream, UploadStatus};

use super::access::{Access, Place};
use super::config::Config;
use super::error;
use super::gates::{RobotGate, Shelf, UpstreamGate};
use super::model::{Action, RepositoryName};
use super::store;
use crate::kernel::ids::TenantId;
use crate::kernel::secret::Keyring;
use crate::kernel::{Clock, Error, Result};
use crate::platform::db::Db;
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
    pub robots: Arc<dyn RobotGate>,
    pub shelf: Arc<dyn Shelf>,
    pub upstreams: Arc<dyn UpstreamGate>,
}

/// The OCI registry. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    parts: Arc<Parts>,
    tokens: tokens::Signer,
    /// This process, as the writer of uploads.
    process: Uuid,
}

impl Registry {
    /// The registry of these parts.
    pub fn new(parts: Parts) -> Result<Self> {
        let tokens = tokens::Signer::new(&parts.keyring, parts.clock.clone(), parts.config.token_minutes)?;
        Ok(Self { parts: Arc::new(parts), tokens, process: Uuid::now_v7() })
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

    /// Where the repository is, if it may be written: a robot must still hold its lease.
    async fn place_to_write(&self, access: &Access, name: &RepositoryName, action: Action) -> Result<Place> {
        let place = access.place(name, action)?;
        if let Some(lease) = access.lease
            && !self.parts.robots.lease_alive(lease.execution, lease.attempt).await?
        {
            return Err(error::denied_because("the build behind this token has ended or lost its lease"));
        }
        if action == Action::Push && self.is_cache(access, place).await? {
            return Err(error::denied_because("the project is a cache of another registry: nothing is pushed to it"));
        }
        Ok(place)
    }

    /// Whether what the caller asks for may have to come from another registry.
    async fn is_cache(&self, access: &Access, place: Place) -> Result<bool> {
        Ok(!access.is_service() && self.parts.upstreams.is_cache(place).await?)
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
