//! SQL of background jobs.

use super::{Claimed, TaskStatus};
use crate::kernel::Result;
use crate::kernel::ids::{JobId, TenantId};
use sqlx::PgConnection;

pub(super) async fn insert(
    tx: &mut PgConnection,
    id: JobId,
    kind: &str,
    tenant_id: Option<TenantId>,
    payload: serde_json::Value,
) -> Result<()> {
    sqlx::query!(
        "insert into jobs (id, kind, tenant_id, payload) values ($1, $2, $3, $4)",
        id.0,
        kind,
        tenant_id.map(|t| t.0),
        payload
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn register_periodic(tx: &mut PgConnection, id: JobId, kind: &str, period_seconds: i32) -> Result<()> {
    sqlx::query!(
        "insert into jobs (id, kind, period_seconds) values ($1, $2, $3)
         on conflict (kind) where period_seconds is not null
         do update set period_seconds = excluded.period_seconds,
                       run_at = least(jobs.run_at, now() + make_interval(secs => excluded.period_seconds))",
        id.0,
        kind,
        period_seconds
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Claims and leases in one statement: due jobs, and running ones whose lease has lapsed. One whose process died at
/// its last attempt is given up, unless its kind is worked on stepwise.
pub(super) async fn claim(
    tx: &mut PgConnection,
    kinds: &[String],
    stepwise: &[String],
    owner: &str,
    lease_seconds: i32,
    limit: i64,
) -> Result<Vec<Claimed>> {
    sqlx::query!(
        "update jobs set status = 'failed', lease_owner = null, lease_expires_at = null, last_finished_at = now(),
                         last_error = 'the process died at the last attempt'
         where status = 'running' and lease_expires_at < now() and period_seconds is null
           and attempt >= max_attempts and kind = any ($1) and kind <> all ($2)",
        kinds,
        stepwise
    )
    .execute(&mut *tx)
    .await?;
    let rows = sqlx::query!(
        "update jobs set status = 'running', attempt = attempt + 1, lease_owner = $2,
                         lease_expires_at = now() + make_interval(secs => $3), last_started_at = now()
         where id in (
            select id from jobs
            where kind = any ($1) and run_at <= now()
              and (status = 'queued' or (status = 'running' and lease_expires_at < now()))
            order by run_at limit $4 for update skip locked)
         returning id, kind, payload, period_seconds, attempt, max_attempts",
        kinds,
        owner,
        f64::from(lease_seconds),
        limit
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Claimed {
            id: r.id.into(),
            kind: r.kind,
            payload: r.payload,
            period_seconds: r.period_seconds,
            attempt: r.attempt,
            max_attempts: r.max_attempts,
        })
        .collect())
}

pub(super) async fn renew(tx: &mut PgConnection, id: JobId, attempt: i32, lease_seconds: i32) -> Result<bool> {
    let done = sqlx::query!(
        "update jobs set lease_expires_at = now() + make_interval(secs => $3)
         where id = $1 and attempt = $2 and status = 'running'",
        id.0,
        attempt,
        f64::from(lease_seconds)
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Back to the queue: a periodic task after its period, a failed job after its backoff.
pub(super) async fn reschedule(
    tx: &mut PgConnection,
    id: JobId,
    attempt: i32,
    delay_seconds: f64,
    error: Option<&str>,
    duration_ms: i64,
) -> Result<()> {
    sqlx::query!(
        "update jobs set status = 'queued', lease_owner = null, lease_expires_at = null,
                         run_at = now() + make_interval(secs => $3), last_error = $4, last_finished_at = now(),
                         last_duration_ms = $5
         where id = $1 and attempt = $2 and status = 'running'",
        id.0,
        attempt,
        delay_seconds,
        error,
        duration_ms
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The end of a one-off job: done ones are deleted, failed ones are kept for operators.
pub(super) async fn finish(
    tx: &mut PgConnection,
    id: JobId,
    attempt: i32,
    error: Option<&str>,
    duration_ms: i64,
) -> Result<()> {
    if error.is_none() {
        sqlx::query!("delete from jobs where id = $1 and attempt = $2 and status = 'running'", id.0, attempt)
            .execute(tx)
            .await?;
    } else {
        sqlx::query!(
            "update jobs set status = 'failed', lease_owner = null, lease_expires_at = null, last_error = $3,
                             last_finished_at = now(), last_duration_ms = $4
             where id = $1 and attempt = $2 and status = 'running'",
            id.0,
            attempt,
            error,
            duration_ms
        )
        .execute(tx)
        .await?;
    }
    Ok(())
}

pub(super) async fn status(tx: &mut PgConnection) -> Result<Vec<TaskStatus>> {
    let rows = sqlx::query_as!(
        TaskStatus,
        r#"select kind, max(period_seconds) as period_seconds,
                  count(*) filter (where status = 'queued') as "queued!",
                  count(*) filter (where status = 'running') as "running!",
                  count(*) filter (where status = 'failed') as "failed!",
                  min(run_at) filter (where status = 'queued') as next_run_at,
                  max(last_finished_at) as last_finished_at,
                  (array_agg(last_duration_ms order by last_finished_at desc nulls last))[1] as last_duration_ms,
                  (array_agg(last_error order by last_finished_at desc nulls last)
                      filter (where last_error is not null))[1] as last_error
           from jobs group by kind order by kind"#
    )
    .fetch_all(tx)
    .await?;
    Ok(rows)
}
