//! The facts that this context publishes.

use super::model::{ApiKey, User};
use crate::kernel::{Actor, Clock};
use crate::platform::events::Event;
use serde_json::json;

/// A person was added to the installation.
pub(super) fn user_created(clock: &Clock, by: &Actor, user: &User) -> Event {
    let payload = json!({"user_id": user.id, "email": user.email, "name": user.name});
    Event::new(clock, "user.created", None, by, format!("user:{}", user.id), payload)
}

/// A person's name, status or system roles changed.
pub(super) fn user_updated(clock: &Clock, by: &Actor, user: &User) -> Event {
    let payload = json!({"user_id": user.id, "status": user.status, "system_roles": user.system_roles});
    Event::new(clock, "user.updated", None, by, format!("user:{}", user.id), payload)
}

/// An API key was made.
pub(super) fn api_key_created(clock: &Clock, by: &Actor, key: &ApiKey) -> Event {
    api_key(clock, "api_key.created", by, key)
}

/// An API key was revoked.
pub(super) fn api_key_revoked(clock: &Clock, by: &Actor, key: &ApiKey) -> Event {
    api_key(clock, "api_key.revoked", by, key)
}

fn api_key(clock: &Clock, kind: &'static str, by: &Actor, key: &ApiKey) -> Event {
    let payload = json!({"api_key_id": key.id, "name": key.name, "user_id": key.user_id, "scopes": key.scopes});
    Event::new(clock, kind, Some(key.tenant_id), by, format!("api_key:{}", key.id), payload)
}
