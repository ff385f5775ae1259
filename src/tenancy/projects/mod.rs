//! Projects of a tenant, further roles in them, and their secrets.
//!
//! Owns `projects`, `project_members` and `project_secrets`. Publishes `project.created`, `project.updated`,
//! `project.archived`, `project.restored`, `project_member.set`, `project_member.removed`, `secret.set`,
//! `secret.deleted`. Values of secrets are encrypted, bound to tenant, project and name; no answer, event or audit row
//! has one.

mod api;
mod events;
mod model;
mod service;
mod store;

pub use api::routes;
pub use model::{
    NewProject, NewSecret, Project, ProjectChange, ProjectFilters, ProjectGrant, ProjectMember, ProjectStatus, Secret,
    SecretInfo, SecretKind,
};
pub use service::{Projects, grants};
