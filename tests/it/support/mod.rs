//! What the tests stand on.

pub mod app;
pub mod database;

pub use app::{Client, PASSWORD, Reply, Tenant, TestApp};
pub use database::TestDb;
