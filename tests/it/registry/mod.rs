//! The registry as clients see it.

mod access;
mod catalog;
mod conformance;
mod manifests;
mod memory;
mod pulling;
mod pushing;
mod restart;
mod robots;
mod tools;
