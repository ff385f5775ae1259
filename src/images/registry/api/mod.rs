//! The registry over HTTP: `/v2/` (OCI Distribution Specification 1.1).

mod blobs;
mod listings;
mod manifests;
mod referrers;
mod refusal;
mod request;
mod retention;
mod route;
mod storage;
mod token;
mod transfers;
mod uploads;

use super::access::Access;
use super::model::{Actions, Scope};
use super::service::{Credentials, Registry};
use crate::kernel::{Kind, Result};
use crate::platform::http::{peer, request_id};
use crate::tenancy::access::RequestInfo;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::header::{AUTHORIZATION, USER_AGENT};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use refusal::{Challenge, not_allowed, refuse};
use route::Target;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// Routes of the registry, to stand beside the API. They take bodies of any length: neither a body limit nor a deadline
/// for the whole request may lie over them. A client that stops sending is cut off.
pub fn routes(registry: Registry) -> Router {
    Router::new()
        .route("/v2", any(root))
        .route("/v2/", any(root))
        .route("/v2/token", get(token::by_query).post(token::by_form))
        .route("/v2/{*path}", any(dispatch))
        .layer(axum::middleware::from_fn(api_version))
        .with_state(registry)
}

/// Routes of the API: what is managed about the registry.
pub fn management_routes(registry: Registry) -> OpenApiRouter {
    storage::routes().merge(retention::routes()).merge(transfers::routes()).with_state(registry)
}

async fn api_version(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    response
}

/// Tells a client that it speaks to a registry, and whether its credentials hold.
async fn root(State(registry): State<Registry>, parts: Parts) -> Response {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return not_allowed("GET, HEAD");
    }
    let challenge = Challenge::new(&registry, &parts.headers, None);
    match authenticate(&registry, &parts, Vec::new()).await {
        Ok(access) if !access.is_anonymous() => axum::Json(serde_json::json!({})).into_response(),
        Ok(_) => refuse(&super::error::unauthorized(), &challenge),
        Err(error) => refuse(&error, &challenge),
    }
}

async fn dispatch(State(registry): State<Registry>, Path(path): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (label, response) = match route::parse(&path) {
        Ok(target) => (target.label(), handle(&registry, target, &parts, body).await),
        Err(error) => ("unknown", refuse(&error, &Challenge::none())),
    };
    metrics::counter!("image_factory_registry_requests_total",
        "route" => label, "method" => method_label(&parts.method), "status" => response.status().as_str().to_owned())
    .increment(1);
    response
}

async fn handle(registry: &Registry, target: Target, parts: &Parts, body: Body) -> Response {
    let needs = target.scope(&parts.method);
    let scope = needs.as_ref().map_or_else(|| Scope::CATALOG.to_owned(), ToString::to_string);
    let challenge = Challenge::new(registry, &parts.headers, Some(&scope));
    let everything = needs.into_iter().map(|needs| Scope { actions: Actions::all(), ..needs }).collect();
    let access = match authenticate(registry, parts, everything).await {
        Ok(access) => Arc::new(access),
        Err(error) => return refuse(&error, &challenge),
    };
    let handled = match target {
        Target::Manifest(name, reference) => manifests::handle(registry, &access, &name, &reference, parts, body).await,
        Target::Tags(name) => listings::tags(registry, &access, &name, parts).await,
        Target::Catalog => listings::repositories(registry, &access, parts).await,
        Target::Referrers(name, digest) => referrers::list(registry, &access, &name, &digest, parts).await,
        Target::Blob(name, digest) => blobs::handle(registry, &access, &name, &digest, parts).await,
        Target::Uploads(name) => uploads::start(registry, &access, &name, parts, body).await,
        Target::Upload(name, id) => uploads::handle(registry, &access, &name, &id, parts, body).await,
    };
    handled.unwrap_or_else(|error| {
        if error.kind() == Kind::Unauthenticated && !access.is_anonymous() {
            refuse(&error, &challenge.insufficient())
        } else {
            refuse(&error, &challenge)
        }
    })
}

/// What the request's credentials may do: a token's own rights, or those of a user name and password for these scopes.
async fn authenticate(registry: &Registry, parts: &Parts, scopes: Vec<Scope>) -> Result<Access> {
    let Some(header) = parts.headers.get(AUTHORIZATION) else { return Ok(Access::anonymous()) };
    if let Some(token) = request::bearer(header) {
        return registry.verify_token(token, request_info(parts));
    }
    let credentials: Credentials = request::basic(header)?;
    registry.sign_in(Some(&credentials), scopes, request_info(parts)).await
}

fn request_info(parts: &Parts) -> RequestInfo {
    let agent = parts.headers.get(USER_AGENT).and_then(|v| v.to_str().ok());
    RequestInfo {
        ip: peer(&parts.extensions).map(|p| p.ip()),
        user_agent: agent.map(|a| a.chars().take(256).collect()),
        request_id: request_id::current(),
    }
}

fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

/// An answer without a body.
fn empty(status: StatusCode, headers: &[(HeaderName, String)]) -> Result<Response> {
    let mut response = status.into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, request::header_value(value)?);
    }
    Ok(response)
}
