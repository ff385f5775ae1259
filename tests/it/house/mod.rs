//! Rules of the house that a compiler cannot hold.

mod access;
mod architecture;
mod dependencies;
mod docs_links;
mod migrations;
mod reference;
mod row_security;
mod source;
mod sqlx_offline;
