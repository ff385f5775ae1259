//! Image lifecycle: the OCI registry, the catalogue of what is in it, the machines that use it, and the registries that it is a
//! cache of.

pub mod catalog;
pub mod registry;
pub mod robots;
pub mod upstreams;
