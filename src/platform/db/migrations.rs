//! Migrations: forward only, applied under an advisory lock, never edited once landed.

use crate::kernel::{Error, Result};
use crate::platform::db::Db;
use sqlx::PgPool;
use sqlx::migrate::Migrator;

/// Every migration of this binary.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Applies what is missing. Safe to run from several processes at once.
pub async fn migrate(db: &Db) -> Result<()> {
    MIGRATOR.run(db.pool()).await.map_err(|e| Error::internal("the migrations do not apply").with_source(e))
}

/// Whether the database answers and has every migration of this binary.
pub(super) async fn check(pool: &PgPool) -> Result<()> {
    let applied: Vec<i64> =
        sqlx::query_scalar("select version from _sqlx_migrations where success").fetch_all(pool).await?;
    match MIGRATOR.iter().find(|m| !applied.contains(&m.version)) {
        None => Ok(()),
        Some(m) => Err(Error::unavailable(
            "database.migrations_missing",
            format!("migration {} is not applied: run `image-factory migrate`", m.version),
        )),
    }
}
