//! SQL of executions: leases, heartbeats, ends. Every write names the execution and expects it to be running.

use crate::kernel::Result;
use crate::kernel::ids::{BuildId, ExecutionId, TenantId, WorkerId};
use crate::orchestration::builds::model::{Outcome, RunRef};
use sqlx::PgConnection;

/// Stores the fingerprint of the robot token that the run pushes with.
pub async fn set_robot_token(tx: &mut PgConnection, run: &RunRef, hash: &[u8]) -> Result<bool> {
    Ok(sqlx::query!(
        "update build_executions set robot_token_hash = $3 where tenant_id = $1 and id = $2 and status = 'running'",
        run.tenant_id.0,
        run.execution_id.0,
        hash
    )
    .execute(tx)
    .await?
    .rows_affected()
        == 1)
}

/// Prolongs the lease. None: it is lost. Else whether somebody wants the build cancelled.
pub async fn renew(tx: &mut PgConnection, run: &RunRef, lease_seconds: i32) -> Result<Option<bool>> {
    Ok(sqlx::query_scalar!(
        r#"update build_executions e
           set lease_expires_at = clock_timestamp() + make_interval(secs => $3), heartbeat_at = clock_timestamp()
           from builds b
           where e.tenant_id = $1 and e.id = $2 and e.status = 'running' and b.tenant_id = e.tenant_id and b.id = e.build_id
           returning b.cancel_requested_at is not null as "cancel!""#,
        run.tenant_id.0,
        run.execution_id.0,
        f64::from(lease_seconds)
    )
    .fetch_optional(tx)
    .await?)
}

/// Ends the execution. False when it was no longer running: somebody else has the build now.
pub async fn end(tx: &mut PgConnection, run: &RunRef, status: &str, reason: Option<&str>) -> Result<bool> {
    Ok(sqlx::query!(
        "update build_executions
         set status = $3, reason = $4, finished_at = clock_timestamp(), lease_expires_at = null, robot_token_hash = null
         where tenant_id = $1 and id = $2 and status = 'running'",
        run.tenant_id.0,
        run.execution_id.0,
        status,
        reason
    )
    .execute(tx)
    .await?
    .rows_affected()
        == 1)
}

/// A running execution that nobody renews.
pub struct Lapsed {
    /// Which.
    pub run: RunRef,
    /// Who held it.
    pub worker_id: WorkerId,
}

/// Executions whose lease has lapsed, or that the given worker held in an earlier life; locked.
pub async fn lapsed(tx: &mut PgConnection, dead_worker: Option<WorkerId>, limit: i64) -> Result<Vec<Lapsed>> {
    Ok(sqlx::query!(
        "select id, tenant_id, build_id, attempt, run_name, worker_id from build_executions
         where status = 'running'
           and (case when $1::uuid is null then lease_expires_at < clock_timestamp() else worker_id = $1 end)
         order by lease_expires_at limit $2 for update skip locked",
        dead_worker.map(|w| w.0),
        limit
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(|r| Lapsed {
        run: RunRef {
            tenant_id: r.tenant_id.into(),
            build_id: r.build_id.into(),
            execution_id: r.id.into(),
            attempt: r.attempt,
            run_name: r.run_name,
        },
        worker_id: r.worker_id.into(),
    })
    .collect())
}

/// What the registry has to know of a robot.
pub struct RobotRow {
    /// The run.
    pub run: RunRef,
    /// Fingerprint of its token.
    pub token_hash: Vec<u8>,
}

/// The run behind a robot's user name, while its lease lives.
pub async fn robot(tx: &mut PgConnection, execution: ExecutionId) -> Result<Option<RobotRow>> {
    Ok(sqlx::query!(
        "select id, tenant_id, build_id, attempt, run_name, robot_token_hash from build_executions
         where id = $1 and status = 'running' and lease_expires_at > clock_timestamp()",
        execution.0
    )
    .fetch_optional(tx)
    .await?
    .and_then(|r| {
        Some(RobotRow {
            run: RunRef {
                tenant_id: r.tenant_id.into(),
                build_id: r.build_id.into(),
                execution_id: r.id.into(),
                attempt: r.attempt,
                run_name: r.run_name,
            },
            token_hash: r.robot_token_hash?,
        })
    }))
}

/// Whether the execution still holds its lease.
pub async fn alive(tx: &mut PgConnection, execution: ExecutionId, attempt: i32) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from build_executions
                          where id = $1 and attempt = $2 and status = 'running' and lease_expires_at > clock_timestamp())
           as "alive!""#,
        execution.0,
        attempt
    )
    .fetch_one(tx)
    .await?)
}

/// What a finished build keeps of its end.
pub async fn insert_result(
    tx: &mut PgConnection,
    run: &RunRef,
    o: &Outcome,
    image_url: Option<&str>,
    image_id: Option<uuid::Uuid>,
) -> Result<()> {
    sqlx::query!(
        "insert into build_results (build_id, tenant_id, status, exit_code, output_image_id, output_image_url,
                                    output_image_digest, failure_reason, failure_stage, total_duration_ms, queue_wait_ms,
                                    build_execution_ms, artifact_push_ms, retry_count)
         select b.id, b.tenant_id, $3, $4, $5, $6, $7, $8, $9,
                (extract(epoch from clock_timestamp() - b.queued_at) * 1000)::bigint,
                (extract(epoch from b.started_at - b.queued_at) * 1000)::bigint,
                (extract(epoch from clock_timestamp() - e.started_at) * 1000)::bigint, $10, b.attempts - 1
         from builds b join build_executions e on e.tenant_id = b.tenant_id and e.id = $11
         where b.tenant_id = $1 and b.id = $2",
        run.tenant_id.0,
        run.build_id.0,
        o.result.as_str(),
        o.exit_code,
        image_id,
        image_url,
        o.digest.map(|d| d.to_string()),
        o.reason,
        o.stage.map(crate::orchestration::methods::Stage::failure_stage),
        o.push_ms,
        run.execution_id.0
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into build_metrics (build_id, tenant_id, total_duration_ms, build_duration_ms, push_duration_ms,
                                    peak_memory_bytes, cpu_ms, disk_read_bytes, disk_write_bytes, total_layers,
                                    reused_layers, new_layers, log_lines)
         select r.build_id, r.tenant_id, r.build_execution_ms, $3, $4, $5, $6, $7, $8, $9, $10, $9::int - $10::int, $11
         from build_results r where r.tenant_id = $1 and r.build_id = $2",
        run.tenant_id.0,
        run.build_id.0,
        o.build_ms,
        o.push_ms,
        o.peak_memory_bytes,
        o.cpu_ms,
        o.disk_read_bytes,
        o.disk_write_bytes,
        o.total_layers,
        o.reused_layers,
        o.log_lines
    )
    .execute(&mut *tx)
    .await?;
    if let Some(c) = &o.commit {
        sqlx::query!(
            "update builds set git_commit = $3, git_branch = $4, git_author = $5, git_message = $6
             where tenant_id = $1 and id = $2",
            run.tenant_id.0,
            run.build_id.0,
            c.sha,
            c.branch,
            c.author,
            c.message
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Records the image as what the build produced.
pub async fn insert_artifact(
    tx: &mut PgConnection,
    run: &RunRef,
    name: &str,
    location: &str,
    digest: &str,
    size_bytes: i64,
    image_id: uuid::Uuid,
) -> Result<()> {
    sqlx::query!(
        "insert into build_artifacts (id, tenant_id, build_id, artifact_type, artifact_name, artifact_location,
                                      artifact_size_bytes, sha256_digest, image_id)
         values ($1, $2, $3, 'docker_image', $4, $5, $6, $7, $8)",
        uuid::Uuid::now_v7(),
        run.tenant_id.0,
        run.build_id.0,
        name,
        location,
        size_bytes,
        digest,
        image_id
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "update build_metrics set final_image_size_bytes = $3 where tenant_id = $1 and build_id = $2",
        run.tenant_id.0,
        run.build_id.0,
        size_bytes
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A build that ended before it ran still gets a result.
pub async fn insert_unrun_result(
    tx: &mut PgConnection,
    tenant: TenantId,
    build: BuildId,
    status: &str,
    reason: &str,
) -> Result<()> {
    sqlx::query!(
        "insert into build_results (build_id, tenant_id, status, failure_reason, total_duration_ms, queue_wait_ms,
                                    build_execution_ms, retry_count)
         select id, tenant_id, $3, $4, wait.ms, wait.ms, 0, 0
         from builds, lateral (select (extract(epoch from clock_timestamp() - coalesce(queued_at, created_at)) * 1000)::bigint
                               as ms) wait
         where tenant_id = $1 and id = $2",
        tenant.0,
        build.0,
        status,
        reason
    )
    .execute(tx)
    .await?;
    Ok(())
}
