//! Tenant management: tenants, people, what they may do, projects, the audit trail.

pub mod access;
