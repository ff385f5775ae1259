//! The integration tests: one binary, a folder for each context.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod contract;
mod executors;
mod builds;
mod dispatch;
mod house;
mod platform;
mod sim;
mod support;
