//! Who may do what. Pure: roles are sets of permissions, a [`Caller`] carries what was granted, and every use case asks it.
//!
//! Owns no tables: roles of people are rows of `tenants` (tenant roles), `projects` (project roles) and `identity`
//! (system roles).

mod api;
mod caller;
mod model;

pub use caller::{Caller, RequestInfo, TenantGrant};
pub use model::{Permission, PermissionSet, SystemPermission, SystemRole, TenantRole};
