//! Image Factory: builds, scans, holds, releases and distributes container and VM images.
//!
//! The wings, by floor; each may use only what stands above it.

pub mod kernel; // shared words, no I/O
pub mod platform; // machinery without product nouns
pub mod tenancy; // tenants, people, what they may do, projects, the audit trail
pub mod images; // the OCI registry, the catalogue of what is in it, caches of other registries
pub mod orchestration; // how images are built, where, and the builds themselves
pub mod communication; // who is told: live streams

pub mod config; // every setting; the only reader of the environment
pub mod app; // composition root: the only file that knows everybody
pub mod server; // routes, middleware, the OpenAPI document
pub mod cli; // the command line: server, administration, client
