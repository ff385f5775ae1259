//! Machinery without product nouns: database, events, jobs, storage, HTTP, telemetry.

pub mod db;
pub mod events;
pub mod http;
pub mod jobs;
pub mod storage;
pub mod tasks;
pub mod telemetry;
