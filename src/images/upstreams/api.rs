//! HTTP for upstreams.

use super::model::{NewUpstream, Upstream};
use super::service::Upstreams;
use crate::images::registry::Registry;
use crate::images::remotes::Login;
use crate::kernel::Result;
use crate::platform::http::{IfMatch, Json, Path, Problem, Refusals, etag};
use crate::tenancy::access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this context.
pub fn routes(upstreams: Upstreams, registry: Registry) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(get_upstream, set_upstream, delete_upstream)).with_state((upstreams, registry))
}

/// The registry that the project is a cache of. Its password is never shown.
#[utoipa::path(
    get, path = "/projects/{id}/upstream", tag = "projects", operation_id = "get_upstream",
    params(("id" = String, Path, description = "The project, by id or slug")),
    responses(
        (status = 200, body = Upstream, headers(("ETag" = String, description = "The version, for If-Match"))),
        Refusals,
    ),
    extensions(("x-access" = json!("project:update"))),
)]
async fn get_upstream(
    State(state): State<(Upstreams, Registry)>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let upstream = state.0.get(&caller, &id).await?;
    Ok((etag(upstream.version), axum::Json(upstream)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetUpstreamRequest {
    /// Address of the registry, such as `https://registry-1.docker.io`; a path is put before the names of images.
    #[schema(min_length = 1, max_length = 500)]
    url: String,
    /// Who signs in there; left out: nobody.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1f\x7f:]*$")]
    username: Option<String>,
    /// The password or token of that name; no answer will show it again.
    #[schema(value_type = Option<String>, format = Password, min_length = 1, max_length = 16384)]
    password: Option<SecretString>,
    /// Seconds for which a tag is served without asking whether it has moved; left out: 600.
    #[schema(minimum = 0, maximum = 604_800)]
    freshness_seconds: Option<i32>,
}

/// Make the project a cache of another registry: what is pulled from it and is not there is fetched and kept. Nobody
/// pushes to it any more.
#[utoipa::path(
    put, path = "/projects/{id}/upstream", tag = "projects", operation_id = "set_upstream",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("If-Match" = Option<String>, Header, description = "The version that the change was made from"),
    ),
    request_body = SetUpstreamRequest,
    responses(
        (status = 200, body = Upstream, headers(("ETag" = String, description = "The version, for If-Match"))),
        (status = 409, description = "The project is archived or has images of its own", body = Problem),
        (status = 412, description = "It has changed since the version of If-Match", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("project:update"))),
)]
async fn set_upstream(
    State(state): State<(Upstreams, Registry)>,
    caller: Caller,
    Path(id): Path<String>,
    if_match: IfMatch,
    Json(body): Json<SetUpstreamRequest>,
) -> Result<impl IntoResponse> {
    let login = Login::of(body.username, body.password)?;
    let freshness_seconds = body.freshness_seconds.unwrap_or(600);
    let new = NewUpstream { url: body.url, login, freshness_seconds };
    let (upstreams, registry) = state;
    let upstream = upstreams.set(&registry, &caller, &id, new, if_match).await?;
    Ok((etag(upstream.version), axum::Json(upstream)))
}

/// Make the project one like others again, with the images that it has.
#[utoipa::path(
    delete, path = "/projects/{id}/upstream", tag = "projects", operation_id = "delete_upstream",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("If-Match" = Option<String>, Header, description = "The version that the change was made from"),
    ),
    responses(
        (status = 204, description = "The project is no cache any more"),
        (status = 412, description = "It has changed since the version of If-Match", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("project:update"))),
)]
async fn delete_upstream(
    State(state): State<(Upstreams, Registry)>,
    caller: Caller,
    Path(id): Path<String>,
    if_match: IfMatch,
) -> Result<StatusCode> {
    state.0.delete(&caller, &id, if_match).await?;
    Ok(StatusCode::NO_CONTENT)
}
