//! SQL of the outbox.

use super::{Cursor, Event};
use crate::kernel::Result;
use crate::kernel::ids::TenantId;
use sqlx::PgConnection;

pub(super) async fn insert(tx: &mut PgConnection, e: &Event) -> Result<()> {
    sqlx::query!(
        "insert into events (id, tenant_id, project_id, type, actor, subject, occurred_at, correlation_id,
                             schema_version, payload)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        e.id.0,
        e.tenant_id.map(|t| t.0),
        e.project_id.map(|p| p.0),
        e.kind,
        e.actor,
        e.subject,
        e.occurred_at,
        e.correlation_id,
        e.schema_version,
        e.payload,
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
