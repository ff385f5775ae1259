//! Image lifecycle: the OCI registry, the catalogue of what is in it, and the machines that use it.

pub mod catalog;
pub mod registry;
pub mod robots;
