//! Tenants, people, projects, the audit trail: over HTTP, against a real database.

mod projects;
