//! What the tests stand on.

pub mod api;
pub mod database;
pub mod programs;
pub mod server;

pub use database::TestDb;
