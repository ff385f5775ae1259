//! The integration tests: one binary, a module per use case.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

mod contract;
mod executors;
