//! Machinery without product nouns.

mod embedded_database;
mod s3;
mod statements;
mod web_app;
