//! The facts that this context publishes.

use super::model::Upstream;
use crate::kernel::ids::TenantId;
use crate::kernel::{Actor, Clock};
use crate::platform::events::Event;
use serde_json::json;

/// `upstream.set` or `upstream.deleted`.
pub(super) fn upstream(clock: &Clock, kind: &'static str, by: &Actor, tenant: TenantId, u: &Upstream) -> Event {
    let payload = json!({"url": u.url, "username": u.username, "freshness_seconds": u.freshness_seconds});
    let subject = format!("project:{}", u.project_id);
    Event::new(clock, kind, Some(tenant), by, subject, payload).in_project(u.project_id)
}
