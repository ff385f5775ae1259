//! Who did what, written in the transaction that did it.
//!
//! Owns `audit_events` and `audit_chains`. Every tenant has a chain of its own, and the installation has one: each row
//! carries the hash of the row before it, so a row that was changed, removed or cut off shows in [`verify`].
//! Rows are append-only by grant and by trigger.

mod api;
mod model;
mod service;
mod store;

pub use api::routes;
pub use model::{AuditEvent, ChainFault, ChainReport, Entry, Filters, Verification};
pub use service::{Audit, record, verify};
