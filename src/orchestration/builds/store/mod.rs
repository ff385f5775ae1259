//! SQL of builds: requests and their states. Runs are in `executions`, lines in `logs`.

pub mod contexts;
pub mod executions;
pub mod logs;
pub mod reports;
pub mod statistics;

use super::model::{Build, BuildStatus, GitCommit, RunRef};
use crate::kernel::ids::{BuildId, ProjectId, TenantId, UserId};
use crate::kernel::{Error, PageRequest, Result};
use crate::orchestration::methods::Method;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

/// A row of `builds`, before its texts become types.
struct Row {
    id: Uuid,
    tenant_id: Uuid,
    project_id: Uuid,
    build_number: i32,
    status: String,
    build_method: String,
    priority: i16,
    image_name: String,
    image_tags: Vec<String>,
    source: Value,
    timeout_seconds: i32,
    attempts: i32,
    triggered_by_user_id: Option<Uuid>,
    original_build_id: Option<Uuid>,
    git_commit: Option<String>,
    git_branch: Option<String>,
    git_author: Option<String>,
    git_message: Option<String>,
    error_message: Option<String>,
    cancel_requested_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    queued_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Build {
    type Error = Error;

    fn try_from(r: Row) -> Result<Self> {
        Ok(Self {
            id: r.id.into(),
            tenant_id: r.tenant_id.into(),
            project_id: r.project_id.into(),
            number: r.build_number,
            status: r.status.parse().map_err(Error::internal)?,
            method: r.build_method.parse::<Method>()?,
            priority: r.priority,
            image_name: r.image_name,
            image_tags: r.image_tags,
            source: serde_json::from_value(r.source)?,
            timeout_seconds: r.timeout_seconds,
            attempts: r.attempts,
            triggered_by_user_id: r.triggered_by_user_id.map(Into::into),
            original_build_id: r.original_build_id.map(Into::into),
            commit: r.git_commit.map(|sha| GitCommit {
                sha,
                branch: r.git_branch,
                author: r.git_author.unwrap_or_default(),
                message: r.git_message.unwrap_or_default(),
            }),
            error_message: r.error_message,
            cancel_requested_at: r.cancel_requested_at,
            created_at: r.created_at,
            queued_at: r.queued_at,
            started_at: r.started_at,
            completed_at: r.completed_at,
        })
    }
}

/// The next number of the project. Holds the counter's row until the transaction ends: no gap, no double.
pub async fn next_number(tx: &mut PgConnection, tenant: TenantId, project: ProjectId) -> Result<i32> {
    Ok(sqlx::query_scalar!(
        "insert into build_numbers as n (tenant_id, project_id, last_number) values ($1, $2, 1)
         on conflict (tenant_id, project_id) do update set last_number = n.last_number + 1
         returning last_number",
        tenant.0,
        project.0
    )
    .fetch_one(tx)
    .await?)
}

/// Stores a pending build.
pub async fn insert(tx: &mut PgConnection, b: &Build) -> Result<()> {
    sqlx::query!(
        "insert into builds (id, tenant_id, project_id, build_number, status, build_method, priority, image_name,
                             image_tags, source, timeout_seconds, triggered_by_user_id, original_build_id, is_retry,
                             created_at)
         values ($1, $2, $3, $4, 'pending', $5, dispatch_priority($2, $6), $7, $8, $9, $10, $11, $12, $13, $14)",
        b.id.0,
        b.tenant_id.0,
        b.project_id.0,
        b.number,
        b.method.as_str(),
        b.priority,
        b.image_name,
        &b.image_tags,
        serde_json::to_value(&b.source)?,
        b.timeout_seconds,
        b.triggered_by_user_id.map(|u| u.0),
        b.original_build_id.map(|o| o.0),
        b.original_build_id.is_some(),
        b.created_at,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// One build of the tenant.
pub async fn get(tx: &mut PgConnection, tenant: TenantId, id: BuildId) -> Result<Option<Build>> {
    sqlx::query_as!(
        Row,
        "select id, tenant_id, project_id, build_number, status, build_method, priority, image_name, image_tags, source,
                timeout_seconds, attempts, triggered_by_user_id, original_build_id, git_commit, git_branch, git_author,
                git_message, error_message, cancel_requested_at, created_at, queued_at, started_at, completed_at
         from builds where tenant_id = $1 and id = $2",
        tenant.0,
        id.0
    )
    .fetch_optional(tx)
    .await?
    .map(Build::try_from)
    .transpose()
}

/// The builds of runs, over tenants.
pub async fn of_runs(tx: &mut PgConnection, runs: &[RunRef]) -> Result<Vec<Build>> {
    let tenants: Vec<Uuid> = runs.iter().map(|r| r.tenant_id.0).collect();
    let ids: Vec<Uuid> = runs.iter().map(|r| r.build_id.0).collect();
    sqlx::query_as!(
        Row,
        "select id, tenant_id, project_id, build_number, status, build_method, priority, image_name, image_tags, source,
                timeout_seconds, attempts, triggered_by_user_id, original_build_id, git_commit, git_branch, git_author,
                git_message, error_message, cancel_requested_at, created_at, queued_at, started_at, completed_at
         from builds where (tenant_id, id) in (select * from unnest($1::uuid[], $2::uuid[]))",
        &tenants,
        &ids
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(Build::try_from)
    .collect()
}

/// The same, locked until the transaction ends.
pub async fn lock(tx: &mut PgConnection, tenant: TenantId, id: BuildId) -> Result<Option<Build>> {
    sqlx::query!("select id from builds where tenant_id = $1 and id = $2 for update", tenant.0, id.0)
        .fetch_optional(&mut *tx)
        .await?;
    get(tx, tenant, id).await
}

/// What a list of builds may be narrowed to.
#[derive(Debug, Default)]
pub struct Filter {
    /// Of these projects; all of the tenant when none is given.
    pub projects: Option<Vec<ProjectId>>,
    /// In this state.
    pub status: Option<BuildStatus>,
    /// By this method.
    pub method: Option<Method>,
}

/// Newest first.
pub async fn list(tx: &mut PgConnection, tenant: TenantId, filter: &Filter, page: &PageRequest) -> Result<Vec<Build>> {
    let projects: Option<Vec<Uuid>> = filter.projects.as_ref().map(|p| p.iter().map(|id| id.0).collect());
    sqlx::query_as!(
        Row,
        "select id, tenant_id, project_id, build_number, status, build_method, priority, image_name, image_tags, source,
                timeout_seconds, attempts, triggered_by_user_id, original_build_id, git_commit, git_branch, git_author,
                git_message, error_message, cancel_requested_at, created_at, queued_at, started_at, completed_at
         from builds
         where tenant_id = $1 and ($2::uuid is null or id < $2) and ($3::uuid[] is null or project_id = any ($3))
           and ($4::text is null or status = $4) and ($5::text is null or build_method = $5)
         order by id desc limit $6",
        tenant.0,
        page.after::<Uuid>()?,
        projects.as_deref(),
        filter.status.map(BuildStatus::as_str),
        filter.method.map(Method::as_str),
        page.fetch()
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(Build::try_from)
    .collect()
}

/// Moves a build from one state to another and writes its history. False when it was not in that state.
pub async fn transition(
    tx: &mut PgConnection,
    tenant: TenantId,
    id: BuildId,
    (from, to): (BuildStatus, BuildStatus),
    reason: &str,
    by: &str,
) -> Result<bool> {
    debug_assert!(from.may_become(to), "{from:?} -> {to:?}");
    let moved = sqlx::query!(
        "update builds
         set status = $4, error_message = case when $4 = 'failed' then $5 else error_message end,
             queued_at = case when $4 = 'queued' then coalesce(queued_at, clock_timestamp()) else queued_at end,
             completed_at = case when $4 in ('completed', 'failed', 'cancelled') then clock_timestamp() end
         where tenant_id = $1 and id = $2 and status = $3",
        tenant.0,
        id.0,
        from.as_str(),
        to.as_str(),
        reason
    )
    .execute(&mut *tx)
    .await?
    .rows_affected()
        == 1;
    if moved {
        history(tx, tenant, id, Some(from), to, reason, by).await?;
    }
    Ok(moved)
}

/// Writes a change of state.
pub async fn history(
    tx: &mut PgConnection,
    tenant: TenantId,
    id: BuildId,
    from: Option<BuildStatus>,
    to: BuildStatus,
    reason: &str,
    by: &str,
) -> Result<()> {
    sqlx::query!(
        "insert into build_status_history (id, tenant_id, build_id, from_status, to_status, reason, changed_by)
         values ($1, $2, $3, $4, $5, $6, $7)",
        Uuid::now_v7(),
        tenant.0,
        id.0,
        from.map(BuildStatus::as_str),
        to.as_str(),
        reason,
        by
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Columns of `build_configs` that hold text, JSON or a flag of their own; the rest of a configuration is `metadata`.
const CONFIG_COLUMNS: [&str; 8] = [
    "dockerfile",
    "build_context",
    "cache_enabled",
    "cache_repo",
    "target_stage",
    "build_args",
    "environment",
    "secrets",
];

/// Stores a configuration: what has a column of its own there, the rest as metadata.
pub async fn insert_config(tx: &mut PgConnection, b: &Build, config: &Value) -> Result<()> {
    let mut rest: Map<String, Value> = config.as_object().cloned().unwrap_or_default();
    let mut own = CONFIG_COLUMNS.iter().map(|c| rest.remove(*c).filter(|v| !v.is_null()));
    let mut next = || own.next().flatten();
    let text = |v: Option<Value>| v.and_then(|v| v.as_str().map(str::to_owned));
    let (dockerfile, context, cache) = (text(next()), text(next()), next().and_then(|v| v.as_bool()));
    let (cache_repo, target) = (text(next()), text(next()));
    let (args, environment, secrets) = (next(), next(), next());
    sqlx::query!(
        "insert into build_configs (build_id, tenant_id, build_method, dockerfile, build_context, cache_enabled,
                                    cache_repo, target_stage, build_args, environment, secrets, metadata)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        b.id.0,
        b.tenant_id.0,
        b.method.as_str(),
        dockerfile,
        context,
        cache,
        cache_repo,
        target,
        args,
        environment,
        secrets,
        Value::Object(rest)
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The configuration as it was stored.
pub async fn config(tx: &mut PgConnection, tenant: TenantId, id: BuildId) -> Result<Value> {
    let r = sqlx::query!(
        "select dockerfile, build_context, cache_enabled, cache_repo, target_stage, build_args, environment, secrets,
                metadata
         from build_configs where tenant_id = $1 and build_id = $2",
        tenant.0,
        id.0
    )
    .fetch_one(tx)
    .await?;
    let mut all = r.metadata.as_object().cloned().unwrap_or_default();
    let own = [
        r.dockerfile.map(Value::from),
        r.build_context.map(Value::from),
        r.cache_enabled.map(Value::from),
        r.cache_repo.map(Value::from),
        r.target_stage.map(Value::from),
        r.build_args,
        r.environment,
        r.secrets,
    ];
    for (name, value) in CONFIG_COLUMNS.iter().zip(own) {
        if let Some(value) = value {
            all.insert((*name).to_owned(), value);
        }
    }
    Ok(Value::Object(all))
}

/// How a build was started.
pub async fn insert_trigger(
    tx: &mut PgConnection,
    b: &Build,
    kind: &str,
    by: Option<UserId>,
    source: &str,
) -> Result<()> {
    sqlx::query!(
        "insert into build_triggers (id, tenant_id, build_id, trigger_type, trigger_source, created_by_user_id)
         values ($1, $2, $3, $4, $5, $6)",
        Uuid::now_v7(),
        b.tenant_id.0,
        b.id.0,
        kind,
        source,
        by.map(|u| u.0)
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Builds of the tenant that wait, at most `at_most`. Whoever counts is alone until the transaction ends, so that two
/// requests cannot both take the last place.
pub async fn count_queued(tx: &mut PgConnection, tenant: TenantId, at_most: i64) -> Result<i64> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('queue ' || $1::text, 0))", tenant.to_string())
        .execute(&mut *tx)
        .await?;
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from
               (select 1 from builds where tenant_id = $1 and status = 'queued' limit $2) q"#,
        tenant.0,
        at_most
    )
    .fetch_one(tx)
    .await?)
}

/// Records the wish to cancel a running build; its lease holder acts.
pub async fn request_cancel(tx: &mut PgConnection, tenant: TenantId, id: BuildId, by: &str) -> Result<bool> {
    Ok(sqlx::query!(
        "update builds set cancel_requested_at = coalesce(cancel_requested_at, now()),
                           cancel_requested_by = coalesce(cancel_requested_by, $3)
         where tenant_id = $1 and id = $2 and status = 'running'",
        tenant.0,
        id.0,
        by
    )
    .execute(tx)
    .await?
    .rows_affected()
        == 1)
}

/// Tells the dispatcher that the tenant has a queued build of this kind.
pub async fn enqueued(tx: &mut PgConnection, b: &Build) -> Result<()> {
    sqlx::query!("select dispatch_enqueued($1, $2, $3)", b.tenant_id.0, b.project_id.0, b.method.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Tells the dispatcher that the tenant has room again.
pub async fn freed(tx: &mut PgConnection, tenant: TenantId) -> Result<()> {
    sqlx::query!("select dispatch_wake($1)", tenant.0).execute(tx).await?;
    Ok(())
}

/// Whether a live worker runs the method; none when no worker is alive.
pub async fn offered(tx: &mut PgConnection, method: Method) -> Result<Option<bool>> {
    Ok(sqlx::query_scalar!("select dispatch_offers($1)", method.as_str()).fetch_one(tx).await?)
}

/// The numbers behind "why does it wait"; none when it does not.
pub async fn waiting(tx: &mut PgConnection, tenant: TenantId, id: BuildId) -> Result<Option<Waiting>> {
    Ok(sqlx::query_as!(
        Waiting,
        r#"select mode as "mode!", workers as "workers!", ahead as "ahead!", tenant_running as "tenant_running!",
                  tenant_limit as "tenant_limit!", project_running as "project_running!",
                  project_limit as "project_limit!", method_running as "method_running!", method_limit as "method_limit!"
           from dispatch_waiting($1, $2)"#,
        tenant.0,
        id.0
    )
    .fetch_optional(tx)
    .await?)
}

/// The numbers behind "why does it wait".
#[derive(Debug)]
pub struct Waiting {
    /// `running`, `paused` or `draining`.
    pub mode: String,
    /// Live workers that run the method.
    pub workers: i32,
    /// Builds of the tenant before it, at most 1000.
    pub ahead: i32,
    /// Running and allowed, in the tenant.
    pub tenant_running: i32,
    /// See above.
    pub tenant_limit: i32,
    /// Running and allowed, in the project.
    pub project_running: i32,
    /// See above.
    pub project_limit: i32,
    /// Running and allowed, by the method.
    pub method_running: i32,
    /// See above.
    pub method_limit: i32,
}

/// Queued builds that have waited longer than their tenant allows, over all tenants, locked.
pub async fn overdue(tx: &mut PgConnection, limit: i64) -> Result<Vec<(TenantId, BuildId, i32)>> {
    Ok(sqlx::query!(
        r#"select tenant_id, id, minutes as "minutes!" from dispatch_overdue($1)"#,
        i32::try_from(limit).unwrap_or(i32::MAX)
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .filter_map(|r| Some((r.tenant_id?.into(), r.id?.into(), r.minutes)))
    .collect())
}
