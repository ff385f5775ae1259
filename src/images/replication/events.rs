//! The facts that this context publishes.

use super::model::{ReplicationRule, ReplicationRun};
use crate::kernel::ids::TenantId;
use crate::kernel::{Actor, Clock};
use crate::platform::events::Event;
use serde_json::json;

/// `replication_rule.created`, `replication_rule.updated` or `replication_rule.deleted`.
pub(super) fn rule(clock: &Clock, kind: &'static str, by: &Actor, tenant: TenantId, rule: &ReplicationRule) -> Event {
    let payload = json!({"name": rule.name, "direction": rule.direction, "url": rule.url});
    Event::new(clock, kind, Some(tenant), by, format!("replication_rule:{}", rule.id), payload)
        .in_project(rule.project_id)
}

/// `replication_run.started` or `replication_run.finished`.
pub(super) fn run(clock: &Clock, kind: &'static str, by: &Actor, tenant: TenantId, run: &ReplicationRun) -> Event {
    let payload = json!({"rule_id": run.rule_id, "cause": run.cause, "status": run.status, "counts": run.counts});
    Event::new(clock, kind, Some(tenant), by, format!("replication_run:{}", run.id), payload).in_project(run.project_id)
}
