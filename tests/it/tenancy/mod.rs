//! Tenants, people, projects, the audit trail: over HTTP, against a real database.

mod api_keys;
mod audit;
mod passwords;
mod projects;
mod registry_callers;
mod requests;
mod roles;
mod sessions;
mod tenants;
mod throttling;
mod users;
