//! What operators see and do about storage.

use crate::images::registry::model::{RunKind, StorageRun, StorageTotals};
use crate::images::registry::service::Registry;
use crate::kernel::ids::StorageRunId;
use crate::kernel::{Page, Result};
use crate::platform::http::{Json, NoQuery, PageParams, Path, Problem, Query, Refusals};
use crate::tenancy::access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Registry> {
    OpenApiRouter::new()
        .routes(routes!(get_storage))
        .routes(routes!(list_storage_runs, start_storage_run))
        .routes(routes!(get_storage_run))
}

/// What the storage holds, by backend.
#[utoipa::path(
    get, path = "/system/storage", tag = "System", operation_id = "get_storage",
    responses((status = 200, body = Page<StorageTotals>), Refusals),
    extensions(("x-access" = json!("system:read")))
)]
async fn get_storage(
    State(registry): State<Registry>,
    caller: Caller,
    _: Query<NoQuery>,
) -> Result<axum::Json<Page<StorageTotals>>> {
    Ok(axum::Json(Page { items: registry.storage_totals(&caller).await?, next_cursor: None }))
}

/// Collections of garbage and verifications of content, newest first.
#[utoipa::path(
    get, path = "/system/storage/runs", tag = "System", operation_id = "list_storage_runs",
    params(PageParams),
    responses((status = 200, body = Page<StorageRun>), Refusals),
    extensions(("x-access" = json!("system:read")))
)]
async fn list_storage_runs(
    State(registry): State<Registry>,
    caller: Caller,
    Query(NoQuery {}, page): Query<NoQuery>,
) -> Result<axum::Json<Page<StorageRun>>> {
    registry.storage_runs(&caller, &page).await.map(axum::Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StartStorageRunRequest {
    /// What to do.
    kind: RunKind,
    /// Report what would go, and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Collect garbage, or verify what is stored. It begins within seconds, after those before it.
#[utoipa::path(
    post, path = "/system/storage/runs", tag = "System", operation_id = "start_storage_run",
    request_body = StartStorageRunRequest,
    responses(
        (status = 202, body = StorageRun, headers(("Location" = String))),
        (status = 409, description = "One like it is queued or running", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("system:operations")))
)]
async fn start_storage_run(
    State(registry): State<Registry>,
    caller: Caller,
    Json(body): Json<StartStorageRunRequest>,
) -> Result<impl IntoResponse> {
    let run = registry.start_storage_run(&caller, body.kind, body.dry_run).await?;
    let location = [(LOCATION, format!("/api/v1/system/storage/runs/{}", run.id))];
    Ok((StatusCode::ACCEPTED, location, axum::Json(run)))
}

/// A collection or verification: how far it is and what it has found.
#[utoipa::path(
    get, path = "/system/storage/runs/{id}", tag = "System", operation_id = "get_storage_run",
    params(("id" = StorageRunId, Path, description = "The run")),
    responses((status = 200, body = StorageRun), Refusals),
    extensions(("x-access" = json!("system:read")))
)]
async fn get_storage_run(
    State(registry): State<Registry>,
    caller: Caller,
    Path(id): Path<StorageRunId>,
) -> Result<axum::Json<StorageRun>> {
    registry.storage_run(&caller, id).await.map(axum::Json)
}
