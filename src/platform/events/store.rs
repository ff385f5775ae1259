//! SQL of the outbox.

use super::{Cursor, Event};
use crate::kernel::Result;
use crate::kernel::ids::TenantId;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub(super) async fn insert(tx: &mut PgConnection, events: &[Event]) -> Result<()> {
    let column = |of: fn(&Event) -> &str| events.iter().map(|e| of(e).to_owned()).collect::<Vec<String>>();
    let ids: Vec<Uuid> = events.iter().map(|e| e.id.0).collect();
    let tenants: Vec<Option<Uuid>> = events.iter().map(|e| e.tenant_id.map(|t| t.0)).collect();
    let projects: Vec<Option<Uuid>> = events.iter().map(|e| e.project_id.map(|p| p.0)).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|e| e.occurred_at).collect();
    let correlations: Vec<Option<String>> = events.iter().map(|e| e.correlation_id.clone()).collect();
    let versions: Vec<i32> = events.iter().map(|e| e.schema_version).collect();
    let payloads: Vec<serde_json::Value> = events.iter().map(|e| e.payload.clone()).collect();
    sqlx::query!(
        "insert into events (id, tenant_id, project_id, type, actor, subject, occurred_at, correlation_id,
                             schema_version, payload)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                              $7::timestamptz[], $8::text[], $9::int[], $10::jsonb[])",
        &ids,
        &tenants as &[Option<Uuid>],
        &projects as &[Option<Uuid>],
        &column(|e| &e.kind),
        &column(|e| &e.actor),
        &column(|e| &e.subject),
        &times,
        &correlations as &[Option<String>],
        &versions,
        &payloads,
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn after(
    tx: &mut PgConnection,
    tenant: Option<TenantId>,
    cursor: Cursor,
    limit: i64,
) -> Result<Vec<(Cursor, Event)>> {
    let rows = sqlx::query!(
        r#"select transaction_id::text as "transaction!", id, tenant_id, project_id, type as kind, actor, subject,
                  occurred_at, correlation_id, schema_version, payload
           from events
           where ($1::uuid is null or tenant_id = $1)
             and (transaction_id, id) > ($2::text::xid8, $3)
             and transaction_id < pg_snapshot_xmin(pg_current_snapshot())
           order by transaction_id, id
           limit $4"#,
        tenant.map(|t| t.0),
        cursor.transaction.to_string(),
        cursor.event_id.0,
        limit,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let event_id = r.id.into();
            let cursor = Cursor { transaction: r.transaction.parse().unwrap_or_default(), event_id };
            let event = Event {
                id: event_id,
                kind: r.kind,
                tenant_id: r.tenant_id.map(Into::into),
                project_id: r.project_id.map(Into::into),
                actor: r.actor,
                subject: r.subject,
                occurred_at: r.occurred_at,
                correlation_id: r.correlation_id,
                schema_version: r.schema_version,
                payload: r.payload,
            };
            (cursor, event)
        })
        .collect())
}

pub(super) async fn end(tx: &mut PgConnection) -> Result<Cursor> {
    let row = sqlx::query!(
        r#"select transaction_id::text as "transaction!", id from events
           where transaction_id < pg_snapshot_xmin(pg_current_snapshot())
           order by transaction_id desc, id desc limit 1"#
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map_or(Cursor::START, |r| Cursor {
        transaction: r.transaction.parse().unwrap_or_default(),
        event_id: r.id.into(),
    }))
}

pub(super) async fn purge(tx: &mut PgConnection, older_than_days: i32, limit: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from events where id in (
            select id from events where occurred_at < now() - make_interval(days => $1) limit $2)",
        older_than_days,
        limit
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// Where a consumer stands; none when it has no place yet, or one that lies behind all transactions, as after a restore.
pub(super) async fn place(tx: &mut PgConnection, consumer: &str) -> Result<Option<Cursor>> {
    let row = sqlx::query!(
        r#"select transaction_id::text as "transaction!", event_id from event_cursors
           where consumer = $1 and transaction_id < pg_snapshot_xmax(pg_current_snapshot())"#,
        consumer
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|r| Cursor { transaction: r.transaction.parse().unwrap_or_default(), event_id: r.event_id.into() }))
}

pub(super) async fn set_place(tx: &mut PgConnection, consumer: &str, at: Cursor) -> Result<()> {
    sqlx::query!(
        "insert into event_cursors (consumer, transaction_id, event_id) values ($1, $2::text::xid8, $3)
         on conflict (consumer) do update
         set transaction_id = excluded.transaction_id, event_id = excluded.event_id, updated_at = now()",
        consumer,
        at.transaction.to_string(),
        at.event_id.0
    )
    .execute(tx)
    .await?;
    Ok(())
}
