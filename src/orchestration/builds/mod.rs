//! Builds: requests, states, executions, steps, logs, artifacts, results, cancel, retry.
//!
//! Owns the tables `builds`, `build_numbers`, `build_configs`, `build_triggers`, `build_executions`, `build_steps`,
//! `build_logs`, `build_metrics`, `build_artifacts`, `build_results`, `build_status_history`, `build_contexts`, and the
//! events `build.*`. What the dispatcher decides (the queue's order, limits, why a build waits) is reached through the
//! SQL functions `dispatch_*` of its migration, so this context knows none of its tables.

mod api;
mod config;
mod events;
mod model;
mod robots;
mod service;
mod store;
mod tasks;

pub use api::routes;
pub use api::types::{BuildView, ContextView, LogPage};
pub use config::Config;
pub use model::log::NewLine;
pub use model::report::StepReport;
pub use model::{
    Build, BuildStatus, GitCommit, LogLine, LogStream, NewBuild, Outcome, ResultStatus, RunRef, SourceRequest, Step,
    StepStatus,
};
pub use robots::ExecutionRobots;
pub use service::{Builds, Heartbeat, LogBatch, LogView, RegistryHost, RunInput};
pub use tasks::register;
