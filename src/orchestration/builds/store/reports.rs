//! SQL that reads what hangs from a build: steps, executions, artifacts, metrics, result, history.

use crate::kernel::Result;
use crate::kernel::ids::{BuildId, TenantId};
use crate::orchestration::builds::model::report::{
    ArtifactReport, ExecutionReport, HistoryEntry, MetricsReport, ResultReport, StepReport,
};
use sqlx::PgConnection;

/// Steps in the order of attempts and numbers.
pub async fn steps(tx: &mut PgConnection, tenant: TenantId, build: BuildId) -> Result<Vec<StepReport>> {
    Ok(sqlx::query_as!(
        StepReport,
        r#"select e.attempt, s.step_number as number, s.step_name as name, s.instruction_type as instruction, s.status,
                  s.cached, s.layer_digest as layer, s.error_code as exit_code, s.first_line, s.started_at, s.completed_at,
                  s.duration_ms
           from build_steps s join build_executions e on e.tenant_id = s.tenant_id and e.id = s.execution_id
           where s.tenant_id = $1 and s.build_id = $2 order by e.attempt, s.step_number limit 2000"#,
        tenant.0,
        build.0
    )
    .fetch_all(tx)
    .await?)
}

/// Attempts, first to last.
pub async fn executions(tx: &mut PgConnection, tenant: TenantId, build: BuildId) -> Result<Vec<ExecutionReport>> {
    Ok(sqlx::query_as!(
        ExecutionReport,
        r#"select id, attempt, executor, worker_id, run_name, status, reason, heartbeat_at, started_at,
                  finished_at
           from build_executions where tenant_id = $1 and build_id = $2 order by attempt limit 200"#,
        tenant.0,
        build.0
    )
    .fetch_all(tx)
    .await?)
}

/// What the build produced.
pub async fn artifacts(tx: &mut PgConnection, tenant: TenantId, build: BuildId) -> Result<Vec<ArtifactReport>> {
    Ok(sqlx::query_as!(
        ArtifactReport,
        "select id, artifact_type, artifact_name as name, artifact_location as location,
                artifact_size_bytes as size_bytes, sha256_digest as digest, is_available, image_id, created_at
         from build_artifacts where tenant_id = $1 and build_id = $2 order by id limit 1000",
        tenant.0,
        build.0
    )
    .fetch_all(tx)
    .await?)
}

/// What it used; none before it has ended.
pub async fn metrics(tx: &mut PgConnection, tenant: TenantId, build: BuildId) -> Result<Option<MetricsReport>> {
    Ok(sqlx::query_as!(
        MetricsReport,
        "select total_duration_ms, build_duration_ms, push_duration_ms, peak_memory_bytes, cpu_ms, disk_read_bytes,
                disk_write_bytes, total_layers, reused_layers, new_layers, final_image_size_bytes, log_lines
         from build_metrics where tenant_id = $1 and build_id = $2",
        tenant.0,
        build.0
    )
    .fetch_optional(tx)
    .await?)
}

/// How it ended; none before it has.
pub async fn result(tx: &mut PgConnection, tenant: TenantId, build: BuildId) -> Result<Option<ResultReport>> {
    Ok(sqlx::query_as!(
        ResultReport,
        "select status, exit_code, output_image_id as image_id, output_image_url as image, output_image_digest as digest,
                failure_reason, failure_stage, total_duration_ms, queue_wait_ms, build_execution_ms, artifact_push_ms,
                retry_count
         from build_results where tenant_id = $1 and build_id = $2",
        tenant.0,
        build.0
    )
    .fetch_optional(tx)
    .await?)
}

/// Every change of state, first to last.
pub async fn history(tx: &mut PgConnection, tenant: TenantId, build: BuildId) -> Result<Vec<HistoryEntry>> {
    Ok(sqlx::query_as!(
        HistoryEntry,
        "select from_status, to_status, reason, changed_by, changed_at from build_status_history
         where tenant_id = $1 and build_id = $2 order by changed_at, id limit 1000",
        tenant.0,
        build.0
    )
    .fetch_all(tx)
    .await?)
}
