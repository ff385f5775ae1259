//! Build orchestration: how an image is built, where it runs, and when.

pub mod executors;
pub mod methods;
