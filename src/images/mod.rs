//! Image lifecycle: the OCI registry, the catalogue of what is in it, the machines that use it, the registries that it is a
//! cache of, and those that images are copied from and to.

pub mod catalog;
pub mod registry;
pub mod remotes;
pub mod replication;
pub mod robots;
pub mod upstreams;
