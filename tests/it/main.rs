//! The integration tests: one binary, a folder for each context.

mod house;
mod support;
