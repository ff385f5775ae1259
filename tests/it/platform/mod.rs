//! Machinery without product nouns.

mod embedded_database;
mod statements;
mod web_app;
