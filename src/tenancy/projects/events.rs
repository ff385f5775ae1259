//! The facts that this context publishes.

use super::model::{Project, ProjectMember, RegistryCredential, SecretInfo};
use crate::kernel::ids::UserId;
use crate::kernel::{Actor, Clock};
use crate::platform::events::Event;
use serde_json::{Value, json};

/// `project.created`, `project.updated`, `project.archived` or `project.restored`.
pub(super) fn project(clock: &Clock, kind: &'static str, by: &Actor, p: &Project) -> Event {
    let payload = json!({"project_id": p.id, "slug": p.slug, "name": p.name, "status": p.status});
    about(clock, kind, by, p, format!("project:{}", p.id), payload)
}

/// Somebody has a further role in the project.
pub(super) fn member_set(clock: &Clock, by: &Actor, p: &Project, m: &ProjectMember) -> Event {
    let payload = json!({"user_id": m.user_id, "email": m.email, "role": m.role});
    about(clock, "project_member.set", by, p, format!("user:{}", m.user_id), payload)
}

/// Somebody lost the further role.
pub(super) fn member_removed(clock: &Clock, by: &Actor, p: &Project, user: UserId) -> Event {
    about(clock, "project_member.removed", by, p, format!("user:{user}"), json!({"user_id": user}))
}

/// A secret has a value, or a new one.
pub(super) fn secret_set(clock: &Clock, by: &Actor, p: &Project, s: &SecretInfo) -> Event {
    about(clock, "secret.set", by, p, format!("secret:{}", s.name), json!({"name": s.name, "kind": s.kind}))
}

/// A secret is gone.
pub(super) fn secret_deleted(clock: &Clock, by: &Actor, p: &Project, name: &str) -> Event {
    about(clock, "secret.deleted", by, p, format!("secret:{name}"), json!({"name": name}))
}

/// Builds sign in to a registry, or do so with another password.
pub(super) fn registry_credential_set(clock: &Clock, by: &Actor, p: &Project, c: &RegistryCredential) -> Event {
    let payload = json!({"registry": c.registry, "username": c.username});
    about(clock, "registry_credential.set", by, p, format!("registry_credential:{}", c.registry), payload)
}

/// Builds sign in to a registry no more.
pub(super) fn registry_credential_deleted(clock: &Clock, by: &Actor, p: &Project, registry: &str) -> Event {
    let payload = json!({"registry": registry});
    about(clock, "registry_credential.deleted", by, p, format!("registry_credential:{registry}"), payload)
}

fn about(clock: &Clock, kind: &'static str, by: &Actor, p: &Project, subject: String, payload: Value) -> Event {
    Event::new(clock, kind, Some(p.tenant_id), by, subject, payload).in_project(p.id)
}
