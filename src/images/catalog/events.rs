//! The facts that the catalogue publishes.

use super::model::{Image, Lifecycle, LifecycleStep};
use crate::kernel::ids::TenantId;
use crate::kernel::{Actor, Clock};
use crate::platform::events::Event;
use serde_json::json;

/// `image.published`, `image.deprecated`, `image.archived`, `image.restored`.
pub fn stepped(
    clock: &Clock,
    tenant: TenantId,
    actor: &Actor,
    image: &Image,
    step: LifecycleStep,
    to: Lifecycle,
) -> Event {
    let payload = json!({"repository": image.repository, "from": image.lifecycle, "to": to});
    Event::new(clock, step.past(), Some(tenant), actor, format!("image:{}", image.id), payload)
        .in_project(image.project_id)
}
