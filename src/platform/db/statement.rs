//! Single statements of one tenant without a transaction around them: one round trip where a transaction costs three.
//!
//! A connection is bound to its tenant for the session, by role and `app.tenant_id`, so row security bites as in a
//! transaction; the next statement of the same tenant finds it bound already.

use super::{Db, TenantConnection};
use crate::kernel::ids::TenantId;
use crate::kernel::{Error, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a connection may rest.
const LONG: Duration = Duration::from_mins(2);

/// Connections that statements run on.
#[derive(Debug)]
pub(super) struct Statements {
    options: PgConnectOptions,
    idle: Mutex<Vec<Idle>>,
    slots: Arc<Semaphore>,
    patience: Duration,
}

/// A connection at rest.
#[derive(Debug)]
struct Idle {
    tenant_id: TenantId,
    connection: PgConnection,
    since: Instant,
}

/// A connection for statements of one tenant, each of which commits by itself. It is used again only after
/// [`Self::keep`]: one whose statement failed, or was given up halfway, is closed.
pub struct TenantStatement {
    connection: PgConnection,
    tenant_id: TenantId,
    home: Arc<Statements>,
    _slot: OwnedSemaphorePermit,
}

impl Statements {
    pub(super) fn new(options: PgConnectOptions, connections: usize, patience: Duration) -> Arc<Self> {
        let slots = Arc::new(Semaphore::new(connections));
        Arc::new(Self { options, idle: Mutex::default(), slots, patience })
    }

    /// A connection at rest: one of this tenant, else the one that has rested longest. Those that have rested for long may
    /// have been cut off by something on the way, and are let go.
    fn take(&self, tenant: TenantId) -> Option<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|c| c.since.elapsed() < LONG);
        match idle.iter().rposition(|c| c.tenant_id == tenant) {
            Some(at) => Some(idle.remove(at)),
            None if idle.is_empty() => None,
            None => Some(idle.remove(0)),
        }
    }

    pub(super) fn close(&self) {
        self.slots.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Db {
    /// A connection for single statements of the tenant.
    pub async fn statement(&self, tenant_id: TenantId) -> Result<TenantStatement> {
        let home = self.statements.clone();
        let slot = tokio::time::timeout(home.patience, home.slots.clone().acquire_owned())
            .await
            .map_err(|_| Error::from(sqlx::Error::PoolTimedOut))?
            .map_err(|e| Error::internal("statements are over").with_source(e))?;
        let (bound, mut connection) = match home.take(tenant_id) {
            Some(idle) => (Some(idle.tenant_id), idle.connection),
            None => (None, PgConnection::connect_with(&home.options).await?),
        };
        if bound != Some(tenant_id) {
            let bind = format!("set role image_factory_tenant; set app.tenant_id = '{tenant_id}'");
            // The only text in it is a UUID of ours.
            sqlx::raw_sql(sqlx::AssertSqlSafe(bind)).execute(&mut connection).await?;
        }
        Ok(TenantStatement { connection, tenant_id, home, _slot: slot })
    }
}

impl TenantStatement {
    /// The statements went well: the connection may be used again.
    pub fn keep(self) {
        let mut idle = self.home.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(Idle { tenant_id: self.tenant_id, connection: self.connection, since: Instant::now() });
    }
}

impl TenantConnection for TenantStatement {
    fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }
}

impl Deref for TenantStatement {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for TenantStatement {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
