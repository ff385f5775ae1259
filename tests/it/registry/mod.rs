//! The registry as clients see it.

mod access;
mod catalog;
mod manifests;
mod pulling;
mod pushing;
mod restart;
mod robots;
mod tools;
