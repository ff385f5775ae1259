//! SQL of dispatch.

use super::model::{ConcurrencyPolicy, DispatcherReport, Mode, TenantQueue, WorkerReport};
use super::worker::Worker;
use crate::kernel::Result;
use crate::kernel::ids::{ExecutionId, TenantId};
use crate::orchestration::builds::RunRef;
use sqlx::PgConnection;

/// Claims up to `slots` builds for the worker: one statement.
pub async fn claim(tx: &mut PgConnection, worker: &Worker, slots: usize, lease_seconds: i32) -> Result<Vec<RunRef>> {
    let ids: Vec<uuid::Uuid> = (0..slots).map(|_| ExecutionId::new().0).collect();
    let methods: Vec<String> = worker.methods.iter().map(|m| m.as_str().to_owned()).collect();
    Ok(sqlx::query!(
        r#"select build_id as "build_id!", tenant_id as "tenant_id!", execution_id as "execution_id!",
                  attempt as "attempt!", run_name as "run_name!"
           from claim_builds($1, $2, $3, $4, $5, $6)"#,
        i32::try_from(slots).unwrap_or(i32::MAX),
        &ids,
        worker.id.0,
        worker.executor,
        &methods,
        lease_seconds
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(|r| RunRef {
        tenant_id: r.tenant_id.into(),
        build_id: r.build_id.into(),
        execution_id: r.execution_id.into(),
        attempt: r.attempt,
        run_name: r.run_name,
    })
    .collect())
}

/// Announces a worker, or that it is alive.
pub async fn heartbeat(tx: &mut PgConnection, w: &Worker, status: &str) -> Result<()> {
    let methods: Vec<String> = w.methods.iter().map(|m| m.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into build_workers (id, worker_name, worker_type, concurrent_builds_limit, tools, methods, status, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (id) do update
         set worker_name = excluded.worker_name, concurrent_builds_limit = excluded.concurrent_builds_limit,
             tools = excluded.tools, methods = excluded.methods, status = excluded.status, version = excluded.version,
             last_heartbeat = now(),
             started_at = case when build_workers.status = 'offline' then now() else build_workers.started_at end",
        w.id.0,
        w.name,
        w.executor,
        w.concurrent_builds,
        &w.tools,
        &methods,
        status,
        env!("CARGO_PKG_VERSION")
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Every worker that was alive in the last day.
pub async fn workers(tx: &mut PgConnection) -> Result<Vec<WorkerReport>> {
    Ok(sqlx::query_as!(
        WorkerReport,
        r#"select w.id, w.worker_name as name, w.worker_type, w.concurrent_builds_limit,
                  dispatch_running_on(w.id) as "current_builds_count!", w.tools, w.methods,
                  case when w.last_heartbeat < now() - interval '2 minutes' then 'offline' else w.status end as "status!",
                  w.version, w.started_at, w.last_heartbeat
           from build_workers w where w.last_heartbeat > now() - interval '1 day' order by w.worker_name, w.id limit 500"#
    )
    .fetch_all(tx)
    .await?)
}

/// The operator's wish.
pub async fn mode(tx: &mut PgConnection) -> Result<String> {
    Ok(sqlx::query_scalar!("select mode from dispatcher").fetch_one(tx).await?)
}

/// Records the operator's wish.
pub async fn set_mode(tx: &mut PgConnection, mode: Mode, by: &str, reason: Option<&str>) -> Result<()> {
    sqlx::query!(
        "update dispatcher set mode = $1, changed_by = $2, reason = $3, changed_at = now()",
        mode.as_str(),
        by,
        reason
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The state of dispatch over all tenants.
pub async fn report(tx: &mut PgConnection) -> Result<DispatcherReport> {
    let d = sqlx::query!("select mode, changed_by, reason, changed_at from dispatcher").fetch_one(&mut *tx).await?;
    let tenants = sqlx::query_as!(
        TenantQueue,
        r#"select tenant_id as "tenant_id!", queued as "queued!", running as "running!", oldest_queued_at
           from dispatch_queues(100)"#
    )
    .fetch_all(&mut *tx)
    .await?;
    let totals = sqlx::query!(
        r#"select queued as "queued!", running as "running!", finished_last_hour as "finished_last_hour!"
           from dispatch_totals()"#
    )
    .fetch_one(tx)
    .await?;
    Ok(DispatcherReport {
        mode: d.mode,
        changed_by: d.changed_by,
        reason: d.reason,
        changed_at: d.changed_at,
        queued: totals.queued,
        running: totals.running,
        finished_last_hour: totals.finished_last_hour,
        tenants,
    })
}

/// The tenant's limits with their version, locked; [`wake`] has made the row.
pub async fn lock_policy(tx: &mut PgConnection, tenant: TenantId) -> Result<(ConcurrencyPolicy, i32)> {
    let r = sqlx::query!(
        "select max_concurrent_builds, max_concurrent_per_project, docker_max_concurrent, container_max_concurrent,
                kaniko_max_concurrent, priority_dispatch_enabled, max_queued_wait_minutes, version
         from build_concurrency_policies where tenant_id = $1 for update",
        tenant.0
    )
    .fetch_one(tx)
    .await?;
    let policy = ConcurrencyPolicy {
        max_concurrent_builds: r.max_concurrent_builds,
        max_concurrent_per_project: r.max_concurrent_per_project,
        docker_max_concurrent: r.docker_max_concurrent,
        container_max_concurrent: r.container_max_concurrent,
        kaniko_max_concurrent: r.kaniko_max_concurrent,
        priority_dispatch_enabled: r.priority_dispatch_enabled,
        max_queued_wait_minutes: r.max_queued_wait_minutes,
    };
    Ok((policy, r.version))
}

/// Wakes tenants that wait though they have room: for what no commit tells, such as a raised quota. Gives how many.
pub async fn wake_all(tx: &mut PgConnection) -> Result<i32> {
    Ok(sqlx::query_scalar!("select dispatch_wake_all()").fetch_one(tx).await?.unwrap_or(0))
}

/// Makes sure that the tenant has a row in the ring and one of limits, and wakes it.
pub async fn wake(tx: &mut PgConnection, tenant: TenantId) -> Result<()> {
    sqlx::query!("select dispatch_wake($1)", tenant.0).execute(tx).await?;
    Ok(())
}

/// Replaces the limits.
pub async fn set_policy(tx: &mut PgConnection, tenant: TenantId, p: &ConcurrencyPolicy) -> Result<()> {
    sqlx::query!(
        "update build_concurrency_policies
         set max_concurrent_builds = $2, max_concurrent_per_project = $3, docker_max_concurrent = $4,
             container_max_concurrent = $5, kaniko_max_concurrent = $6, priority_dispatch_enabled = $7,
             max_queued_wait_minutes = $8, version = version + 1, updated_at = now()
         where tenant_id = $1",
        tenant.0,
        p.max_concurrent_builds,
        p.max_concurrent_per_project,
        p.docker_max_concurrent,
        p.container_max_concurrent,
        p.kaniko_max_concurrent,
        p.priority_dispatch_enabled,
        p.max_queued_wait_minutes
    )
    .execute(tx)
    .await?;
    Ok(())
}
