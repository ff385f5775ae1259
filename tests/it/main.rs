//! The integration tests: one binary, a folder for each context.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test spawns and waits by itself")]

mod builds;
mod contract;
mod dispatch;
mod executors;
mod house;
mod platform;
mod registry;
mod sim;
mod support;
mod tenancy;
