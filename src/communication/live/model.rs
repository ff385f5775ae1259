//! Frames, and who may see which event.

use crate::platform::events::Event;
use crate::tenancy::access::{Caller, Permission};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A message of a stream. Over SSE the fields are those of the event; over WebSocket this is a JSON text message.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Frame {
    /// The position after this frame; pass it as `Last-Event-ID` to resume. Frames without one repeat on resume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// For logs `lines`, `steps` or `end`; for events the event's type.
    pub event: String,
    /// The payload.
    pub data: serde_json::Value,
}

/// Whether the caller may see an event of the selected tenant.
pub fn may_see(caller: &Caller, event: &Event) -> bool {
    let noun = event.kind.split('.').next().unwrap_or_default();
    let permission = match noun {
        "build" => Permission::BuildRead,
        "image" => Permission::ImagePull,
        "project" => Permission::ProjectRead,
        "member" => Permission::MemberRead,
        // Keys, secrets, capabilities, quotas: for those who govern the tenant.
        _ => Permission::TenantUpdate,
    };
    match (&caller.tenant, event.project_id) {
        (Some(tenant), _) if event.tenant_id != Some(tenant.id) => false,
        (Some(_), Some(project)) => caller.has_in(permission, project),
        (Some(tenant), None) => tenant.permissions.has(permission),
        (None, _) => false,
    }
}
