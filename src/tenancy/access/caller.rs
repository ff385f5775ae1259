//! The caller of a use case: who, with what grants, in which tenant.

use super::{Permission, PermissionSet, SystemPermission, SystemRole};
use crate::kernel::ids::{ProjectId, TenantId, UserId};
use crate::kernel::{Actor, Error, Fault, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Where a request came from; for the audit trail.
#[derive(Debug, Clone, Default)]
pub struct RequestInfo {
    /// The peer's address.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` header, cut to 256 characters.
    pub user_agent: Option<String>,
    /// The request id.
    pub request_id: Option<String>,
}

/// What the caller may do in the tenant that the request selects.
#[derive(Debug, Clone)]
pub struct TenantGrant {
    /// The tenant.
    pub id: TenantId,
    /// Its slug.
    pub slug: String,
    /// Permissions in all of the tenant.
    pub permissions: PermissionSet,
    /// Further permissions in single projects.
    pub projects: BTreeMap<ProjectId, PermissionSet>,
    /// The projects that the person belongs to, whatever the credential limits; `None` means all of them, for those who
    /// manage the tenant's members and those whose system role sees into it.
    pub member_of: Option<BTreeSet<ProjectId>>,
    /// The most that the credential carries of what is granted on single things: everything, or an API key's scopes.
    pub scopes: PermissionSet,
    /// The only project in which the credential works, where it is limited to one.
    pub only_project: Option<ProjectId>,
}

/// Whoever asks, after authentication. Made once per request; every check on it is pure.
#[derive(Debug, Clone)]
pub struct Caller {
    /// For audit and events.
    pub actor: Actor,
    /// The person, also behind an API key.
    pub user_id: Option<UserId>,
    /// Roles in the whole installation.
    pub system_roles: Vec<SystemRole>,
    /// The tenant that the request selects (`X-Tenant-ID`, an API key's own, or the only one of the caller).
    pub tenant: Option<TenantGrant>,
    /// Where the request came from.
    pub request: RequestInfo,
}

impl Caller {
    /// The service itself: may do everything in a tenant, or in the installation when none is given.
    pub fn system(part: &str, tenant: Option<(TenantId, String)>) -> Self {
        Self {
            actor: Actor::system(part),
            user_id: None,
            system_roles: vec![SystemRole::SystemAdmin],
            tenant: tenant.map(|(id, slug)| TenantGrant {
                id,
                slug,
                permissions: PermissionSet::all(),
                projects: BTreeMap::new(),
                member_of: None,
                scopes: PermissionSet::all(),
                only_project: None,
            }),
            request: RequestInfo::default(),
        }
    }

    /// The tenant of the request.
    pub fn tenant(&self) -> Result<&TenantGrant> {
        self.tenant.as_ref().ok_or_else(|| {
            let fault = Fault::new("X-Tenant-ID", "required", "name the tenant: you belong to none or to several");
            Error::faults(vec![fault])
        })
    }

    /// Whether the caller has the permission in all of the selected tenant.
    pub fn has(&self, permission: Permission) -> bool {
        self.tenant.as_ref().is_some_and(|t| t.permissions.has(permission))
    }

    /// The tenant, when the caller has the permission in all of it.
    pub fn require(&self, permission: Permission) -> Result<TenantId> {
        let tenant = self.tenant()?;
        if tenant.permissions.has(permission) { Ok(tenant.id) } else { Err(denied(permission.as_str())) }
    }

    /// The tenant, when the caller has the permission in this project.
    pub fn require_in(&self, permission: Permission, project: ProjectId) -> Result<TenantId> {
        let tenant = self.tenant()?;
        if self.has_in(permission, project) { Ok(tenant.id) } else { Err(denied(permission.as_str())) }
    }

    /// Whether the caller has the permission in this project of the selected tenant.
    pub fn has_in(&self, permission: Permission, project: ProjectId) -> bool {
        self.tenant.as_ref().is_some_and(|t| {
            t.permissions.has(permission) || t.projects.get(&project).is_some_and(|p| p.has(permission))
        })
    }

    /// The refusal of somebody who lacks a permission.
    pub fn refusal(permission: Permission) -> Error {
        denied(permission.as_str())
    }

    /// Whether the person belongs to this project of the selected tenant.
    pub fn belongs_to(&self, project: ProjectId) -> bool {
        self.tenant.as_ref().is_some_and(|t| t.member_of.as_ref().is_none_or(|all| all.contains(&project)))
    }

    /// Whether the credential carries this permission where the person has it on a single thing of the project.
    pub fn carries(&self, permission: Permission, project: ProjectId) -> bool {
        self.tenant
            .as_ref()
            .is_some_and(|t| t.scopes.has(permission) && t.only_project.is_none_or(|only| only == project))
    }

    /// Which projects of the selected tenant the permission covers: `None` means all of them.
    pub fn projects_with(&self, permission: Permission) -> Result<Option<Vec<ProjectId>>> {
        let tenant = self.tenant()?;
        if tenant.permissions.has(permission) {
            return Ok(None);
        }
        let some: Vec<_> = tenant.projects.iter().filter(|(_, p)| p.has(permission)).map(|(id, _)| *id).collect();
        if some.is_empty() { Err(denied(permission.as_str())) } else { Ok(Some(some)) }
    }

    /// Checks a permission on the installation.
    pub fn require_system(&self, permission: SystemPermission) -> Result<()> {
        let has = self.system_roles.iter().any(|r| r.permissions().contains(&permission));
        if has { Ok(()) } else { Err(denied(permission.as_str())) }
    }
}

fn denied(permission: &str) -> Error {
    metrics::counter!("image_factory_access_denied_total").increment(1);
    Error::forbidden("access.denied", format!("this needs the permission {permission}"))
}
