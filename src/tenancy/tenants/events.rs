//! The facts that this context publishes.

use super::model::{CapabilityState, Member, Quota, Tenant};
use crate::kernel::ids::{TenantId, UserId};
use crate::kernel::{Actor, Clock};
use crate::platform::events::Event;
use serde_json::json;

/// `tenant.created` or `tenant.updated`.
pub(super) fn tenant(clock: &Clock, kind: &'static str, by: &Actor, t: &Tenant) -> Event {
    let payload = json!({"tenant_id": t.id, "slug": t.slug, "name": t.name, "status": t.status});
    Event::new(clock, kind, Some(t.id), by, format!("tenant:{}", t.id), payload)
}

/// `member.added` or `member.role_changed`.
pub(super) fn member(clock: &Clock, kind: &'static str, tenant: TenantId, by: &Actor, m: &Member) -> Event {
    let payload = json!({"user_id": m.user_id, "email": m.email, "role": m.role});
    Event::new(clock, kind, Some(tenant), by, format!("user:{}", m.user_id), payload)
}

/// Somebody no longer belongs to the tenant.
pub(super) fn member_removed(clock: &Clock, tenant: TenantId, by: &Actor, user: UserId) -> Event {
    Event::new(clock, "member.removed", Some(tenant), by, format!("user:{user}"), json!({"user_id": user}))
}

/// A capability was given or taken.
pub(super) fn capability_changed(clock: &Clock, tenant: TenantId, by: &Actor, c: &CapabilityState) -> Event {
    let payload = json!({"capability": c.capability, "entitled": c.entitled, "reason": c.reason});
    Event::new(clock, "capability.changed", Some(tenant), by, format!("tenant:{tenant}"), payload)
}

/// The limits changed.
pub(super) fn quota_changed(clock: &Clock, tenant: TenantId, by: &Actor, q: &Quota) -> Event {
    Event::new(clock, "quota.changed", Some(tenant), by, format!("tenant:{tenant}"), json!(q))
}
