//! Build orchestration: how an image is built, where that runs, and the builds themselves.

pub mod builds;
pub mod dispatch;
pub mod executors;
pub mod methods;
