//! What operators see of the process: background tasks, version.

use crate::app::App;
use crate::kernel::{Page, Result};
use crate::platform::http::{NoQuery, Problem, Query};
use crate::platform::jobs::{self, TaskStatus};
use crate::tenancy::access::{Caller, SystemPermission};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes(app: App) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list_tasks)).routes(routes!(get_system_info)).with_state(app)
}

/// List background work by kind.
#[utoipa::path(
    get, path = "/system/tasks", tag = "System", operation_id = "list_tasks",
    responses((status = 200, body = Page<TaskStatus>), (status = 403, body = Problem)),
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
    responses((status = 200, body = SystemInfo), (status = 403, body = Problem)),
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
