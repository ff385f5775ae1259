//! Replication: rules by which images of a project are pushed to another registry, or pulled from one, and their runs.
//!
//! Owns `replication_rules`, `replication_runs` and `replication_items`. Publishes `replication_rule.created`,
//! `replication_rule.updated`, `replication_rule.deleted`, `replication_run.started` and `replication_run.finished`. Follows
//! `image.pushed`.
//!
//! A run is a job that works on its items, the tags, a minute at a time, so that runs take turns. What it has come to is
//! saved with each tag; what is copied already is found again over there, so a run that was killed goes on where it was.

mod api;
mod events;
mod model;
mod service;
mod store;
mod tasks;

pub use api::routes;
pub use model::{
    Direction, ItemStatus, NewRule, ReplicationCause, ReplicationItem, ReplicationRule, ReplicationRun,
    ReplicationStatus, RuleChange,
};
pub use service::{Parts, Replication};
pub use tasks::{register, register_runs};
