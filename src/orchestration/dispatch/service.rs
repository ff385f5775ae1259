//! Use cases of dispatch: limits of tenants, the operator's wish, workers.

use super::config::Config;
use super::model::{ConcurrencyPolicy, DispatcherReport, Mode, WorkerReport};
use super::store;
use super::worker::Worker;
use crate::kernel::ids::TenantId;
use crate::kernel::{Clock, Error, Fault, Result};
use crate::orchestration::builds::{Builds, RunRef};
use crate::platform::db::Db;
use crate::platform::events::{Topic, notify};
use crate::platform::http::IfMatch;
use crate::tenancy::access::{Caller, Permission, SystemPermission};
use crate::tenancy::audit;
use crate::tenancy::tenants::Tenants;
use serde_json::json;
use std::sync::Arc;

/// Most builds of one claim.
const MAX_BATCH: usize = 100;

/// Dispatch: policies, workers, the claim.
#[derive(Clone)]
pub struct Dispatch {
    db: Db,
    clock: Clock,
    pub(super) config: Arc<Config>,
    tenants: Tenants,
    pub(super) builds: Builds,
}

impl Dispatch {
    /// Wires the context.
    pub fn new(db: Db, clock: Clock, config: Config, tenants: Tenants, builds: Builds) -> Self {
        Self { db, clock, config: Arc::new(config), tenants, builds }
    }

    /// Claims up to `slots` builds for a worker; they are running and leased when this returns.
    pub async fn claim(&self, worker: &Worker, slots: usize) -> Result<Vec<RunRef>> {
        let slots = slots.min(MAX_BATCH);
        let mut tx = self.db.system("claim builds").await?;
        let claimed = store::claim(&mut tx, worker, slots, self.config.lease_seconds).await?;
        if !claimed.is_empty() {
            self.builds.started(&mut tx, &claimed).await?;
        }
        // Meanwhile others have passed these tenants over; there may be more for them.
        if claimed.len() == slots {
            notify(&mut tx, Topic::Queue, "");
        }
        tx.commit().await?;
        metrics::counter!("image_factory_builds_claimed_total").increment(claimed.len() as u64);
        Ok(claimed)
    }

    /// The net under the wake-ups: tenants with queued builds come back into the ring.
    pub async fn wake_all(&self) -> Result<()> {
        let mut tx = self.db.system("wake tenants").await?;
        if store::wake_all(&mut tx).await? > 0 {
            notify(&mut tx, Topic::Queue, "");
        }
        tx.commit().await
    }

    /// Announces a worker, or that it is alive; `offline` when it leaves.
    pub async fn announce(&self, worker: &Worker, leaving: bool) -> Result<()> {
        let mut tx = self.db.system("worker heartbeat").await?;
        let status = match store::mode(&mut tx).await?.as_str() {
            _ if leaving => "offline",
            "draining" => "draining",
            _ => "healthy",
        };
        store::heartbeat(&mut tx, worker, status).await?;
        tx.commit().await
    }

    /// Workers that were alive in the last day.
    pub async fn workers(&self, caller: &Caller) -> Result<Vec<WorkerReport>> {
        caller.require_system(SystemPermission::SystemRead)?;
        let mut tx = self.db.system("list workers").await?;
        store::workers(&mut tx).await
    }

    /// The state of dispatch.
    pub async fn report(&self, caller: &Caller) -> Result<DispatcherReport> {
        caller.require_system(SystemPermission::SystemRead)?;
        let mut tx = self.db.system("dispatcher report").await?;
        store::report(&mut tx).await
    }

    /// Pauses, drains or resumes all dispatchers.
    pub async fn set_mode(&self, caller: &Caller, mode: Mode, reason: Option<&str>) -> Result<DispatcherReport> {
        caller.require_system(SystemPermission::OperationsManage)?;
        let mut tx = self.db.system("set dispatcher mode").await?;
        let before = store::mode(&mut tx).await?;
        store::set_mode(&mut tx, mode, &caller.actor.to_string(), reason).await?;
        notify(&mut tx, Topic::Queue, "");
        let entry = audit::Entry {
            action: "dispatcher.set_mode",
            resource: "dispatcher".into(),
            before: Some(json!({"mode": before})),
            after: Some(json!({"mode": mode.as_str(), "reason": reason})),
        };
        audit::record(&mut tx, &self.clock, caller, None, entry).await?;
        let report = store::report(&mut tx).await?;
        tx.commit().await?;
        Ok(report)
    }

    /// The limits of a tenant (its id or slug), with their version.
    pub async fn policy(&self, caller: &Caller, tenant: &str) -> Result<(ConcurrencyPolicy, i32)> {
        let tenant = own(caller, tenant, Permission::TenantRead)?;
        let mut tx = self.db.tenant(tenant).await?;
        // The first look makes the row, so that its version can be named in an edit.
        store::wake(&mut tx, tenant).await?;
        let found = store::lock_policy(&mut tx, tenant).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Replaces the limits of a tenant; the version must be the one that was read.
    pub async fn set_policy(
        &self,
        caller: &Caller,
        tenant: &str,
        policy: &ConcurrencyPolicy,
        expected: IfMatch,
    ) -> Result<(ConcurrencyPolicy, i32)> {
        let tenant = own(caller, tenant, Permission::ConcurrencyManage)?;
        let max = self.tenants.quota(tenant).await?.builds_running_max;
        if policy.max_concurrent_builds > max {
            let detail = format!("the tenant's quota allows {max} running builds");
            return Err(Error::faults(vec![Fault::new("/max_concurrent_builds", "over_quota", detail)]));
        }
        let mut tx = self.db.tenant(tenant).await?;
        store::wake(&mut tx, tenant).await?;
        let (before, present) = store::lock_policy(&mut tx, tenant).await?;
        expected.check(present)?;
        store::set_policy(&mut tx, tenant, policy).await?;
        notify(&mut tx, Topic::Queue, "");
        let entry = audit::Entry {
            action: "concurrency_policy.update",
            resource: format!("tenant:{tenant}"),
            before: Some(json!(before)),
            after: Some(json!(policy)),
        };
        audit::record(&mut tx, &self.clock, caller, Some(tenant), entry).await?;
        tx.commit().await?;
        Ok((policy.clone(), present + 1))
    }
}

/// The tenant of the request must be the one in the path; another one does not exist for the caller.
fn own(caller: &Caller, id_or_slug: &str, permission: Permission) -> Result<TenantId> {
    let tenant = caller.tenant()?;
    if tenant.slug != id_or_slug && tenant.id.to_string() != id_or_slug {
        return Err(Error::not_found("tenant"));
    }
    caller.require(permission)
}
