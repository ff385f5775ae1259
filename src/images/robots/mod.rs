//! Robot accounts: machines of a tenant at the registry, with rights of their own on repositories that match a pattern.
//!
//! Owns `robot_accounts`. Publishes `robot_account.created`, `robot_account.updated`, `robot_account.secret_rotated` and
//! `robot_account.deleted`. The registry asks for them through its `RobotGate`. Not to be confused with the robots of
//! running builds, which `orchestration::builds` knows.

mod api;
mod events;
mod model;
mod service;
mod store;

pub use api::routes;
pub use model::{NewRobot, RobotAccount, RobotChange, RobotCreated};
pub use service::Robots;
