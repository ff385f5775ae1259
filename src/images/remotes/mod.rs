//! Other registries: their addresses, and a client that pulls from them and pushes to them.

mod client;
mod config;
mod lists;
mod model;
mod uploads;

pub use client::{Client, Fetched, Purpose, Remote};
pub use config::Config;
pub use model::{Login, parse_url};
