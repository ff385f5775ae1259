//! Projects of a tenant, further roles in them, their secrets and their credentials for other registries.
//!
//! Owns `projects`, `project_members`, `project_secrets` and `project_registry_credentials`. Publishes `project.created`, `project.updated`,
//! `project.archived`, `project.restored`, `project_member.set`, `project_member.removed`, `secret.set`,
//! `secret.deleted`, `registry_credential.set`, `registry_credential.deleted`. Values of secrets are encrypted, bound to
//! tenant, project and name; no answer, event or audit row has one.

mod api;
mod events;
mod model;
mod service;
mod store;

pub use api::routes;
pub use model::{
    NewProject, NewSecret, Project, ProjectChange, ProjectFilters, ProjectGrant, ProjectMember, ProjectStatus,
    RegistryCredential, RegistryLogin, Secret, SecretInfo, SecretKind,
};
pub use service::{Projects, grants};
