//! The integration tests: one binary, a folder for each context.

mod contract;
mod house;
mod support;
