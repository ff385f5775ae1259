//! PostgreSQL: the pool, transactions bound to a tenant or to a system reason, migrations, the embedded server of `dev`.
//!
//! Every statement runs as one of two roles that own nothing: `image_factory_tenant` sees the rows of one tenant,
//! `image_factory_system` sees all. The role is set per transaction, so isolation is part of a store's signature.

mod config;
pub mod embedded;
mod error;
mod migrations;
mod notices;
mod statement;

pub use config::Config;
pub use error::{is_unique_violation, violated_constraint};
pub use migrations::{MIGRATOR, migrate};
pub use notices::Notices;
/// What a store takes; both kinds of transaction are one.
pub use sqlx::PgConnection;
pub use statement::TenantStatement;

use crate::kernel::ids::TenantId;
use crate::kernel::{Error, Result};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgPool, Postgres, Transaction};
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// A connection that was in use so recently is not tested before it is used again.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pool: PgPool,
    statements: Arc<statement::Statements>,
    notices: Arc<Notices>,
}

/// What sees one tenant's rows: a transaction, or a connection for single statements.
pub trait TenantConnection: DerefMut<Target = PgConnection> + Send {
    /// The tenant.
    fn tenant_id(&self) -> TenantId;
}

/// A transaction of either kind.
pub trait Tx: DerefMut<Target = PgConnection> + Send {
    /// Remembers what to notify once the transaction has committed; see [`crate::platform::events::notify`].
    fn notify(&mut self, payload: String);
}

/// A transaction that sees one tenant's rows.
pub struct TenantTx {
    tx: Transaction<'static, Postgres>,
    after: After,
    tenant_id: TenantId,
}

/// A transaction that sees all rows; for dispatch, jobs, sign-in and administration.
pub struct SystemTx {
    tx: Transaction<'static, Postgres>,
    after: After,
}

/// What happens after the commit.
struct After {
    payloads: BTreeSet<String>,
    notices: Arc<Notices>,
}

impl After {
    async fn commit(self, tx: Transaction<'static, Postgres>) -> Result<()> {
        tx.commit().await?;
        self.notices.put(self.payloads);
        Ok(())
    }
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
            .test_before_acquire(false)
            .before_acquire(|connection, known| {
                Box::pin(async move {
                    if known.idle_for > TRUSTED_FOR {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options.clone());
        let statements = statement::Statements::new(options, for_statements as usize, patience);
        Ok(Self { pool, statements, notices: Arc::default() })
    }

    /// Opens a transaction that sees the tenant's rows alone.
    pub async fn tenant(&self, tenant_id: TenantId) -> Result<TenantTx> {
        let begin = format!("begin; set local role image_factory_tenant; set local app.tenant_id = '{tenant_id}'");
        // The only text in it is a UUID of ours.
        let tx = self.pool.begin_with(sqlx::AssertSqlSafe(begin)).await?;
        Ok(TenantTx { tx, after: self.after(), tenant_id })
    }

    /// Opens a transaction that sees all tenants. The reason shows up in traces.
    pub async fn system(&self, reason: &'static str) -> Result<SystemTx> {
        tracing::trace!(reason, "system transaction");
        let tx = self.pool.begin_with("begin; set local role image_factory_system").await?;
        Ok(SystemTx { tx, after: self.after() })
    }

    fn after(&self) -> After {
        After { payloads: BTreeSet::new(), notices: self.notices.clone() }
    }

    /// What committed transactions have left to be sent.
    pub(in crate::platform) fn notices(&self) -> &Notices {
        &self.notices
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
        self.after.commit(self.tx).await
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
        self.after.commit(self.tx).await
    }

    /// Becomes the view of one tenant, in the same transaction.
    pub async fn into_tenant(mut self, tenant_id: TenantId) -> Result<TenantTx> {
        let switch = format!("set local role image_factory_tenant; set local app.tenant_id = '{tenant_id}'");
        sqlx::raw_sql(sqlx::AssertSqlSafe(switch)).execute(&mut *self.tx).await?;
        Ok(TenantTx { tx: self.tx, after: self.after, tenant_id })
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
        impl Tx for $tx {
            fn notify(&mut self, payload: String) {
                self.after.payloads.insert(payload);
            }
        }
    )+};
}
connection!(TenantTx, SystemTx);
