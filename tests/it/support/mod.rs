//! What the tests stand on.

pub mod api;
pub mod app;
pub mod database;
pub mod hub;
pub mod programs;
pub mod reference;
pub mod s3;
pub mod server;

pub use app::{Client, PASSWORD, Reply, Tenant, TestApp};
pub use database::TestDb;
