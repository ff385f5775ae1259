//! `storage_runs`.

use crate::images::registry::model::{RunKind, StorageRun};
use crate::kernel::ids::StorageRunId;
use crate::kernel::{Error, Result};
use crate::platform::db::{SystemTx, is_unique_violation};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

struct Row {
    id: Uuid,
    kind: String,
    dry_run: bool,
    status: String,
    started_by: String,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    counts: Value,
    report: Value,
    error: Option<String>,
    cursor: Option<Value>,
}

impl TryFrom<Row> for StorageRun {
    type Error = Error;
    fn try_from(r: Row) -> Result<Self> {
        Ok(Self {
            id: r.id.into(),
            kind: r.kind.parse()?,
            dry_run: r.dry_run,
            status: r.status.parse()?,
            started_by: r.started_by,
            created_at: r.created_at,
            started_at: r.started_at,
            finished_at: r.finished_at,
            counts: serde_json::from_value(r.counts)?,
            report: serde_json::from_value(r.report)?,
            error: r.error,
        })
    }
}

/// Queues a run. Conflict while one like it is queued or running.
pub async fn insert(tx: &mut SystemTx, run: &StorageRun) -> Result<()> {
    sqlx::query!(
        "insert into storage_runs (id, kind, dry_run, status, started_by, created_at, counts, report)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        run.id.0,
        run.kind.as_str(),
        run.dry_run,
        run.status.as_str(),
        run.started_by,
        run.created_at,
        serde_json::to_value(run.counts)?,
        serde_json::to_value(&run.report)?
    )
    .execute(&mut **tx)
    .await
    .map_err(|e| {
        if is_unique_violation(&e, "storage_runs_open") {
            Error::conflict("storage_run.exists", "a run like this is queued or running already")
        } else {
            e.into()
        }
    })?;
    Ok(())
}

/// The run that is to be carried on, and where: the one that runs, or the one that has waited longest.
pub async fn next(tx: &mut SystemTx, kind: RunKind) -> Result<Option<(StorageRun, Option<Value>)>> {
    let row = sqlx::query_as!(
        Row,
        "select id, kind, dry_run, status, started_by, created_at, started_at, finished_at, counts, report, error, cursor
         from storage_runs where kind = $1 and status in ('queued', 'running') order by status desc, id limit 1",
        kind.as_str()
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|mut r| {
        let cursor = r.cursor.take();
        Ok((r.try_into()?, cursor))
    })
    .transpose()
}

/// Saves how far a run is.
pub async fn save(tx: &mut SystemTx, run: &StorageRun, cursor: Option<Value>) -> Result<()> {
    sqlx::query!(
        "update storage_runs set status = $2, started_at = $3, finished_at = $4, counts = $5, report = $6, cursor = $7,
                                 failures = 0, error = null
         where id = $1",
        run.id.0,
        run.status.as_str(),
        run.started_at,
        run.finished_at,
        serde_json::to_value(run.counts)?,
        serde_json::to_value(&run.report)?,
        cursor
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An attempt did not get on; after so many without progress the run is given up.
pub async fn failed(
    tx: &mut SystemTx,
    id: StorageRunId,
    error: &str,
    give_up_after: i32,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update storage_runs
         set failures = failures + 1, error = $2,
             status = case when failures + 1 >= $3 then 'failed' else status end,
             finished_at = case when failures + 1 >= $3 then $4::timestamptz end
         where id = $1",
        id.0,
        error,
        give_up_after,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether it is time for a run: none was asked for since, and none is open. Dry runs do not count.
pub async fn due(tx: &mut SystemTx, kind: RunKind, since: DateTime<Utc>) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select not exists (select from storage_runs
                              where kind = $1 and not dry_run
                                and (created_at > $2 or status in ('queued', 'running'))) as "due!""#,
        kind.as_str(),
        since
    )
    .fetch_one(&mut **tx)
    .await?)
}

/// Forgets runs that ended before a time.
pub async fn purge(tx: &mut SystemTx, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!("delete from storage_runs where finished_at < $1", before).execute(&mut **tx).await?;
    Ok(())
}

/// Newest first.
pub async fn list(tx: &mut SystemTx, after: Option<Uuid>, limit: i64) -> Result<Vec<StorageRun>> {
    sqlx::query_as!(
        Row,
        "select id, kind, dry_run, status, started_by, created_at, started_at, finished_at, counts, report, error, cursor
         from storage_runs where $1::uuid is null or id < $1 order by id desc limit $2",
        after,
        limit
    )
    .fetch_all(&mut **tx)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

pub async fn get(tx: &mut SystemTx, id: StorageRunId) -> Result<Option<StorageRun>> {
    sqlx::query_as!(
        Row,
        "select id, kind, dry_run, status, started_by, created_at, started_at, finished_at, counts, report, error, cursor
         from storage_runs where id = $1",
        id.0
    )
    .fetch_optional(&mut **tx)
    .await?
    .map(TryInto::try_into)
    .transpose()
}
