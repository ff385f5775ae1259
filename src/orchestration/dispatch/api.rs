//! HTTP of dispatch.

use super::Dispatch;
use super::model::{ConcurrencyPolicy, DispatcherReport, Mode, WorkerReport};
use crate::kernel::{Page, Result};
use crate::platform::http::{IfMatch, Json, NoQuery, Path, Problem, Query, etag};
use crate::tenancy::access::Caller;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes(dispatch: Dispatch) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(get_concurrency_policy, replace_concurrency_policy))
        .routes(routes!(list_workers))
        .routes(routes!(get_dispatcher))
        .routes(routes!(pause_dispatcher))
        .routes(routes!(drain_dispatcher))
        .routes(routes!(resume_dispatcher))
        .with_state(dispatch)
}

/// Get how many builds of the tenant may run at the same time.
#[utoipa::path(
    get, path = "/tenants/{id}/concurrency-policy", tag = "Dispatch", operation_id = "get_concurrency_policy",
    params(("id" = String, Path, description = "Id or slug of the tenant")),
    responses((status = 200, body = ConcurrencyPolicy, headers(("ETag" = String))), (status = 403, body = Problem),
              (status = 404, body = Problem)),
    extensions(("x-access" = json!("tenant:read")))
)]
async fn get_concurrency_policy(
    State(dispatch): State<Dispatch>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    let (policy, version) = dispatch.policy(&caller, &id).await?;
    Ok((etag(version), axum::Json(policy)).into_response())
}

/// Replace how many builds of the tenant may run at the same time.
#[utoipa::path(
    put, path = "/tenants/{id}/concurrency-policy", tag = "Dispatch", operation_id = "replace_concurrency_policy",
    params(("id" = String, Path, description = "Id or slug of the tenant"), ("If-Match" = Option<String>, Header)), request_body = ConcurrencyPolicy,
    responses((status = 200, body = ConcurrencyPolicy, headers(("ETag" = String))), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)),
    extensions(("x-access" = json!("concurrency:manage")))
)]
async fn replace_concurrency_policy(
    State(dispatch): State<Dispatch>,
    caller: Caller,
    Path(id): Path<String>,
    expected: IfMatch,
    Json(policy): Json<ConcurrencyPolicy>,
) -> Result<Response> {
    let (policy, version) = dispatch.set_policy(&caller, &id, &policy, expected).await?;
    Ok((etag(version), axum::Json(policy)).into_response())
}

/// List the workers that were alive in the last day.
#[utoipa::path(
    get, path = "/workers", tag = "Dispatch", operation_id = "list_workers",
    responses((status = 200, body = Page<WorkerReport>), (status = 403, body = Problem)),
    extensions(("x-access" = json!("system:read")))
)]
async fn list_workers(
    State(dispatch): State<Dispatch>,
    caller: Caller,
    _: Query<NoQuery>,
) -> Result<axum::Json<Page<WorkerReport>>> {
    Ok(axum::Json(Page { items: dispatch.workers(&caller).await?, next_cursor: None }))
}

/// Get the state of dispatch: queues of tenants, throughput, what the operator wants.
#[utoipa::path(
    get, path = "/dispatcher", tag = "Dispatch", operation_id = "get_dispatcher",
    responses((status = 200, body = DispatcherReport), (status = 403, body = Problem)),
    extensions(("x-access" = json!("system:read")))
)]
async fn get_dispatcher(State(dispatch): State<Dispatch>, caller: Caller) -> Result<axum::Json<DispatcherReport>> {
    Ok(axum::Json(dispatch.report(&caller).await?))
}

/// Why an operator changes the mode.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModeChange {
    /// For the audit trail.
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
}

/// Start nothing new; what runs goes on.
#[utoipa::path(
    post, path = "/dispatcher/pause", tag = "Dispatch", operation_id = "pause_dispatcher", request_body = ModeChange,
    responses((status = 200, body = DispatcherReport), (status = 403, body = Problem)),
    extensions(("x-access" = json!("system:operations")))
)]
async fn pause_dispatcher(
    State(dispatch): State<Dispatch>,
    caller: Caller,
    Json(body): Json<ModeChange>,
) -> Result<axum::Json<DispatcherReport>> {
    Ok(axum::Json(dispatch.set_mode(&caller, Mode::Paused, body.reason.as_deref()).await?))
}

/// Start nothing new before maintenance; workers report that they drain.
#[utoipa::path(
    post, path = "/dispatcher/drain", tag = "Dispatch", operation_id = "drain_dispatcher", request_body = ModeChange,
    responses((status = 200, body = DispatcherReport), (status = 403, body = Problem)),
    extensions(("x-access" = json!("system:operations")))
)]
async fn drain_dispatcher(
    State(dispatch): State<Dispatch>,
    caller: Caller,
    Json(body): Json<ModeChange>,
) -> Result<axum::Json<DispatcherReport>> {
    Ok(axum::Json(dispatch.set_mode(&caller, Mode::Draining, body.reason.as_deref()).await?))
}

/// Start queued builds again.
#[utoipa::path(
    post, path = "/dispatcher/resume", tag = "Dispatch", operation_id = "resume_dispatcher", request_body = ModeChange,
    responses((status = 200, body = DispatcherReport), (status = 403, body = Problem)),
    extensions(("x-access" = json!("system:operations")))
)]
async fn resume_dispatcher(
    State(dispatch): State<Dispatch>,
    caller: Caller,
    Json(body): Json<ModeChange>,
) -> Result<axum::Json<DispatcherReport>> {
    Ok(axum::Json(dispatch.set_mode(&caller, Mode::Running, body.reason.as_deref()).await?))
}
