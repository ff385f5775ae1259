//! PostgreSQL: the pool, transactions bound to a tenant or to a system reason, migrations, the embedded server of `dev`.
//!
//! Every statement runs as one of two roles that own nothing: `image_factory_tenant` sees the rows of one tenant,
//! `image_factory_system` sees all. The role is set per transaction, so isolation is part of a store's signature.

mod config;
pub mod embedded;
mod error;
mod migrations;
mod statement;

pub use config::Config;
pub use error::{is_unique_violation, violated_constraint};
pub use migrations::{MIGRATOR, migrate};
/// What a store takes; both kinds of transaction are one.
pub use sqlx::PgConnection;
pub use statement::TenantStatement;

use crate::kernel::ids::TenantId;
use crate::kernel::{Error, Result};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Postgres, Transaction};
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pool: PgPool,
    statements: Arc<statement::Statements>,
}

/// What sees one tenant's rows: a transaction, or a connection for single statements.
pub trait TenantConnection: DerefMut<Target = PgConnection> + Send {
    /// The tenant.
    fn tenant_id(&self) -> TenantId;
}

/// A transaction that sees one tenant's rows.
pub struct TenantTx {
    tx: Transaction<'static, Postgres>,
    tenant_id: TenantId,
}

/// A transaction that sees all rows; for dispatch, jobs, sign-in and administration.
pub struct SystemTx {
    tx: Transaction<'static, Postgres>,
}

impl Db {
    /// A pool that connects when first used, so that a server listens before its database answers.
    pub fn connect_lazy(config: &Config) -> Result<Self> {
        let options = PgConnectOptions::from_str(&config.url)
            .map_err(|e| Error::invalid("config.invalid", "database.url is not a PostgreSQL address").with_source(e))?
            .application_name("image-factory");
        let patience = Duration::from_secs(config.acquire_timeout_seconds);
        // A quarter of the connections runs single statements, the rest transactions.
        let for_statements = (config.max_connections / 4).max(1);
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections.saturating_sub(for_statements).max(1))
            .acquire_timeout(patience)
            .connect_lazy_with(options.clone());
        let statements = statement::Statements::new(options, for_statements as usize, patience);
        Ok(Self { pool, statements })
    }

    /// Opens a transaction that sees the tenant's rows alone.
    pub async fn tenant(&self, tenant_id: TenantId) -> Result<TenantTx> {
        let begin = format!("begin; set local role image_factory_tenant; set local app.tenant_id = '{tenant_id}'");
        // The only text in it is a UUID of ours.
        let tx = self.pool.begin_with(sqlx::AssertSqlSafe(begin)).await?;
        Ok(TenantTx { tx, tenant_id })
    }

    /// Opens a transaction that sees all tenants. The reason shows up in traces.
    pub async fn system(&self, reason: &'static str) -> Result<SystemTx> {
        tracing::trace!(reason, "system transaction");
        let tx = self.pool.begin_with("begin; set local role image_factory_system").await?;
        Ok(SystemTx { tx })
    }

    /// The pool, for listeners and migrations.
    pub(in crate::platform) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Whether the database answers and has every migration of this binary.
    pub async fn check(&self) -> Result<()> {
        migrations::check(&self.pool).await
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
        self.statements.close();
    }
}

impl TenantTx {
    /// The tenant whose rows this transaction sees.
    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// Makes it durable.
    pub async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }
}

impl TenantConnection for TenantTx {
    fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }
}

impl SystemTx {
    /// Makes it durable.
    pub async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }

    /// Becomes the view of one tenant, in the same transaction.
    pub async fn into_tenant(mut self, tenant_id: TenantId) -> Result<TenantTx> {
        let switch = format!("set local role image_factory_tenant; set local app.tenant_id = '{tenant_id}'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(switch)).execute(&mut *self.tx).await?;
        Ok(TenantTx { tx: self.tx, tenant_id })
    }
}

macro_rules! connection {
    ($($tx:ty),+) => {$(
        impl Deref for $tx {
            type Target = PgConnection;
            fn deref(&self) -> &PgConnection {
                &self.tx
            }
        }
        impl DerefMut for $tx {
            fn deref_mut(&mut self) -> &mut PgConnection {
                &mut self.tx
            }
        }
    )+};
}
connection!(TenantTx, SystemTx);
