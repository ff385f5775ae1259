//! The integration tests: one binary, a module per use case.

mod contract;
mod executors;
