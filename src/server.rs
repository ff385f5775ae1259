//! Every context's routes, the middleware around them, the OpenAPI document.

use crate::app::App;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::kernel::Error;
use crate::platform::http::request_id;

/// Largest body of a route that does not say otherwise.
const BODY_LIMIT: usize = 1024 * 1024;

#[derive(OpenApi)]
#[openapi(info(title = "Image Factory", description = "Build, scan, hold, release and distribute images."))]
struct ApiDocument;

/// The API's routes with their documentation, without middleware.
fn api(_app: &App) -> OpenApiRouter {
    OpenApiRouter::with_openapi(ApiDocument::openapi())
}

/// The whole server.
pub fn router(app: &App) -> Router {
    let (api, document) = api(app).split_for_parts();
    let document = std::sync::Arc::new(document);
    let ready = app.clone();
    Router::new()
        .nest("/api/v1", api)
        .route("/api/v1/openapi.json", get(async move || axum::Json((*document).clone())))
        .route("/health", get(async || "ok"))
        .route("/ready", get(async move || ready.ready().await.map(|()| "ready")))
        .fallback(async || Error::not_found("page").into_response())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::from_fn(request_id::middleware))
}
