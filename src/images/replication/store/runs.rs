//! `replication_runs`.

use crate::images::replication::model::{ItemStatus, ReplicationCounts, ReplicationRun, ReplicationStatus};
use crate::kernel::ids::{ProjectId, ReplicationRuleId, ReplicationRunId};
use crate::kernel::{Error, Result};
use crate::platform::db::{SystemTx, TenantConnection, TenantTx};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A run with what its worker needs to know.
pub struct RunRow {
    pub run: ReplicationRun,
    /// Whether all that the rule covers is among its items.
    pub planned: bool,
    /// How often somebody asked for all of it.
    pub plans: i32,
    /// How often in a row it did not get on.
    pub failures: i32,
}

/// Of these runs, those that match.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub project: ProjectId,
    pub rule: Option<ReplicationRuleId>,
    pub status: Option<ReplicationStatus>,
    pub before: Option<Uuid>,
    pub limit: i64,
}

struct Row {
    id: Uuid,
    project_id: Uuid,
    rule_id: Uuid,
    cause: String,
    status: String,
    started_by: String,
    planned: bool,
    plans: i32,
    failures: i32,
    error: Option<String>,
    total: i32,
    copied: i32,
    unchanged: i32,
    kept: i32,
    gone: i32,
    failed: i32,
    bytes: i64,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for RunRow {
    type Error = Error;

    fn try_from(r: Row) -> Result<Self> {
        let run = ReplicationRun {
            id: r.id.into(),
            rule_id: r.rule_id.into(),
            project_id: r.project_id.into(),
            cause: r.cause.parse()?,
            status: r.status.parse()?,
            started_by: r.started_by,
            counts: ReplicationCounts {
                total: r.total,
                copied: r.copied,
                unchanged: r.unchanged,
                kept: r.kept,
                gone: r.gone,
                failed: r.failed,
                bytes: r.bytes,
            },
            error: r.error,
            created_at: r.created_at,
            started_at: r.started_at,
            finished_at: r.finished_at,
        };
        Ok(Self { run, planned: r.planned, plans: r.plans, failures: r.failures })
    }
}

/// Reads runs; `$1` is the tenant.
macro_rules! runs {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            "select r.id, r.project_id, r.rule_id, r.cause, r.status, r.started_by, r.planned, r.plans, r.failures, r.error, r.total,
                    r.copied, r.unchanged, r.kept, r.gone, r.failed, r.bytes, r.created_at, r.started_at, r.finished_at
             from replication_runs r where r.tenant_id = $1 " + $rest,
            $($argument),+
        )
    };
}

pub async fn list(tx: &mut impl TenantConnection, wanted: Wanted) -> Result<Vec<ReplicationRun>> {
    let tenant = tx.tenant_id();
    let rows = runs!(
        "and r.project_id = $2 and ($3::uuid is null or r.rule_id = $3) and ($4::text is null or r.status = $4)
         and ($5::uuid is null or r.id < $5) order by r.id desc limit $6",
        tenant.0,
        wanted.project.0,
        wanted.rule.map(|r| r.0),
        wanted.status.map(ReplicationStatus::as_str),
        wanted.before,
        wanted.limit
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(|r| RunRow::try_from(r).map(|r| r.run)).collect()
}

/// The newest run of each of these rules.
pub async fn newest(tx: &mut impl TenantConnection, rules: &[ReplicationRuleId]) -> Result<Vec<ReplicationRun>> {
    let tenant = tx.tenant_id();
    let rules: Vec<Uuid> = rules.iter().map(|r| r.0).collect();
    let rows = runs!(
        "and r.id in (select (select n.id from replication_runs n where n.tenant_id = $1 and n.rule_id = rule.id
                              order by n.id desc limit 1)
                      from unnest($2::uuid[]) as rule (id))",
        tenant.0,
        &rules
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(|r| RunRow::try_from(r).map(|r| r.run)).collect()
}

pub async fn find(tx: &mut impl TenantConnection, id: ReplicationRunId) -> Result<Option<RunRow>> {
    let tenant = tx.tenant_id();
    runs!("and r.id = $2", tenant.0, id.0).fetch_optional(&mut **tx).await?.map(TryInto::try_into).transpose()
}

/// The run, which stands still until the transaction ends.
pub async fn lock(tx: &mut TenantTx, id: ReplicationRunId) -> Result<Option<RunRow>> {
    let tenant = tx.tenant_id();
    runs!("and r.id = $2 for update", tenant.0, id.0)
        .fetch_optional(&mut **tx)
        .await?
        .map(TryInto::try_into)
        .transpose()
}

/// The run of a rule that has not ended, which stands still until the transaction ends.
pub async fn lock_open(tx: &mut TenantTx, rule: ReplicationRuleId) -> Result<Option<RunRow>> {
    let tenant = tx.tenant_id();
    runs!("and r.rule_id = $2 and r.status in ('queued', 'running') for update", tenant.0, rule.0)
        .fetch_optional(&mut **tx)
        .await?
        .map(TryInto::try_into)
        .transpose()
}

/// False when the rule has an open run.
pub async fn insert(tx: &mut TenantTx, run: &ReplicationRun, planned: bool) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "insert into replication_runs (id, tenant_id, project_id, rule_id, cause, status, started_by, planned, plans,
                                       created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, case when $8 then 0 else 1 end, $9)
         on conflict (tenant_id, rule_id) where status in ('queued', 'running') do nothing",
        run.id.0,
        tenant.0,
        run.project_id.0,
        run.rule_id.0,
        run.cause.as_str(),
        run.status.as_str(),
        run.started_by,
        planned,
        run.created_at
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Somebody asks for all that the rule covers.
pub async fn ask_for_all(tx: &mut TenantTx, id: ReplicationRunId) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "update replication_runs set planned = false, plans = plans + 1
         where tenant_id = $1 and id = $2 and status in ('queued', 'running')",
        tenant.0,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// All that the rule covered when it was asked for so often is among the items.
pub async fn set_planned(tx: &mut TenantTx, id: ReplicationRunId, plans: i32) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "update replication_runs set planned = true
         where tenant_id = $1 and id = $2 and plans = $3 and status in ('queued', 'running')",
        tenant.0,
        id.0,
        plans
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Somebody works on the run until then, or nobody does; so many bytes have passed meanwhile. False when it has ended.
pub async fn touch(
    tx: &mut impl TenantConnection,
    id: ReplicationRunId,
    bytes: i64,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "update replication_runs
         set status = 'running', started_at = coalesce(started_at, $5), bytes = bytes + $3, worked_until = $4
         where tenant_id = $1 and id = $2 and status in ('queued', 'running')",
        tenant.0,
        id.0,
        bytes,
        until,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Begins to work on a run, unless so many others of the tenant are worked on. One after the other, so that none is
/// overlooked.
pub async fn begin(
    tx: &mut TenantTx,
    id: ReplicationRunId,
    most: i64,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant_id();
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('replication ' || $1, 0))", tenant.to_string())
        .execute(&mut **tx)
        .await?;
    let done = sqlx::query!(
        "update replication_runs set worked_until = $4
         where tenant_id = $1 and id = $2
           and (select count(*) from replication_runs o
                where o.tenant_id = $1 and o.worked_until > $5 and o.id <> $2) < $3",
        tenant.0,
        id.0,
        most,
        until,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts an outcome: none is a tag that was there already. With a tag that went well the run's failures are forgotten.
pub async fn count(tx: &mut TenantTx, id: ReplicationRunId, outcome: Option<ItemStatus>) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "update replication_runs
         set copied = copied + ($3 = 'copied')::int, unchanged = unchanged + ($3 = 'unchanged')::int,
             kept = kept + ($3 = 'kept')::int, gone = gone + ($3 = 'gone')::int, failed = failed + ($3 = 'failed')::int,
             failures = case when $3 = 'failed' then failures else 0 end,
             error = case when $3 = 'failed' then error end
         where tenant_id = $1 and id = $2",
        tenant.0,
        id.0,
        outcome.map_or("unchanged", ItemStatus::as_str)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Counts an image that the other registry does not have.
pub async fn count_missing(tx: &mut TenantTx, id: ReplicationRunId) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "update replication_runs set total = total + 1, failed = failed + 1 where tenant_id = $1 and id = $2",
        tenant.0,
        id.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The run did not get on.
pub async fn stumbled(tx: &mut impl TenantConnection, id: ReplicationRunId, error: &str) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "update replication_runs set failures = failures + 1, error = $3, worked_until = null
         where tenant_id = $1 and id = $2 and status in ('queued', 'running')",
        tenant.0,
        id.0,
        error
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends a run. False when it has ended already.
pub async fn end(
    tx: &mut TenantTx,
    id: ReplicationRunId,
    status: ReplicationStatus,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "update replication_runs set status = $3, error = $4, finished_at = $5, worked_until = null
         where tenant_id = $1 and id = $2 and status in ('queued', 'running')",
        tenant.0,
        id.0,
        status.as_str(),
        error,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets runs that ended before a time, at most so many; says how many.
pub async fn purge(tx: &mut SystemTx, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from replication_runs where (tenant_id, id) in (
             select tenant_id, id from replication_runs where finished_at < $1 order by finished_at limit $2)",
        before,
        limit
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}
