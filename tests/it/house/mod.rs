//! Rules of the house that a compiler cannot hold.

mod migrations;
mod row_security;
