//! API keys.

use super::super::model::{ApiKey, NewApiKey};
use super::super::service::Identity;
use crate::kernel::ids::{ApiKeyId, ProjectId};
use crate::kernel::{Page, Result};
use crate::platform::http::{Json, NoQuery, PageParams, Path, Query, Refusals};
use crate::tenancy::access::{Caller, Permission};
use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use http::header::LOCATION;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// My API keys in the tenant; everybody's for those who manage members.
#[utoipa::path(
    get, path = "/api-keys", tag = "api-keys", operation_id = "list_api_keys",
    params(PageParams),
    responses((status = 200, body = Page<ApiKey>), Refusals),
    extensions(("x-access" = json!("api_key:manage"))),
)]
pub(super) async fn list_api_keys(
    State(identity): State<Identity>,
    caller: Caller,
    Query(NoQuery {}, page): Query<NoQuery>,
) -> Result<axum::Json<Page<ApiKey>>> {
    identity.list_api_keys(&caller, &page).await.map(axum::Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateApiKeyRequest {
    /// For people: what the key is for.
    #[schema(min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1f\x7f]*$")]
    name: String,
    /// What it may do at most; you must have these permissions yourself.
    #[schema(min_items = 1, max_items = 100)]
    scopes: Vec<Permission>,
    /// Limits it to one project.
    project_id: Option<ProjectId>,
    /// When it stops working; left out: when it is revoked.
    expires_at: Option<DateTime<Utc>>,
}

/// A key just made.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeyCreatedAnswer {
    api_key: ApiKey,
    /// The whole key, shown this once. Send it as `Authorization: Bearer`.
    key: String,
}

/// Make an API key of my own.
#[utoipa::path(
    post, path = "/api-keys", tag = "api-keys", operation_id = "create_api_key",
    request_body = CreateApiKeyRequest,
    responses((status = 201, body = ApiKeyCreatedAnswer, headers(("Location" = String))), Refusals),
    extensions(("x-access" = json!("api_key:manage"))),
)]
pub(super) async fn create_api_key(
    State(identity): State<Identity>,
    caller: Caller,
    Json(body): Json<CreateApiKeyRequest>,
) -> Result<(StatusCode, [(http::HeaderName, String); 1], axum::Json<ApiKeyCreatedAnswer>)> {
    let new = NewApiKey {
        name: body.name,
        scopes: body.scopes,
        project_id: body.project_id,
        expires_at: body.expires_at,
    };
    let created = identity.create_api_key(&caller, new).await?;
    let location = [(LOCATION, format!("/api/v1/api-keys/{}", created.api_key.id))];
    let key = created.key.expose_secret().to_owned();
    Ok((StatusCode::CREATED, location, axum::Json(ApiKeyCreatedAnswer { api_key: created.api_key, key })))
}

/// An API key, without its secret.
#[utoipa::path(
    get, path = "/api-keys/{id}", tag = "api-keys", operation_id = "get_api_key",
    params(("id" = ApiKeyId, Path, description = "The key")),
    responses((status = 200, body = ApiKey), Refusals),
    extensions(("x-access" = json!("api_key:manage"))),
)]
pub(super) async fn get_api_key(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<ApiKeyId>,
) -> Result<axum::Json<ApiKey>> {
    identity.get_api_key(&caller, id).await.map(axum::Json)
}

/// Revoke an API key. Doing it twice is no fault.
#[utoipa::path(
    delete, path = "/api-keys/{id}", tag = "api-keys", operation_id = "revoke_api_key",
    params(("id" = ApiKeyId, Path, description = "The key")),
    responses((status = 204, description = "The key no longer works"), Refusals),
    extensions(("x-access" = json!("api_key:manage"))),
)]
pub(super) async fn revoke_api_key(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<ApiKeyId>,
) -> Result<StatusCode> {
    identity.revoke_api_key(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
