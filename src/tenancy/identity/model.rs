//! Users, API keys, and the rules of passwords.

use crate::kernel::ids::{ApiKeyId, ProjectId, TenantId, UserId};
use crate::kernel::{Fault, text_enum};
use crate::tenancy::access::{Permission, SystemRole};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Fewest characters of a password.
pub const MIN_PASSWORD: usize = 12;
/// Most characters of a password.
pub const MAX_PASSWORD: usize = 128;

text_enum! {
    /// Whether a person may sign in.
    pub enum UserStatus {
        /// May sign in.
        Active = "active",
        /// May not; sessions have ended, API keys do not work.
        Disabled = "disabled",
    }
}

/// A person, across all tenants.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Unique.
    pub id: UserId,
    /// Unique, in lower case.
    pub email: String,
    /// For people.
    pub name: String,
    /// Whether the person may sign in.
    pub status: UserStatus,
    /// Roles in the whole installation.
    pub system_roles: Vec<SystemRole>,
    /// The password was given by somebody else and must be changed before anything else is allowed.
    pub must_change_password: bool,
    /// When the person was added.
    pub created_at: DateTime<Utc>,
    /// When the person last signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<DateTime<Utc>>,
}

/// A person to add.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Any case; folded.
    pub email: String,
    /// For people; the address when empty.
    pub name: String,
    /// Roles in the whole installation.
    pub system_roles: Vec<SystemRole>,
    /// None: a random one-time password, which must be changed.
    pub password: Option<SecretString>,
    /// Whether a given password must be changed.
    pub must_change_password: bool,
}

/// A person just added.
#[derive(Debug)]
pub struct UserCreated {
    /// The person.
    pub user: User,
    /// Shown once; must be changed at the first sign-in.
    pub one_time_password: Option<SecretString>,
}

/// What to change of a person; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// For people.
    pub name: Option<String>,
    /// Whether the person may sign in.
    pub status: Option<UserStatus>,
    /// Roles in the whole installation.
    pub system_roles: Option<Vec<SystemRole>>,
}

/// A key made by a person for a machine. Its permissions are its scopes, as far as the person has them now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    /// Unique.
    pub id: ApiKeyId,
    /// The tenant in which it works.
    pub tenant_id: TenantId,
    /// The person behind it.
    pub user_id: UserId,
    /// For people.
    pub name: String,
    /// The part of the key that is not secret: keys look like `ifk_<prefix>_<secret>`.
    pub prefix: String,
    /// What it may do at most.
    pub scopes: Vec<Permission>,
    /// The only project in which it works, where it is limited to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A key to make.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// For people.
    pub name: String,
    /// What it may do at most; must be within what its maker may do.
    pub scopes: Vec<Permission>,
    /// Limits it to one project.
    pub project_id: Option<ProjectId>,
    /// When it stops working; none: when it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key just made.
#[derive(Debug)]
pub struct ApiKeyCreated {
    /// What is kept of it.
    pub api_key: ApiKey,
    /// The whole key, shown once.
    pub key: SecretString,
}

/// An address as it is stored and compared.
pub(super) fn fold_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// What is wrong with a password, if anything: its length is the only rule (NIST SP 800-63B section 3.1.1.2).
pub(super) fn password_fault(pointer: &str, password: &str) -> Option<Fault> {
    match password.chars().count() {
        n if n < MIN_PASSWORD => {
            Some(Fault::new(pointer, "too_short", format!("a password has at least {MIN_PASSWORD} characters")))
        }
        n if n > MAX_PASSWORD => {
            Some(Fault::new(pointer, "too_long", format!("a password has at most {MAX_PASSWORD} characters")))
        }
        _ => None,
    }
}

/// The two parts of `ifk_<prefix>_<secret>`.
pub(super) fn split_api_key(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix(API_KEY_START)?.split_once('_').filter(|(prefix, secret)| !prefix.is_empty() && !secret.is_empty())
}

/// How every API key begins, so that people and secret scanners recognise one.
pub(super) const API_KEY_START: &str = "ifk_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_the_only_rule_of_a_password() {
        assert!(password_fault("", "aaaaaaaaaaaa").is_none());
        assert!(password_fault("", "ääääääääääää").is_none(), "characters count, not bytes");
        assert_eq!(password_fault("/p", "elevenchars").unwrap().code, "too_short");
        assert_eq!(password_fault("/p", &"x".repeat(129)).unwrap().code, "too_long");
    }

    #[test]
    fn a_key_splits_at_its_first_underscore_after_the_start() {
        assert_eq!(split_api_key("ifk_ab12_x_y-z"), Some(("ab12", "x_y-z")));
        for bad in ["ifk_", "ifk__x", "ifk_ab_", "ifk_ab", "tok_ab_cd"] {
            assert_eq!(split_api_key(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_are_compared_without_case_and_margins() {
        assert_eq!(fold_email(" Ann@Example.COM "), "ann@example.com");
    }
}
