//! Machinery without product nouns.

mod embedded_database;
mod statements;
