//! Permissions and the roles made of them.

use crate::kernel::text_schema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

macro_rules! permissions {
    ($(#[doc = $about:literal])+ $enum:ident { $($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)? }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $enum {
            $($(#[$doc])* #[serde(rename = $text)] $name,)+
        }

        impl $enum {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As written in roles, scopes and documents.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }

        impl fmt::Display for $enum {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $enum {
            type Err = ();
            fn from_str(s: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|p| p.as_str() == s).ok_or(())
            }
        }

        text_schema!($enum, concat!($($about),+), [$($text),+]);
    };
}

permissions! {
    /// What may be done inside one tenant: `noun:verb`.
    Permission {
        /// See the tenant, its capabilities and limits.
        TenantRead = "tenant:read",
        /// Change the tenant's settings.
        TenantUpdate = "tenant:update",
        /// See who belongs to the tenant.
        MemberRead = "member:read",
        /// Add, change and remove members of the tenant, its projects and its images, and robot accounts.
        MemberManage = "member:manage",
        /// Make and revoke API keys of one's own.
        ApiKeyManage = "api_key:manage",
        /// See the audit trail.
        AuditRead = "audit:read",
        /// See projects.
        ProjectRead = "project:read",
        /// Create projects.
        ProjectCreate = "project:create",
        /// Change and archive projects.
        ProjectUpdate = "project:update",
        /// See names of a project's secrets, set and delete them; values are never shown.
        SecretManage = "secret:manage",
        /// See builds, their steps and logs.
        BuildRead = "build:read",
        /// Create and retry builds, upload contexts.
        BuildCreate = "build:create",
        /// Cancel builds.
        BuildCancel = "build:cancel",
        /// See and pull images.
        ImagePull = "image:pull",
        /// Push images.
        ImagePush = "image:push",
        /// Delete images and tags.
        ImageDelete = "image:delete",
        /// Change the tenant's concurrency policy.
        ConcurrencyManage = "concurrency:manage",
    }
}

permissions! {
    /// What may be done to the whole installation.
    SystemPermission {
        /// See every tenant and user.
        SystemRead = "system:read",
        /// Create, suspend and archive tenants, govern capabilities and quotas.
        TenantsManage = "system:tenants",
        /// Create and disable users, grant system roles.
        UsersManage = "system:users",
        /// Pause, drain and resume dispatch; see workers and background tasks.
        OperationsManage = "system:operations",
    }
}

/// A role in the whole installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SystemRole {
    /// May do everything, in every tenant.
    SystemAdmin,
    /// Governs security across tenants.
    SecurityAdmin,
    /// Runs the installation; does not see into tenants.
    PlatformOperator,
    /// Reads all, changes nothing.
    Auditor,
}

/// A role in one tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantRole {
    /// Everything in the tenant, its owners included.
    Owner,
    /// Everything but changing owners.
    Admin,
    /// Runs and cancels builds, manages limits.
    Operator,
    /// Creates and runs builds.
    Developer,
    /// Decides on security; never creates what it decides on.
    SecurityReviewer,
    /// Sees.
    Viewer,
}

macro_rules! text {
    ($enum:ident { $($name:ident = $text:literal),+ $(,)? }) => {
        impl $enum {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As stored and sent.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }

        impl FromStr for $enum {
            type Err = crate::kernel::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|r| r.as_str() == s)
                    .ok_or_else(|| crate::kernel::Error::invalid("role.unknown", format!("there is no role {s}")))
            }
        }
    };
}

text!(SystemRole { SystemAdmin = "system_admin", SecurityAdmin = "security_admin", PlatformOperator = "platform_operator", Auditor = "auditor" });
text!(TenantRole { Owner = "owner", Admin = "admin", Operator = "operator", Developer = "developer", SecurityReviewer = "security_reviewer", Viewer = "viewer" });

impl SystemRole {
    /// Permissions on the installation.
    pub fn permissions(self) -> &'static [SystemPermission] {
        use SystemPermission as P;
        match self {
            Self::SystemAdmin => P::ALL,
            Self::SecurityAdmin | Self::Auditor => &[P::SystemRead],
            Self::PlatformOperator => &[P::SystemRead, P::OperationsManage],
        }
    }

    /// Permissions inside every tenant.
    pub fn tenant_permissions(self) -> PermissionSet {
        match self {
            Self::SystemAdmin => PermissionSet::all(),
            Self::SecurityAdmin | Self::Auditor => TenantRole::Viewer.permissions().with(Permission::AuditRead),
            Self::PlatformOperator => PermissionSet::default(),
        }
    }
}

impl TenantRole {
    /// Permissions in the tenant, or in the project it is granted on.
    pub fn permissions(self) -> PermissionSet {
        use Permission as P;
        let viewer = [P::TenantRead, P::MemberRead, P::ProjectRead, P::BuildRead, P::ImagePull, P::ApiKeyManage];
        let list = match self {
            Self::Owner | Self::Admin => P::ALL.to_vec(),
            Self::Operator => {
                [&viewer[..], &[P::BuildCreate, P::BuildCancel, P::ImagePush, P::SecretManage, P::ConcurrencyManage]]
                    .concat()
            }
            Self::Developer => [&viewer[..], &[P::BuildCreate, P::BuildCancel, P::ImagePush]].concat(),
            Self::SecurityReviewer => [&viewer[..], &[P::AuditRead]].concat(),
            Self::Viewer => viewer.to_vec(),
        };
        list.into_iter().collect()
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PermissionSet(u64);

impl PermissionSet {
    /// Every permission.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Whether it holds this one.
    pub fn has(self, p: Permission) -> bool {
        self.0 & (1 << p as u64) != 0
    }

    /// This set and one more.
    #[must_use]
    pub fn with(self, p: Permission) -> Self {
        Self(self.0 | (1 << p as u64))
    }

    /// What is in both: a key's scopes never exceed its owner's role.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// In the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |p| self.has(*p))
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(iter: I) -> Self {
        iter.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_changes_nothing() {
        let allowed = TenantRole::Viewer.permissions();
        for p in allowed.iter().filter(|p| *p != Permission::ApiKeyManage) {
            assert!(p.as_str().ends_with(":read") || p == Permission::ImagePull, "{p}");
        }
    }

    #[test]
    fn every_role_reads_back_from_its_text() {
        for role in TenantRole::ALL {
            assert_eq!(role.as_str().parse::<TenantRole>().unwrap(), *role);
        }
        for p in Permission::ALL {
            assert_eq!(p.as_str().parse::<Permission>(), Ok(*p));
        }
    }
}
