//! Image lifecycle: the OCI registry and the catalogue of what is in it.

pub mod catalog;
pub mod registry;
pub mod upstreams;
