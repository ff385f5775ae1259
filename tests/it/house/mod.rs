//! Rules of the house that a compiler cannot hold.

mod dependencies;
mod migrations;
mod row_security;
mod sqlx_offline;
