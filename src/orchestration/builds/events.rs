//! Facts about builds. Subject `build:<id>`; payloads carry `build_id`, `project_id`, `number`, `status` and what the
//! fact adds.

use super::model::{Build, ResultStatus};
use crate::kernel::{Actor, Clock};
use crate::platform::events::Event;
use serde_json::{Value, json};

fn event(clock: &Clock, kind: &'static str, actor: &Actor, b: &Build, status: &str, more: &Value) -> Event {
    let mut payload = json!({
        "build_id": b.id, "project_id": b.project_id, "number": b.number, "method": b.method.as_str(), "status": status,
    });
    if let (Some(all), Some(more)) = (payload.as_object_mut(), more.as_object()) {
        all.extend(more.clone());
    }
    Event::new(clock, kind, Some(b.tenant_id), actor, format!("build:{}", b.id), payload).in_project(b.project_id)
}

/// `build.queued`: it waits for the dispatcher.
pub fn queued(clock: &Clock, actor: &Actor, b: &Build) -> Event {
    event(clock, "build.queued", actor, b, "queued", &json!({}))
}

/// `build.requeued`: its worker was lost; adds `reason`.
pub fn requeued(clock: &Clock, actor: &Actor, b: &Build, reason: &str) -> Event {
    event(clock, "build.requeued", actor, b, "queued", &json!({"reason": reason}))
}

/// `build.started`: an execution holds it; adds `attempt`.
pub fn started(clock: &Clock, b: &Build) -> Event {
    event(clock, "build.started", &Actor::system("dispatch"), b, "running", &json!({"attempt": b.attempts}))
}

/// `build.finished`: it ended; adds `result` and `reason`.
pub fn finished(clock: &Clock, actor: &Actor, b: &Build, result: ResultStatus, reason: Option<&str>) -> Event {
    let status = result.build_status().as_str();
    event(clock, "build.finished", actor, b, status, &json!({"result": result.as_str(), "reason": reason}))
}
