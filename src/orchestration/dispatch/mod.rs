//! Dispatch: claims queued builds fairly, supervises their runs, rescues them after a crash.
//!
//! Owns the tables `build_concurrency_policies`, `dispatch_tenants`, `dispatch_lanes`, `build_workers` and `dispatcher`,
//! and the SQL functions `claim_builds` and `dispatch_*`. The queue itself is `builds.status = 'queued'`. The claim is the
//! one statement that touches rows of two contexts, because it must: it takes the build, counts it against the limits and
//! writes execution and lease at once, so there is no gap in which a crash could strand a build.

mod api;
mod config;
mod dispatcher;
mod model;
mod progress;
mod service;
mod store;
mod supervisor;
mod tasks;
mod worker;

pub use api::routes;
pub use config::Config;
pub use dispatcher::Dispatcher;
pub use model::{ConcurrencyPolicy, Mode};
pub use service::Dispatch;
pub use tasks::register;
pub use worker::{Worker, identity};
