//! Retention policies of projects over HTTP.

use crate::images::registry::model::RetentionPolicy;
use crate::images::registry::service::{Registry, RetentionPreview};
use crate::kernel::Result;
use crate::platform::http::{IfMatch, Json, Path, Problem, Refusals, etag};
use crate::tenancy::access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Registry> {
    OpenApiRouter::new()
        .routes(routes!(get_retention_policy, replace_retention_policy))
        .routes(routes!(preview_retention_policy))
}

/// What goes from the project's repositories by itself, and which tags never move.
#[utoipa::path(
    get, path = "/projects/{id}/retention-policy", tag = "images", operation_id = "get_retention_policy",
    params(("id" = String, Path, description = "The project, by id or slug")),
    responses((status = 200, body = RetentionPolicy, headers(("ETag" = String))), Refusals),
    extensions(("x-access" = json!("project:read"))),
)]
async fn get_retention_policy(
    State(registry): State<Registry>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let (policy, version) = registry.retention_policy(&caller, &id).await?;
    Ok((etag(version), axum::Json(policy)))
}

/// Replace the project's retention policy.
#[utoipa::path(
    put, path = "/projects/{id}/retention-policy", tag = "images", operation_id = "replace_retention_policy",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    request_body = RetentionPolicy,
    responses(
        (status = 200, body = RetentionPolicy, headers(("ETag" = String))),
        (status = 409, description = "The project is archived", body = Problem),
        (status = 412, description = "It has changed since it was read", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("project:update"))),
)]
async fn replace_retention_policy(
    State(registry): State<Registry>,
    caller: Caller,
    Path(id): Path<String>,
    expected: IfMatch,
    Json(policy): Json<RetentionPolicy>,
) -> Result<impl IntoResponse> {
    let (policy, version) = registry.set_retention_policy(&caller, &id, policy, expected).await?;
    Ok((etag(version), axum::Json(policy)))
}

/// What this policy would take from the project now. Nothing is saved and nothing goes.
#[utoipa::path(
    post, path = "/projects/{id}/retention-policy/preview", tag = "images", operation_id = "preview_retention_policy",
    params(("id" = String, Path, description = "The project, by id or slug")),
    request_body = RetentionPolicy,
    responses((status = 200, body = RetentionPreview), Refusals),
    extensions(("x-access" = json!("project:update"))),
)]
async fn preview_retention_policy(
    State(registry): State<Registry>,
    caller: Caller,
    Path(id): Path<String>,
    Json(policy): Json<RetentionPolicy>,
) -> Result<axum::Json<RetentionPreview>> {
    registry.preview_retention(&caller, &id, &policy).await.map(axum::Json)
}
