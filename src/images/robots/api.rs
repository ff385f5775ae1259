//! HTTP of robot accounts.

use super::model::{NewRobot, RobotAccount, RobotChange, RobotCreated};
use super::service::Robots;
use crate::images::registry::Action;
use crate::kernel::ids::{ProjectId, RobotId};
use crate::kernel::{Page, Result};
use crate::platform::http::{IfMatch, Json, NoQuery, PageParams, Path, Problem, Query, Refusals, etag, named};
use crate::tenancy::access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use http::StatusCode;
use http::header::LOCATION;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this context.
pub fn routes(robots: Robots) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_robot_accounts, create_robot_account))
        .routes(routes!(get_robot_account, update_robot_account, delete_robot_account))
        .routes(routes!(rotate_robot_secret))
        .with_state(robots)
}

/// The robot accounts that I manage, in order of creation.
#[utoipa::path(
    get, path = "/robot-accounts", tag = "robot-accounts", operation_id = "list_robot_accounts",
    params(PageParams),
    responses((status = 200, body = Page<RobotAccount>), Refusals),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn list_robot_accounts(
    State(robots): State<Robots>,
    caller: Caller,
    Query(NoQuery {}, page): Query<NoQuery>,
) -> Result<axum::Json<Page<RobotAccount>>> {
    robots.list(&caller, &page).await.map(axum::Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateRobotAccountRequest {
    /// Unique in the tenant; it signs in as `<tenant>+<name>`. Never changes.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+([._-][a-z0-9]+)*$")]
    name: String,
    /// For people: what it is for.
    #[serde(default)]
    #[schema(max_length = 2000, pattern = r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
    description: String,
    /// Limits it to one project.
    project_id: Option<ProjectId>,
    /// Patterns of `<project>/<image>`, in which `*` stands for any characters; left out: all repositories.
    #[serde(default = "everything")]
    #[schema(min_items = 1, max_items = 50)]
    repositories: Vec<String>,
    /// What it may do with them; you must have these permissions yourself.
    #[schema(min_items = 1, max_items = 3)]
    actions: Vec<Action>,
    /// When it stops working; left out: when it is deleted.
    expires_at: Option<DateTime<Utc>>,
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

/// A robot account with a new secret.
#[derive(Serialize, ToSchema)]
struct RobotAccountSecret {
    robot_account: RobotAccount,
    /// Its password at the registry, shown this once.
    secret: String,
}

impl From<RobotCreated> for RobotAccountSecret {
    fn from(made: RobotCreated) -> Self {
        Self { robot_account: made.robot_account, secret: made.secret.expose_secret().to_owned() }
    }
}

/// Make a robot account.
#[utoipa::path(
    post, path = "/robot-accounts", tag = "robot-accounts", operation_id = "create_robot_account",
    request_body = CreateRobotAccountRequest,
    responses(
        (status = 201, body = RobotAccountSecret, headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "The tenant has a robot account of this name", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn create_robot_account(
    State(robots): State<Robots>,
    caller: Caller,
    Json(body): Json<CreateRobotAccountRequest>,
) -> Result<impl IntoResponse> {
    let new = NewRobot {
        name: body.name,
        description: body.description,
        project_id: body.project_id,
        repositories: body.repositories,
        actions: body.actions,
        expires_at: body.expires_at,
    };
    let made = robots.create(&caller, new).await?;
    let location = [(LOCATION, format!("/api/v1/robot-accounts/{}", made.robot_account.id))];
    Ok((StatusCode::CREATED, location, etag(made.robot_account.version), axum::Json(RobotAccountSecret::from(made))))
}

/// A robot account, without its secret.
#[utoipa::path(
    get, path = "/robot-accounts/{id}", tag = "robot-accounts", operation_id = "get_robot_account",
    params(("id" = RobotId, Path, description = "The robot account")),
    responses((status = 200, body = RobotAccount, headers(("ETag" = String))), Refusals),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn get_robot_account(
    State(robots): State<Robots>,
    caller: Caller,
    Path(id): Path<RobotId>,
) -> Result<impl IntoResponse> {
    let robot = robots.get(&caller, id).await?;
    Ok((etag(robot.version), axum::Json(robot)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateRobotAccountRequest {
    #[schema(max_length = 2000, pattern = r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
    description: Option<String>,
    /// Patterns of `<project>/<image>`, in which `*` stands for any characters.
    #[schema(min_items = 1, max_items = 50)]
    repositories: Option<Vec<String>>,
    /// What it may do with them; you must have these permissions yourself.
    #[schema(min_items = 1, max_items = 3)]
    actions: Option<Vec<Action>>,
    /// Whether it is kept out.
    disabled: Option<bool>,
    /// When it stops working; null: when it is deleted.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    #[expect(clippy::option_option, reason = "left out, null and a time are three answers")]
    expires_at: Option<Option<DateTime<Utc>>>,
}

/// Change a robot account, keep it out or let it in again.
#[utoipa::path(
    patch, path = "/robot-accounts/{id}", tag = "robot-accounts", operation_id = "update_robot_account",
    params(
        ("id" = RobotId, Path, description = "The robot account"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    request_body = UpdateRobotAccountRequest,
    responses(
        (status = 200, body = RobotAccount, headers(("ETag" = String))),
        (status = 412, description = "It has changed since it was read", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn update_robot_account(
    State(robots): State<Robots>,
    caller: Caller,
    Path(id): Path<RobotId>,
    if_match: IfMatch,
    Json(body): Json<UpdateRobotAccountRequest>,
) -> Result<impl IntoResponse> {
    let change = RobotChange {
        description: body.description,
        repositories: body.repositories,
        actions: body.actions,
        disabled: body.disabled,
        expires_at: body.expires_at,
    };
    let robot = robots.update(&caller, id, change, if_match).await?;
    Ok((etag(robot.version), axum::Json(robot)))
}

/// Give a robot account a new secret. The one before works no more.
#[utoipa::path(
    post, path = "/robot-accounts/{id}/rotate-secret", tag = "robot-accounts", operation_id = "rotate_robot_secret",
    params(("id" = RobotId, Path, description = "The robot account")),
    responses((status = 200, body = RobotAccountSecret, headers(("ETag" = String))), Refusals),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn rotate_robot_secret(
    State(robots): State<Robots>,
    caller: Caller,
    Path(id): Path<RobotId>,
) -> Result<impl IntoResponse> {
    let made = robots.rotate_secret(&caller, id).await?;
    Ok((etag(made.robot_account.version), axum::Json(RobotAccountSecret::from(made))))
}

/// Delete a robot account.
#[utoipa::path(
    delete, path = "/robot-accounts/{id}", tag = "robot-accounts", operation_id = "delete_robot_account",
    params(("id" = RobotId, Path, description = "The robot account")),
    responses((status = 204, description = "It no longer works"), Refusals),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn delete_robot_account(
    State(robots): State<Robots>,
    caller: Caller,
    Path(id): Path<RobotId>,
) -> Result<StatusCode> {
    robots.delete(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
