//! Database failures in the service's own words.

use crate::kernel::{Error, Kind};
use std::time::Duration;

/// Failures that pass by themselves become 503; the rest are defects. Contexts map the constraints they name
/// before this applies.
impl From<sqlx::Error> for Error {
    fn from(e: sqlx::Error) -> Self {
        let passing = match &e {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => true,
            // 08: connection, 53: resources, 57P: shutdown, 40: serialisation and deadlock
            sqlx::Error::Database(d) => d.code().is_some_and(|c| {
                c.starts_with("08") || c.starts_with("53") || c.starts_with("57P") || c.starts_with("40")
            }),
            _ => false,
        };
        if passing {
            Error::new(Kind::Unavailable, "database.unavailable", "the database does not answer; try again")
                .with_retry_after(Duration::from_secs(2))
                .with_source(e)
        } else {
            Error::internal("a database statement failed").with_source(e)
        }
    }
}

/// The name of the constraint that a statement violated, where one did.
pub fn violated_constraint(e: &sqlx::Error) -> Option<&str> {
    e.as_database_error().and_then(|d| d.constraint())
}

/// Whether the statement violated this unique constraint or index.
pub fn is_unique_violation(e: &sqlx::Error, constraint: &str) -> bool {
    e.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
        && violated_constraint(e) == Some(constraint)
}
