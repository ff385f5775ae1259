//! The registry as clients see it.

mod access;
mod catalog;
mod collection;
mod histories;
mod manifests;
mod memory;
mod pulling;
mod pushing;
mod restart;
mod retention;
mod robots;
mod tools;
