//! Image Factory: builds, scans, holds, releases and distributes container and VM images.
//!
//! The wings, by floor; each may use only what stands above it.

pub mod kernel;
pub mod platform;
pub mod tenancy;
pub mod images;
pub mod orchestration;

pub mod config;
pub mod app;
pub mod server;
