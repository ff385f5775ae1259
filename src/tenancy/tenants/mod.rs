//! Tenants, who belongs to them, what they are entitled to, how much they may use.
//!
//! Owns `tenants`, `tenant_members`, `tenant_capabilities` and `quotas`. Publishes `tenant.created`, `tenant.updated`,
//! `member.added`, `member.role_changed`, `member.removed`, `capability.changed`, `quota.changed`.

mod api;
mod events;
mod model;
mod service;
mod store;

pub use api::routes;
pub use model::{
    AddedMember, Capability, CapabilityState, Member, Membership, NewMember, NewTenant, Quota, Tenant, TenantChange,
    TenantStatus,
};
pub use service::{Tenants, memberships, resolve};
