//! Writing, listing and verifying the trail.

use super::model::{AuditEvent, ChainFault, ChainReport, Entry, Filters, Link, Verification, Walk};
use super::store;
use crate::kernel::ids::TenantId;
use crate::kernel::{Clock, Page, PageRequest, Result};
use crate::platform::db::{Db, PgConnection};
use crate::tenancy::access::{Caller, Permission, SystemPermission};
use uuid::Uuid;

/// Events that a verification holds in memory.
const BATCH: i64 = 1000;

/// Adds an event to the chain of a tenant, or of the installation. Called last before the commit: it locks the end of
/// the chain. Where one transaction writes to both, the installation's chain comes first.
pub async fn record(
    tx: &mut PgConnection,
    clock: &Clock,
    caller: &Caller,
    tenant: Option<TenantId>,
    entry: Entry,
) -> Result<()> {
    let (sequence, previous_hash) = store::lock_head(tx, tenant).await?;
    let event = AuditEvent {
        id: Uuid::now_v7(),
        tenant_id: tenant,
        sequence: sequence + 1,
        occurred_at: clock.now(),
        actor: caller.actor.to_string(),
        user_id: caller.user_id,
        action: entry.action.to_owned(),
        resource: entry.resource,
        before: entry.before,
        after: entry.after,
        ip: caller.request.ip.map(|ip| ip.to_string()),
        user_agent: caller.request.user_agent.clone(),
        request_id: caller.request.request_id.clone(),
    };
    let hash = event.hash(&previous_hash);
    store::append(tx, &Link { event, previous_hash, hash }).await
}

/// Reads the audit trail.
#[derive(Debug, Clone)]
pub struct Audit {
    db: Db,
}

impl Audit {
    /// A reader of this database's trail.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Events of the caller's tenant, newest first; of all tenants and the installation for those who may.
    pub async fn list(
        &self,
        caller: &Caller,
        all_tenants: bool,
        filters: &Filters,
        page: &PageRequest,
    ) -> Result<Page<AuditEvent>> {
        let after = page.after()?;
        let rows = if all_tenants {
            caller.require_system(SystemPermission::SystemRead)?;
            let mut tx = self.db.system("list audit events").await?;
            store::list(&mut tx, None, filters, after, page.fetch()).await?
        } else {
            let tenant = caller.require(Permission::AuditRead)?;
            let mut tx = self.db.tenant(tenant).await?;
            store::list(&mut tx, Some(tenant), filters, after, page.fetch()).await?
        };
        page.page(rows, |e| e.id)
    }
}

/// Walks every chain from its first event to its recorded end. Events written meanwhile are left for the next time.
pub async fn verify(db: &Db) -> Result<Verification> {
    let mut tx = db.system("verify audit chains").await?;
    let ends = store::chains(&mut tx).await?;
    drop(tx);
    let mut chains = Vec::with_capacity(ends.len());
    for (tenant_id, end) in ends {
        chains.push(verify_chain(db, tenant_id, end).await?);
    }
    Ok(Verification { chains })
}

async fn verify_chain(db: &Db, tenant_id: Option<TenantId>, end: Option<(i64, Vec<u8>)>) -> Result<ChainReport> {
    let mut walk = Walk::start();
    let report = |events, fault| Ok(ChainReport { tenant_id, events, fault });
    let Some((end, end_hash)) = end else {
        return report(0, Some(ChainFault { sequence: 0, what: "the recorded end of the chain is gone" }));
    };
    while walk.sequence < end {
        let mut tx = db.system("verify an audit chain").await?;
        let links = store::links(&mut tx, tenant_id, walk.sequence, BATCH.min(end - walk.sequence)).await?;
        drop(tx);
        if links.is_empty() {
            let fault = ChainFault { sequence: walk.sequence + 1, what: "the event is missing" };
            return report(walk.sequence, Some(fault));
        }
        for link in &links {
            if let Err(fault) = walk.step(link) {
                return report(walk.sequence, Some(fault));
            }
        }
    }
    let fits = walk.hash == end_hash;
    let fault = ChainFault { sequence: end, what: "the recorded end of the chain does not fit" };
    report(walk.sequence, (!fits).then_some(fault))
}
