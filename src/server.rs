//! Every context's routes, the middleware around them, the OpenAPI document.

use crate::app::App;
use crate::communication::live;
use crate::config::Config;
use crate::images::{catalog, registry, replication, robots, upstreams};
use crate::kernel::secret::Keyring;
use crate::kernel::{Page, Result};
use crate::orchestration::{builds, dispatch};
use crate::platform::http::idempotency::{self, Idempotency};
use crate::platform::http::{NoQuery, Problem, Query, Refusals, forwarded, refuse_nul, request_id, web_app};
use crate::platform::jobs::{self, TaskStatus};
use crate::platform::tasks::Tasks;
use crate::platform::telemetry;
use crate::tenancy::access::{Caller, SystemPermission};
use crate::tenancy::{audit, identity, projects, tenants};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get};
use http::HeaderValue;
use http::header::X_CONTENT_TYPE_OPTIONS;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutBody};
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest body of a route that does not say otherwise.
const BODY_LIMIT: usize = 1024 * 1024;

#[derive(OpenApi)]
#[openapi(
    info(title = "Image Factory", description = "Build, scan, hold, release and distribute images."),
    servers((url = "/api/v1")),
    components(schemas(Problem))
)]
struct ApiDocument;

/// The API's routes with their documentation, without middleware.
fn api(app: &App) -> OpenApiRouter {
    OpenApiRouter::with_openapi(ApiDocument::openapi())
        .merge(identity::routes(app.identity.clone()))
        .merge(tenants::routes(app.tenants.clone()))
        .merge(projects::routes(app.projects.clone()))
        .merge(audit::routes(app.audit.clone()))
        .merge(catalog::routes(app.catalog.clone()))
        .merge(registry::management_routes(app.registry.clone()))
        .merge(robots::routes(app.robots.clone()))
        .merge(upstreams::routes(app.upstreams.clone(), app.registry.clone()))
        .merge(replication::routes(app.replication.clone()))
        .merge(builds::routes(app.builds.clone()))
        .merge(dispatch::routes(app.dispatch.clone()))
        .merge(live::routes(app.live.clone()))
        .merge(system_routes(app.clone()))
}

/// The OpenAPI document alone; nothing is connected to.
pub fn openapi(config: &Config) -> Result<Document> {
    let mut config = config.clone();
    if config.encryption_key.is_empty() {
        config.encryption_key = Keyring::generate_base64();
    }
    let app = App::wire(config, Tasks::default(), telemetry::init_metrics()?)?;
    Ok(api(&app).into_openapi())
}

/// The whole server.
pub fn router(app: &App) -> Result<Router> {
    let (api, document) = api(app).split_for_parts();
    let stall = Duration::from_secs(app.config.server.stall_timeout_seconds);
    let unless_stalled = ServiceBuilder::new()
        .layer(RequestBodyTimeoutLayer::new(stall))
        .map_request(|r: http::Request<TimeoutBody<Body>>| r.map(Body::new));
    // The last layer is the outermost: who asks is known before a kept answer is looked for.
    let api = api
        .layer(from_fn_with_state(app.clone(), idempotent))
        .layer(from_fn_with_state(app.gate.clone(), identity::middleware))
        .layer(unless_stalled);
    let document = serde_json::to_value(document)?;
    let ready = app.clone();
    let mut router = Router::new()
        .nest("/api/v1", api)
        .route("/api/v1/openapi.json", get(async move || axum::Json(document.clone())))
        .route("/health", get(async || "ok"))
        .route("/ready", get(async move || ready.ready().await.map(|()| "ready")));
    if app.metrics_listen().is_none() {
        router = router.merge(metrics_router(app));
    }
    let router = router
        .merge(
            utoipa_swagger_ui::SwaggerUi::new("/api/docs")
                .config(utoipa_swagger_ui::Config::from("/api/v1/openapi.json")),
        )
        .merge(registry::routes(app.registry.clone()));
    let proxies: Arc<[_]> = app.config.server.trusted_proxies.clone().into();
    Ok(router
        .fallback_service(ServiceBuilder::new().layer(CompressionLayer::new()).service(any(web_app).with_state(())))
        .layer(SetResponseHeaderLayer::if_not_present(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(refuse_nul))
        .layer(from_fn_with_state(proxies, forwarded::middleware))
        .layer(from_fn(request_id::middleware)))
}

/// `/metrics`, for a listener of its own or beside the API.
pub fn metrics_router(app: &App) -> Router {
    let metrics = app.metrics.clone();
    Router::new().route("/metrics", get(async move || metrics.render()))
}

/// Keys of two callers never meet, nor those of one caller in two tenants.
async fn idempotent(State(app): State<App>, request: Request, next: Next) -> Result<Response> {
    let Some(caller) = request.extensions().get::<Caller>() else { return Ok(next.run(request).await) };
    let tenant = caller.tenant.as_ref().map(|t| t.id.to_string()).unwrap_or_default();
    let name = format!("{}@{tenant}", caller.actor);
    let with = Idempotency { db: app.db, keyring: app.keyring, tasks: app.tasks };
    idempotency::middleware(with, name, request, next).await
}

/// What operators see of the process.
fn system_routes(app: App) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list_tasks)).routes(routes!(get_system_info)).with_state(app)
}

/// List background work by kind.
#[utoipa::path(
    get, path = "/system/tasks", tag = "System", operation_id = "list_tasks",
    responses((status = 200, body = Page<TaskStatus>), Refusals),
    extensions(("x-access" = json!("system:read")))
)]
async fn list_tasks(State(app): State<App>, caller: Caller, _: Query<NoQuery>) -> Result<axum::Json<Page<TaskStatus>>> {
    caller.require_system(SystemPermission::SystemRead)?;
    Ok(axum::Json(Page { items: jobs::status(&app.db).await?, next_cursor: None }))
}

/// The server.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SystemInfo {
    /// Version of the binary.
    pub version: String,
    /// Address at which clients reach it.
    pub public_url: String,
    /// Whether this process runs builds.
    pub runs_builds: bool,
}

/// Get the server's version and address.
#[utoipa::path(
    get, path = "/system/info", tag = "System", operation_id = "get_system_info",
    responses((status = 200, body = SystemInfo), Refusals),
    extensions(("x-access" = json!("system:read")))
)]
async fn get_system_info(State(app): State<App>, caller: Caller) -> Result<axum::Json<SystemInfo>> {
    caller.require_system(SystemPermission::SystemRead)?;
    Ok(axum::Json(SystemInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        public_url: app.config.server.public_url.clone(),
        runs_builds: app.config.dispatch.enabled,
    }))
}
