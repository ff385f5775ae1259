//! The facts that this context publishes.

use super::model::RobotAccount;
use crate::kernel::ids::TenantId;
use crate::kernel::{Actor, Clock};
use crate::platform::events::Event;
use serde_json::json;

/// `robot_account.created`, `.updated`, `.secret_rotated` or `.deleted`.
pub fn robot(clock: &Clock, kind: &'static str, tenant: TenantId, by: &Actor, robot: &RobotAccount) -> Event {
    let payload = json!({"robot_account_id": robot.id, "name": robot.name, "disabled": robot.disabled});
    let event = Event::new(clock, kind, Some(tenant), by, format!("robot_account:{}", robot.id), payload);
    match robot.project_id {
        Some(project) => event.in_project(project),
        None => event,
    }
}
