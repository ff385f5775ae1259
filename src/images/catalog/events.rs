//! The facts that the catalogue publishes.

use super::model::{Image, ImageMember, Lifecycle, LifecycleStep};
use crate::kernel::ids::{TenantId, UserId};
use crate::kernel::{Actor, Clock};
use crate::platform::events::Event;
use serde_json::{Value, json};

/// `image.published`, `image.deprecated`, `image.archived`, `image.restored`.
pub fn stepped(
    clock: &Clock,
    tenant: TenantId,
    by: &Actor,
    image: &Image,
    step: LifecycleStep,
    to: Lifecycle,
) -> Event {
    let payload = json!({"repository": image.repository, "from": image.lifecycle, "to": to});
    about(clock, step.past(), tenant, by, image, payload)
}

/// People have changed what is kept of an image.
pub fn updated(clock: &Clock, tenant: TenantId, by: &Actor, image: &Image) -> Event {
    let payload = json!({"repository": image.repository, "visibility": image.visibility});
    about(clock, "image.updated", tenant, by, image, payload)
}

/// Somebody has a role on an image.
pub fn member_set(clock: &Clock, tenant: TenantId, by: &Actor, image: &Image, member: &ImageMember) -> Event {
    let payload = json!({"repository": image.repository, "user_id": member.user_id, "role": member.role});
    about(clock, "image_member.set", tenant, by, image, payload)
}

/// Somebody lost the role.
pub fn member_removed(clock: &Clock, tenant: TenantId, by: &Actor, image: &Image, user: UserId) -> Event {
    let payload = json!({"repository": image.repository, "user_id": user});
    about(clock, "image_member.removed", tenant, by, image, payload)
}

fn about(clock: &Clock, kind: &'static str, tenant: TenantId, by: &Actor, image: &Image, payload: Value) -> Event {
    Event::new(clock, kind, Some(tenant), by, format!("image:{}", image.id), payload).in_project(image.project_id)
}
