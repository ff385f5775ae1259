//! Tenant management: tenants, people, what they may do, projects, the audit trail.

pub mod access;
pub mod audit;
pub mod identity;
pub mod projects;
pub mod tenants;
