//! SQL of log chunks and steps.

use crate::kernel::Result;
use crate::kernel::ids::{BuildId, TenantId};
use crate::orchestration::builds::model::{LogLine, RunRef, Step, StepStatus, log};
use crate::platform::db::Tx;
use crate::platform::events::{Topic, notify};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// The number after the last stored line of the build.
pub async fn next_line(tx: &mut PgConnection, tenant: TenantId, build: BuildId) -> Result<i64> {
    let last = sqlx::query_scalar!(
        "select last_line from build_logs where tenant_id = $1 and build_id = $2 order by first_line desc limit 1",
        tenant.0,
        build.0
    )
    .fetch_optional(tx)
    .await?;
    Ok(last.unwrap_or(0) + 1)
}

/// A chunk, compressed.
pub struct Chunk {
    /// Number of its first line.
    pub first_line: i64,
    /// Number of its last line.
    pub last_line: i64,
    /// Time of its first line.
    pub first_time: DateTime<Utc>,
    /// Size before compression.
    pub raw_bytes: i32,
    /// See [`log::encode`].
    pub content: Vec<u8>,
}

/// Holds the execution against an end by somebody else until the transaction ends. False: it is not running any more.
pub async fn hold(tx: &mut PgConnection, run: &RunRef) -> Result<bool> {
    Ok(sqlx::query!(
        "select id from build_executions where tenant_id = $1 and id = $2 and status = 'running' for share",
        run.tenant_id.0,
        run.execution_id.0
    )
    .fetch_optional(tx)
    .await?
    .is_some())
}

/// Stores a chunk and wakes the readers.
pub async fn insert(tx: &mut PgConnection, run: &RunRef, c: &Chunk) -> Result<()> {
    sqlx::query!(
        "insert into build_logs (tenant_id, build_id, execution_id, first_line, last_line, line_count, logged_at,
                                 raw_bytes, log_content)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         -- The same again, when the answer to a commit was lost: only the holder of the execution writes here.
         on conflict (tenant_id, build_id, first_line) do nothing",
        run.tenant_id.0,
        run.build_id.0,
        run.execution_id.0,
        c.first_line,
        c.last_line,
        i32::try_from(c.last_line - c.first_line + 1).unwrap_or(i32::MAX),
        c.first_time,
        c.raw_bytes,
        c.content
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Wakes the readers of a build's log.
pub fn wake(tx: &mut impl Tx, build: BuildId) {
    notify(tx, Topic::Log, &build.to_string());
}

/// Lines after a line number: whole chunks, at least one where there are any, until `at_least` lines are together.
pub async fn after(
    tx: &mut PgConnection,
    tenant: TenantId,
    build: BuildId,
    line: i64,
    at_least: usize,
) -> Result<Vec<LogLine>> {
    let mut lines: Vec<LogLine> = Vec::new();
    let mut from = line;
    while lines.len() < at_least {
        let rows = sqlx::query!(
            "select l.first_line, l.last_line, l.logged_at, l.raw_bytes, l.log_content, e.attempt
             from build_logs l join build_executions e on e.tenant_id = l.tenant_id and e.id = l.execution_id
             where l.tenant_id = $1 and l.build_id = $2
               and l.first_line >= coalesce((select first_line from build_logs
                                             where tenant_id = $1 and build_id = $2 and first_line - 1 <= $3::bigint
                                             order by first_line desc limit 1), 0)
               and l.last_line > $3::bigint
             order by l.first_line limit 8",
            tenant.0,
            build.0,
            from
        )
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = rows.last() else { break };
        from = last.last_line;
        for r in rows {
            let raw = usize::try_from(r.raw_bytes).unwrap_or_default();
            let chunk = log::decode(&r.log_content, raw, r.first_line, r.logged_at, r.attempt)?;
            lines.extend(chunk.into_iter().filter(|l| l.line > line));
        }
    }
    Ok(lines)
}

/// The last line that is stored; 0 when there is none.
pub async fn last_line(tx: &mut PgConnection, tenant: TenantId, build: BuildId) -> Result<i64> {
    Ok(next_line(tx, tenant, build).await? - 1)
}

/// Writes a step: its start, or what became of it.
pub async fn upsert_step(tx: &mut PgConnection, run: &RunRef, s: &Step) -> Result<()> {
    sqlx::query!(
        "insert into build_steps (id, tenant_id, build_id, execution_id, step_number, step_name, instruction_type, status,
                                  cached, layer_digest, error_code, first_line, started_at, completed_at, duration_ms)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                 (extract(epoch from $14::timestamptz - $13::timestamptz) * 1000)::bigint)
         on conflict (tenant_id, execution_id, step_number) do update
         set status = excluded.status, cached = excluded.cached, layer_digest = excluded.layer_digest,
             error_code = excluded.error_code, completed_at = excluded.completed_at, duration_ms = excluded.duration_ms",
        uuid::Uuid::now_v7(),
        run.tenant_id.0,
        run.build_id.0,
        run.execution_id.0,
        s.number,
        s.name,
        s.instruction,
        s.status.as_str(),
        s.cached,
        s.layer,
        s.exit_code,
        s.first_line,
        s.started_at,
        s.completed_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends the steps that still run when their execution ends.
pub async fn end_steps(tx: &mut PgConnection, run: &RunRef, status: StepStatus) -> Result<()> {
    sqlx::query!(
        "update build_steps
         set status = $3, completed_at = clock_timestamp(),
             duration_ms = (extract(epoch from clock_timestamp() - started_at) * 1000)::bigint
         where tenant_id = $1 and execution_id = $2 and status = 'running'",
        run.tenant_id.0,
        run.execution_id.0,
        status.as_str()
    )
    .execute(tx)
    .await?;
    Ok(())
}
