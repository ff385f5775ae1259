//! The transactional outbox. A fact is published in the transaction that makes it true; readers follow it in commit
//! order. Signals wake them: a signal is a hint, the table is the truth.
//!
//! Order: rows are read by `(transaction, id)` below the oldest transaction still running. A row can therefore never
//! appear behind a reader's position, though ids and transactions commit out of order.

mod signals;
mod store;

pub use signals::{Signal, Signals, Topic, notify};

use crate::kernel::ids::{EventId, ProjectId, TenantId};
use crate::kernel::{Actor, Clock, Error, Result};
use crate::platform::db::{Db, Tx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// Most events deleted in one transaction.
const PURGE_BATCH: i64 = 10_000;

/// A fact, as it is published and as it is sent to subscribers.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Unique; deliveries may repeat, ids do not.
    pub id: EventId,
    /// Past tense with its context, such as `build.finished`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The tenant it happened in; none for facts of the whole installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// The project it happened in, where there is one; decides who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// Who caused it: `user:<id>`, `api_key:<id>`, `execution:<id>`, `system:<part>`.
    pub actor: String,
    /// What it is about: `build:<id>`.
    pub subject: String,
    /// When it became true.
    pub occurred_at: DateTime<Utc>,
    /// The request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Version of the payload's shape for this type.
    pub schema_version: i32,
    /// The details; the shape depends on the type.
    pub payload: serde_json::Value,
}

impl Event {
    /// A fact that became true now.
    pub fn new(
        clock: &Clock,
        kind: &'static str,
        tenant_id: Option<TenantId>,
        actor: &Actor,
        subject: impl Into<String>,
        payload: serde_json::Value,
    ) -> Self {
        Self {
            id: EventId::new(),
            kind: kind.to_owned(),
            tenant_id,
            project_id: None,
            actor: actor.to_string(),
            subject: subject.into(),
            occurred_at: clock.now(),
            correlation_id: crate::platform::http::request_id::current(),
            schema_version: 1,
            payload,
        }
    }

    /// The same fact, in a project.
    #[must_use]
    pub fn in_project(mut self, project_id: ProjectId) -> Self {
        self.project_id = Some(project_id);
        self
    }
}

/// A reader's position. Shown and parsed as `<transaction>-<event id>`; the `Last-Event-ID` of the event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    transaction: u64,
    event_id: EventId,
}

impl Cursor {
    /// Before every event.
    pub const START: Self = Self { transaction: 0, event_id: EventId(uuid::Uuid::nil()) };
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.transaction, self.event_id)
    }
}

impl FromStr for Cursor {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        s.split_once('-')
            .and_then(|(t, id)| Some(Self { transaction: t.parse().ok()?, event_id: id.parse().ok()? }))
            .ok_or_else(|| Error::malformed("event.cursor", "take the position from the id of an event"))
    }
}

/// Publishes a fact in the caller's transaction; subscribers hear of it when that has committed.
pub async fn publish(tx: &mut impl Tx, event: &Event) -> Result<()> {
    publish_all(tx, std::slice::from_ref(event)).await
}

/// Publishes facts by one statement.
pub async fn publish_all(tx: &mut impl Tx, events: &[Event]) -> Result<()> {
    store::insert(tx, events).await?;
    notify(tx, Topic::Events, "");
    Ok(())
}

/// Reads the outbox.
#[derive(Debug, Clone)]
pub struct Events {
    db: Db,
}

impl Events {
    /// A reader of this database's outbox.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Up to `limit` events after the cursor, with the position after each; of one tenant, or of all.
    pub async fn after(&self, tenant: Option<TenantId>, cursor: Cursor, limit: i64) -> Result<Vec<(Cursor, Event)>> {
        match tenant {
            Some(id) => {
                let mut tx = self.db.tenant(id).await?;
                store::after(&mut tx, Some(id), cursor, limit).await
            }
            None => {
                let mut tx = self.db.system("read events").await?;
                store::after(&mut tx, None, cursor, limit).await
            }
        }
    }

    /// The position after the newest readable event: where a subscriber without a position starts.
    pub async fn end(&self) -> Result<Cursor> {
        let mut tx = self.db.system("end of events").await?;
        store::end(&mut tx).await
    }

    /// The next events of a durable consumer, at most `limit`, and the place behind them, for [`Self::done`]. It begins
    /// behind what had happened when it first asked, or when the database was restored. One process may ask at a time.
    pub async fn next(&self, consumer: &'static str, limit: i64) -> Result<(Vec<Event>, Option<Cursor>)> {
        let mut tx = self.db.system("read events for a consumer").await?;
        let Some(cursor) = store::place(&mut tx, consumer).await? else {
            let end = store::end(&mut tx).await?;
            store::set_place(&mut tx, consumer, end).await?;
            tx.commit().await?;
            return Ok((Vec::new(), None));
        };
        let rows = store::after(&mut tx, None, cursor, limit).await?;
        let last = rows.last().map(|(at, _)| *at);
        Ok((rows.into_iter().map(|(_, event)| event).collect(), last))
    }

    /// A consumer has made of the events before this place what it had to. Killed before, it is given them again.
    pub async fn done(&self, consumer: &'static str, place: Cursor) -> Result<()> {
        let mut tx = self.db.system("move a consumer's place").await?;
        store::set_place(&mut tx, consumer, place).await?;
        tx.commit().await
    }

    /// Deletes events older than so many days.
    pub async fn purge(&self, older_than_days: i32) -> Result<u64> {
        let mut purged = 0;
        loop {
            let mut tx = self.db.system("purge events").await?;
            let n = store::purge(&mut tx, older_than_days, PURGE_BATCH).await?;
            tx.commit().await?;
            purged += n;
            if n < PURGE_BATCH.cast_unsigned() {
                return Ok(purged);
            }
        }
    }
}
