//! Notification and communication: people, machines and browsers are told.

pub mod live;
