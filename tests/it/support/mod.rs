//! What the tests stand on.

pub mod database;

pub use database::TestDb;
