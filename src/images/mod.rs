//! Image lifecycle: the OCI registry, the catalogue of what is in it, and the registries that it is a cache of.

pub mod catalog;
pub mod registry;
pub mod upstreams;
