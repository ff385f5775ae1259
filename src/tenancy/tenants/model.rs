//! Tenants, members, capabilities and quotas.

use crate::kernel::ids::{TenantId, UserId};
use crate::kernel::text_enum;
use crate::tenancy::access::TenantRole;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

text_enum! {
    /// Whether a tenant may be used.
    pub enum TenantStatus {
        /// In use.
        Active = "active",
        /// Its members are refused until it is active again; nothing is deleted.
        Suspended = "suspended",
        /// Out of use for good; kept for its history.
        Archived = "archived",
    }
}

impl TenantStatus {
    /// Whether members may use it.
    pub fn is_active(self) -> bool {
        self == Self::Active
    }
}

/// An organisation or a part of one; the unit of isolation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    /// Unique.
    pub id: TenantId,
    /// Unique; the first part of the names of its images. Never changes.
    pub slug: String,
    /// For people.
    pub name: String,
    /// Whether it may be used.
    pub status: TenantStatus,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// For `ETag`.
    #[serde(skip)]
    pub version: i32,
}

/// First parts of addresses that are the server's own, so that no tenant may be called so.
pub const RESERVED_SLUGS: [&str; 12] =
    ["admin", "api", "assets", "auth", "docs", "health", "metrics", "password", "profile", "ready", "signin", "v2"];

/// A tenant to make.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// `[a-z0-9-]`, 2 to 40 characters, no hyphen at either end, none of [`RESERVED_SLUGS`].
    pub slug: String,
    /// For people.
    pub name: String,
}

/// What to change of a tenant; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct TenantChange {
    /// For people.
    pub name: Option<String>,
    /// For system administrators.
    pub status: Option<TenantStatus>,
}

/// A person in a tenant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The person.
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: TenantRole,
    /// Since when.
    pub added_at: DateTime<Utc>,
}

/// A person to add to a tenant.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// Their address; whoever has none yet is added to the installation.
    pub email: String,
    /// The name of somebody new.
    pub name: String,
    /// What they may do.
    pub role: TenantRole,
}

/// A person just added.
#[derive(Debug)]
pub struct AddedMember {
    /// The person in the tenant.
    pub member: Member,
    /// For somebody new: shown once, must be changed at the first sign-in.
    pub one_time_password: Option<SecretString>,
}

/// A tenant as authentication needs it: what a person is in it.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The tenant.
    pub id: TenantId,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Whether it may be used.
    pub status: TenantStatus,
    /// None for those whom only a system role lets in.
    pub role: Option<TenantRole>,
    /// Its own limit of requests, where it has one.
    pub requests_per_second: Option<i32>,
}

impl Membership {
    /// Whether this slug or id names it.
    pub fn is(&self, selector: &str) -> bool {
        self.slug == selector || selector.parse() == Ok(self.id)
    }
}

text_enum! {
    /// What a tenant may be entitled to, apart from its members' roles.
    pub enum Capability {
        /// Build images.
        Build = "build",
        /// Ask for foreign images to be taken in.
        QuarantineRequest = "quarantine_request",
        /// Release images from quarantine.
        QuarantineRelease = "quarantine_release",
        /// Scan images on demand.
        OndemandImageScanning = "ondemand_image_scanning",
    }
}

impl Capability {
    /// Whether tenants have it when nobody has decided.
    pub fn by_default(self) -> bool {
        matches!(self, Self::Build | Self::QuarantineRelease)
    }
}

/// Whether a tenant has a capability, and why.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CapabilityState {
    /// Which.
    pub capability: Capability,
    /// Whether the tenant has it.
    pub entitled: bool,
    /// Why it was decided so; none where the default stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<DateTime<Utc>>,
}

/// How much a tenant may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Builds that wait at the same time.
    #[schema(minimum = 0)]
    pub builds_queued_max: i32,
    /// Builds that run at the same time.
    #[schema(minimum = 0)]
    pub builds_running_max: i32,
    /// Bytes in the registry, every blob counted once.
    #[schema(minimum = 0)]
    pub storage_bytes_max: i64,
    /// API requests per second; none: the server's own setting.
    #[schema(minimum = 1)]
    pub requests_per_second: Option<i32>,
    /// Days that logs and ended builds are kept.
    #[schema(minimum = 1)]
    pub retention_days: i32,
    /// For `ETag`.
    #[serde(skip)]
    pub version: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn building_is_on_and_intake_and_scanning_on_demand_are_off_by_default() {
        assert!(Capability::Build.by_default());
        assert!(!Capability::QuarantineRequest.by_default());
        assert!(!Capability::OndemandImageScanning.by_default());
    }
}
