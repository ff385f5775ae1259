//! The registry as clients see it.

mod access;
mod catalog;
mod manifests;
mod memory;
mod on_s3;
mod pulling;
mod pushing;
mod restart;
mod robots;
mod tools;
mod upstreams;
