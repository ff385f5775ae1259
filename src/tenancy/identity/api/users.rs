//! Administration of people.

use super::super::model::{NewUser, User, UserChange, UserStatus};
use super::super::service::Identity;
use crate::kernel::ids::UserId;
use crate::kernel::{Page, Result};
use crate::platform::http::{Json, PageParams, Path, Query, Refusals};
use crate::tenancy::access::{Caller, SystemRole};
use axum::extract::State;
use http::StatusCode;
use http::header::LOCATION;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Exactly this address, in any case.
    email: Option<String>,
    /// Only these.
    status: Option<UserStatus>,
}

/// The people of the installation.
#[utoipa::path(
    get, path = "/users", tag = "users", operation_id = "list_users",
    params(ListQuery, PageParams),
    responses((status = 200, body = Page<User>), Refusals),
    extensions(("x-access" = json!("system:read"))),
)]
pub(super) async fn list_users(
    State(identity): State<Identity>,
    caller: Caller,
    Query(q, page): Query<ListQuery>,
) -> Result<axum::Json<Page<User>>> {
    identity.users().list(&caller, q.email.as_deref(), q.status, &page).await.map(axum::Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateUserRequest {
    /// Unique in any case.
    #[schema(max_length = 254, pattern = r"^[^\s@]+@[^\s@]+$")]
    email: String,
    /// For people.
    #[schema(min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1f\x7f]*$")]
    name: String,
    /// Roles in the whole installation.
    #[serde(default)]
    #[schema(max_items = 4)]
    system_roles: Vec<SystemRole>,
    /// A first password, which must be changed. Left out: a random one is made and shown once.
    #[schema(value_type = Option<String>, format = Password, min_length = 12, max_length = 128)]
    password: Option<SecretString>,
}

/// A person just added.
#[derive(Serialize, ToSchema)]
pub(super) struct UserCreatedAnswer {
    user: User,
    /// Shown this once; must be changed at the first sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    one_time_password: Option<String>,
}

/// Add a person to the installation.
#[utoipa::path(
    post, path = "/users", tag = "users", operation_id = "create_user",
    request_body = CreateUserRequest,
    responses(
        (status = 201, body = UserCreatedAnswer, headers(("Location" = String))),
        (status = 409, description = "There is a user with this address", body = crate::platform::http::Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("system:users"))),
)]
pub(super) async fn create_user(
    State(identity): State<Identity>,
    caller: Caller,
    Json(body): Json<CreateUserRequest>,
) -> Result<(StatusCode, [(http::HeaderName, String); 1], axum::Json<UserCreatedAnswer>)> {
    let new = NewUser {
        email: body.email,
        name: body.name,
        system_roles: body.system_roles,
        password: body.password,
        must_change_password: true,
    };
    let created = identity.users().create(&caller, new).await?;
    let location = [(LOCATION, format!("/api/v1/users/{}", created.user.id))];
    let one_time_password = created.one_time_password.map(|p| p.expose_secret().to_owned());
    Ok((StatusCode::CREATED, location, axum::Json(UserCreatedAnswer { user: created.user, one_time_password })))
}

/// A person.
#[utoipa::path(
    get, path = "/users/{id}", tag = "users", operation_id = "get_user",
    params(("id" = UserId, Path, description = "The person")),
    responses((status = 200, body = User), Refusals),
    extensions(("x-access" = json!("system:read"))),
)]
pub(super) async fn get_user(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<axum::Json<User>> {
    identity.users().get(&caller, id).await.map(axum::Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateUserRequest {
    #[schema(min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1f\x7f]*$")]
    name: Option<String>,
    /// Disabling ends all sessions; API keys stop working.
    status: Option<UserStatus>,
    #[schema(max_items = 4)]
    system_roles: Option<Vec<SystemRole>>,
}

/// Change a person: name, whether they may sign in, system roles.
#[utoipa::path(
    patch, path = "/users/{id}", tag = "users", operation_id = "update_user",
    params(("id" = UserId, Path, description = "The person")),
    request_body = UpdateUserRequest,
    responses(
        (status = 200, body = User),
        (status = 409, description = "The last active system administrator stays", body = crate::platform::http::Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("system:users"))),
)]
pub(super) async fn update_user(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<UserId>,
    Json(body): Json<UpdateUserRequest>,
) -> Result<axum::Json<User>> {
    let change = UserChange { name: body.name, status: body.status, system_roles: body.system_roles };
    identity.users().update(&caller, id, change).await.map(axum::Json)
}

/// A new one-time password.
#[derive(Serialize, ToSchema)]
pub(super) struct OneTimePasswordAnswer {
    /// Shown this once; must be changed at the next sign-in.
    one_time_password: String,
}

/// Give a person a new one-time password. Their sessions end.
#[utoipa::path(
    post, path = "/users/{id}/reset-password", tag = "users", operation_id = "reset_password",
    params(("id" = UserId, Path, description = "The person")),
    responses((status = 200, body = OneTimePasswordAnswer), Refusals),
    extensions(("x-access" = json!("system:users"))),
)]
pub(super) async fn reset_password(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<axum::Json<OneTimePasswordAnswer>> {
    let password = identity.users().reset_password(&caller, id).await?;
    Ok(axum::Json(OneTimePasswordAnswer { one_time_password: password.expose_secret().to_owned() }))
}

/// Sign a person out everywhere.
#[utoipa::path(
    delete, path = "/users/{id}/sessions", tag = "users", operation_id = "end_user_sessions",
    params(("id" = UserId, Path, description = "The person")),
    responses((status = 204, description = "All sessions are over"), Refusals),
    extensions(("x-access" = json!("system:users"))),
)]
pub(super) async fn end_user_sessions(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<StatusCode> {
    identity.users().sign_out(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
