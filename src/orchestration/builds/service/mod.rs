//! The use cases of builds. Requests are here; `runs` is the side of whoever executes, `logs` of whoever reads.

mod contexts;
mod logs;
mod requests;
mod runs;

pub use logs::LogView;
pub use runs::{Heartbeat, LogBatch, RunInput, repository_base};

use super::config::Config;
use super::model::{Build, BuildStatus};
use super::store;
use crate::images::registry::Registry;
use crate::kernel::ids::BuildId;
use crate::kernel::{Clock, Error, Result};
use crate::platform::db::{Db, TenantTx};
use crate::platform::events::{self, Topic, notify};
use crate::platform::http::egress::Egress;
use crate::platform::storage::ObjectStore;
use crate::tenancy::access::{Caller, Permission};
use crate::tenancy::projects::Projects;
use crate::tenancy::tenants::Tenants;
use std::sync::Arc;

/// The built-in registry, as builds and clients reach it.
#[derive(Debug, Clone)]
pub struct RegistryHost {
    /// `host:port`, as image references begin.
    pub host: String,
    /// Whether it speaks plain http.
    pub insecure: bool,
}

/// Builds: requests, runs, logs.
#[derive(Clone)]
pub struct Builds {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) config: Arc<Config>,
    pub(super) tenants: Tenants,
    pub(super) projects: Projects,
    pub(super) registry: Registry,
    pub(super) registry_host: RegistryHost,
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) egress: Egress,
}

impl Builds {
    /// Wires the context.
    #[expect(clippy::too_many_arguments, reason = "a composition root names every part once")]
    pub fn new(
        db: Db,
        clock: Clock,
        config: Config,
        tenants: Tenants,
        projects: Projects,
        registry: Registry,
        registry_host: RegistryHost,
        objects: Arc<dyn ObjectStore>,
    ) -> Self {
        let egress = Egress::new(config.git_allowed_networks.clone());
        Self { db, clock, config: Arc::new(config), tenants, projects, registry, registry_host, objects, egress }
    }

    /// A build that the caller may see.
    pub async fn get(&self, caller: &Caller, id: BuildId) -> Result<Build> {
        Ok(self.open(caller, id, Permission::BuildRead).await?.1)
    }

    /// A transaction in the caller's tenant, and the build in it, when the caller has the permission in its project.
    pub(super) async fn open(&self, caller: &Caller, id: BuildId, permission: Permission) -> Result<(TenantTx, Build)> {
        let tenant = caller.tenant()?.id;
        let mut tx = self.db.tenant(tenant).await?;
        let build = store::get(&mut tx, tenant, id).await?.ok_or_else(|| Error::not_found("build"))?;
        if !caller.has_in(Permission::BuildRead, build.project_id) {
            return Err(Error::not_found("build"));
        }
        caller.require_in(permission, build.project_id)?;
        Ok((tx, build))
    }

    /// Puts a pending build into the queue, in the caller's transaction.
    pub(super) async fn enqueue(&self, tx: &mut TenantTx, build: &Build, caller: &Caller) -> Result<()> {
        let by = caller.actor.to_string();
        let step = (BuildStatus::Pending, BuildStatus::Queued);
        if !store::transition(tx, build.tenant_id, build.id, step, "submitted", &by).await? {
            return Err(Error::conflict("build.not_pending", "only a pending build can be started"));
        }
        store::enqueued(tx, build).await?;
        let queued = super::events::queued(&self.clock, &caller.actor, build);
        events::publish(tx, &queued).await?;
        notify(tx, Topic::Queue, "");
        Ok(())
    }

    /// How many builds of the tenant may wait. Read before a transaction is opened: one request holds one connection.
    pub(super) async fn queue_quota(&self, caller: &Caller) -> Result<i64> {
        Ok(i64::from(self.tenants.quota(caller.tenant()?.id).await?.builds_queued_max))
    }

    /// Refuses when the tenant's queue is full.
    pub(super) async fn check_queue(&self, tx: &mut TenantTx, max: i64) -> Result<()> {
        let tenant = tx.tenant_id();
        if store::count_queued(tx, tenant, max).await? >= max {
            return Err(Error::limited(
                "quota.builds_queued",
                format!("{max} builds of this tenant wait already; wait for some to start or ask for a larger quota"),
            ));
        }
        Ok(())
    }
}
