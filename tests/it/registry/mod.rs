//! The registry as clients see it.

mod access;
mod access_log;
mod catalog;
mod collection;
mod conformance;
mod histories;
mod listings;
mod manifests;
mod memory;
mod on_s3;
mod pulling;
mod pushing;
mod replication;
mod restart;
mod retention;
mod rights;
mod robot_accounts;
mod robots;
mod tools;
mod upstreams;
