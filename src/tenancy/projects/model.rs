//! Projects, their members and secrets.

use crate::kernel::ids::{ProjectId, TenantId, UserId};
use crate::kernel::{Error, Fault, Result, text_enum};
use crate::tenancy::access::TenantRole;
use chrono::{DateTime, Utc};
use http::uri::Authority;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

text_enum! {
    /// Whether a project is in use.
    pub enum ProjectStatus {
        /// In use.
        Active = "active",
        /// Read-only: no builds, no pushes, no changes but to restore it.
        Archived = "archived",
    }
}

/// A project of one tenant: what is built and stored together.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Project {
    /// Unique.
    pub id: ProjectId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// Unique in the tenant; the second part of the names of its images. Never changes.
    pub slug: String,
    /// For people.
    pub name: String,
    /// For people.
    pub description: String,
    /// Whether it is in use.
    pub status: ProjectStatus,
    /// Who made it: `user:<id>` or another actor.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// For `ETag`.
    #[serde(skip)]
    pub version: i32,
}

impl Project {
    /// 409 when it is archived.
    pub fn require_active(&self) -> Result<()> {
        match self.status {
            ProjectStatus::Active => Ok(()),
            ProjectStatus::Archived => {
                Err(Error::conflict("project.archived", "the project is archived: restore it first"))
            }
        }
    }
}

/// A project to make.
#[derive(Debug, Clone)]
pub struct NewProject {
    /// `[a-z0-9-]`, 2 to 40 characters, no hyphen at either end.
    pub slug: String,
    /// For people; the slug when empty.
    pub name: String,
    /// For people.
    pub description: String,
}

/// What to change of a project; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct ProjectChange {
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
}

/// Which projects to list.
#[derive(Debug, Clone, Default)]
pub struct ProjectFilters {
    /// Exactly this slug.
    pub slug: Option<String>,
    /// Only these.
    pub status: Option<ProjectStatus>,
}

/// A role in one project, as authentication needs it.
#[derive(Debug, Clone)]
pub struct ProjectGrant {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The project.
    pub project_id: ProjectId,
    /// The role.
    pub role: TenantRole,
}

/// A person with a further role in a project.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProjectMember {
    /// The person.
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do in the project, beyond their role in the tenant.
    pub role: TenantRole,
    /// Since when.
    pub added_at: DateTime<Utc>,
}

text_enum! {
    /// What a secret is for.
    pub enum SecretKind {
        /// Any text, mounted into builds that name it.
        Opaque = "opaque",
        /// A token or password for Git over HTTPS; may have a user name.
        GitToken = "git_token",
        /// A private key for Git over SSH.
        SshKey = "ssh_key",
    }
}

/// What is shown of a secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SecretInfo {
    /// Unique in the project: `[A-Za-z_][A-Za-z0-9_]{0,63}`.
    pub name: String,
    /// What it is for.
    pub kind: SecretKind,
    /// The user name that goes with a Git token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// When it was first set.
    pub created_at: DateTime<Utc>,
    /// When it was last set.
    pub updated_at: DateTime<Utc>,
}

/// A secret to set.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// What it is for.
    pub kind: SecretKind,
    /// The user name that goes with a Git token.
    pub username: Option<String>,
    /// The value.
    pub value: SecretString,
}

/// An opened secret.
#[derive(Debug, Clone)]
pub struct Secret {
    /// What it is for.
    pub kind: SecretKind,
    /// The user name that goes with a Git token.
    pub username: Option<String>,
    /// The value.
    pub value: SecretString,
}

impl NewSecret {
    /// Every fault of a value for its kind.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.username.is_some() && self.kind != SecretKind::GitToken {
            faults.push(Fault::new("/username", "not_allowed", "only a git_token has a user name"));
        }
        let value = self.value.expose_secret();
        match self.kind {
            SecretKind::SshKey if !is_private_key(value) => faults.push(Fault::new(
                "/value",
                "wrong_format",
                "an ssh_key is an unencrypted private key: it begins with -----BEGIN ... PRIVATE KEY-----",
            )),
            SecretKind::GitToken if value.chars().any(char::is_control) => {
                faults.push(Fault::new("/value", "wrong_format", "a git_token is one line"));
            }
            _ => {}
        }
        faults
    }
}

/// PEM (RFC 7468), which OpenSSH's own format shares. Keys that ask for a passphrase would hang a build.
fn is_private_key(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or_default().trim_end();
    first.starts_with("-----BEGIN ")
        && first.ends_with("PRIVATE KEY-----")
        && !first.contains("ENCRYPTED")
        && !text.contains("Proc-Type: 4,ENCRYPTED")
}

/// What is shown of a credential for another registry.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RegistryCredential {
    /// `host` or `host:port`, as image references begin; unique in the project.
    pub registry: String,
    /// Who signs in.
    pub username: String,
    /// When it was first set.
    pub created_at: DateTime<Utc>,
    /// When it was last set.
    pub updated_at: DateTime<Utc>,
}

/// A credential with its password.
#[derive(Debug, Clone)]
pub struct RegistryLogin {
    /// `host` or `host:port`.
    pub registry: String,
    /// Who signs in.
    pub username: String,
    /// The password or token.
    pub password: SecretString,
}

/// Whether this is `host` or `host:port` in lower case (RFC 3986 section 3.2, without user information).
pub(super) fn is_registry(name: &str) -> bool {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".:-[]".contains(&b));
    let whole = |a: Authority| !a.host().is_empty() && (a.host() == name || a.port_u16().is_some());
    plain && name.len() <= 255 && name.parse().is_ok_and(whole)
}

/// What binds an encrypted password to its row.
pub(super) fn registry_seal_context(tenant: TenantId, project: ProjectId, registry: &str) -> String {
    format!("project_registry_credential:{tenant}/{project}/{registry}")
}

/// What binds an encrypted value to its row.
pub(super) fn seal_context(tenant: TenantId, project: ProjectId, name: &str) -> String {
    format!("project_secret:{tenant}/{project}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_a_host_perhaps_with_a_port() {
        for good in ["docker.io", "registry.example.com:5000", "127.0.0.1:5000", "[::1]:5000", "localhost"] {
            assert!(is_registry(good), "{good}");
        }
        for bad in ["", "Docker.io", "https://docker.io", "docker.io/library", "a:b", "u@docker.io", "a b", ":5000"] {
            assert!(!is_registry(bad), "{bad}");
        }
    }

    fn secret(kind: SecretKind, value: &str, username: Option<&str>) -> Vec<String> {
        let new = NewSecret { kind, username: username.map(Into::into), value: value.into() };
        new.faults().into_iter().map(|f| f.pointer).collect()
    }

    #[test]
    fn an_ssh_key_is_an_unencrypted_private_key() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n";
        assert!(secret(SecretKind::SshKey, key, None).is_empty());
        for bad in ["ssh-ed25519 AAAA", "-----BEGIN PUBLIC KEY-----", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"] {
            assert_eq!(secret(SecretKind::SshKey, bad, None), ["/value"], "{bad}");
        }
    }

    #[test]
    fn only_a_git_token_has_a_user_name() {
        assert!(secret(SecretKind::GitToken, "abc", Some("ann")).is_empty());
        assert_eq!(secret(SecretKind::Opaque, "abc", Some("ann")), ["/username"]);
        assert_eq!(secret(SecretKind::GitToken, "a\nb", None), ["/value"]);
    }
}
