//! HTTP of projects.

use super::model::{
    NewProject, NewSecret, Project, ProjectChange, ProjectFilters, ProjectMember, ProjectStatus, RegistryCredential,
    RegistryLogin, SecretInfo, SecretKind,
};
use super::service::Projects;
use crate::kernel::ids::UserId;
use crate::kernel::{Error, Fault, Page, Result};
use crate::platform::http::{IfMatch, Json, NoQuery, PageParams, Path, Problem, Query, Refusals, etag};
use crate::tenancy::access::{Caller, TenantRole};
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this context.
pub fn routes(service: Projects) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_projects, create_project))
        .routes(routes!(get_project, update_project))
        .routes(routes!(archive_project))
        .routes(routes!(restore_project))
        .routes(routes!(list_project_members))
        .routes(routes!(set_project_member, remove_project_member))
        .routes(routes!(list_secrets))
        .routes(routes!(set_secret, delete_secret))
        .routes(routes!(list_registry_credentials))
        .routes(routes!(set_registry_credential, delete_registry_credential))
        .with_state(service)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Exactly this slug.
    slug: Option<String>,
    /// Only these.
    status: Option<ProjectStatus>,
    /// Of all tenants; needs `system:read`.
    #[serde(default)]
    all_tenants: bool,
}

/// The projects that I may see, by slug.
#[utoipa::path(
    get, path = "/projects", tag = "projects", operation_id = "list_projects",
    params(ListQuery, PageParams),
    responses((status = 200, body = Page<Project>), Refusals),
    extensions(("x-access" = json!("project:read"))),
)]
async fn list_projects(
    State(projects): State<Projects>,
    caller: Caller,
    Query(q, page): Query<ListQuery>,
) -> Result<axum::Json<Page<Project>>> {
    let filters = ProjectFilters { slug: q.slug, status: q.status };
    projects.list(&caller, q.all_tenants, &filters, &page).await.map(axum::Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateProjectRequest {
    /// Unique in the tenant; the second part of the names of its images. Never changes.
    #[schema(min_length = 2, max_length = 40, pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    slug: String,
    /// For people; left out: the slug.
    #[serde(default)]
    #[schema(max_length = 100, pattern = r"^[^\x00-\x1f\x7f]*$")]
    name: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 2000, pattern = r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
    description: String,
}

/// Make a project.
#[utoipa::path(
    post, path = "/projects", tag = "projects", operation_id = "create_project",
    request_body = CreateProjectRequest,
    responses(
        (status = 201, body = Project, headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "The tenant has a project with this slug", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("project:create"))),
)]
async fn create_project(
    State(projects): State<Projects>,
    caller: Caller,
    Json(body): Json<CreateProjectRequest>,
) -> Result<impl IntoResponse> {
    let new = NewProject { slug: body.slug, name: body.name, description: body.description };
    let project = projects.create(&caller, new).await?;
    let location = [(LOCATION, format!("/api/v1/projects/{}", project.id))];
    Ok((StatusCode::CREATED, location, etag(project.version), axum::Json(project)))
}

/// A project.
#[utoipa::path(
    get, path = "/projects/{id}", tag = "projects", operation_id = "get_project",
    params(("id" = String, Path, description = "The project, by id or slug")),
    responses((status = 200, body = Project, headers(("ETag" = String))), Refusals),
    extensions(("x-access" = json!("project:read"))),
)]
async fn get_project(
    State(projects): State<Projects>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let project = projects.find(&caller, &id).await?;
    Ok((etag(project.version), axum::Json(project)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateProjectRequest {
    #[schema(min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1f\x7f]*$")]
    name: Option<String>,
    #[schema(max_length = 2000, pattern = r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
    description: Option<String>,
}

/// Change a project's name or description.
#[utoipa::path(
    patch, path = "/projects/{id}", tag = "projects", operation_id = "update_project",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    request_body = UpdateProjectRequest,
    responses(
        (status = 200, body = Project, headers(("ETag" = String))),
        (status = 409, description = "The project is archived", body = Problem),
        (status = 412, description = "It has changed since it was read", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("project:update"))),
)]
async fn update_project(
    State(projects): State<Projects>,
    caller: Caller,
    Path(id): Path<String>,
    if_match: IfMatch,
    Json(body): Json<UpdateProjectRequest>,
) -> Result<impl IntoResponse> {
    let change = ProjectChange { name: body.name, description: body.description };
    let project = projects.update(&caller, &id, change, if_match).await?;
    Ok((etag(project.version), axum::Json(project)))
}

/// Archive a project: no builds, no pushes, no changes until it is restored. Doing it twice is no fault.
#[utoipa::path(
    post, path = "/projects/{id}/archive", tag = "projects", operation_id = "archive_project",
    params(("id" = String, Path, description = "The project, by id or slug")),
    responses((status = 200, body = Project, headers(("ETag" = String))), Refusals),
    extensions(("x-access" = json!("project:update"))),
)]
async fn archive_project(
    State(projects): State<Projects>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let project = projects.set_status(&caller, &id, ProjectStatus::Archived).await?;
    Ok((etag(project.version), axum::Json(project)))
}

/// Restore an archived project. Doing it twice is no fault.
#[utoipa::path(
    post, path = "/projects/{id}/restore", tag = "projects", operation_id = "restore_project",
    params(("id" = String, Path, description = "The project, by id or slug")),
    responses((status = 200, body = Project, headers(("ETag" = String))), Refusals),
    extensions(("x-access" = json!("project:update"))),
)]
async fn restore_project(
    State(projects): State<Projects>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse> {
    let project = projects.set_status(&caller, &id, ProjectStatus::Active).await?;
    Ok((etag(project.version), axum::Json(project)))
}

/// Who has a further role in the project.
#[utoipa::path(
    get, path = "/projects/{id}/members", tag = "projects", operation_id = "list_project_members",
    params(("id" = String, Path, description = "The project, by id or slug"), PageParams),
    responses((status = 200, body = Page<ProjectMember>), Refusals),
    extensions(("x-access" = json!("member:read"))),
)]
async fn list_project_members(
    State(projects): State<Projects>,
    caller: Caller,
    Path(id): Path<String>,
    Query(NoQuery {}, page): Query<NoQuery>,
) -> Result<axum::Json<Page<ProjectMember>>> {
    projects.members(&caller, &id, &page).await.map(axum::Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetProjectMemberRequest {
    /// Any role but `owner`.
    role: TenantRole,
}

/// Give a member of the tenant a further role in the project, or another one.
#[utoipa::path(
    put, path = "/projects/{id}/members/{user_id}", tag = "projects", operation_id = "set_project_member",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("user_id" = UserId, Path, description = "A member of the tenant"),
    ),
    request_body = SetProjectMemberRequest,
    responses((status = 200, body = ProjectMember), Refusals),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn set_project_member(
    State(projects): State<Projects>,
    caller: Caller,
    Path((id, user)): Path<(String, UserId)>,
    Json(body): Json<SetProjectMemberRequest>,
) -> Result<axum::Json<ProjectMember>> {
    projects.set_member(&caller, &id, user, body.role).await.map(axum::Json)
}

/// Take the further role.
#[utoipa::path(
    delete, path = "/projects/{id}/members/{user_id}", tag = "projects", operation_id = "remove_project_member",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("user_id" = UserId, Path, description = "The member"),
    ),
    responses((status = 204, description = "The further role is gone"), Refusals),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn remove_project_member(
    State(projects): State<Projects>,
    caller: Caller,
    Path((id, user)): Path<(String, UserId)>,
) -> Result<StatusCode> {
    projects.remove_member(&caller, &id, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The secrets of a project, without values.
#[derive(Serialize, ToSchema)]
struct Secrets {
    items: Vec<SecretInfo>,
}

/// Names and kinds of the project's secrets. Values are never shown.
#[utoipa::path(
    get, path = "/projects/{id}/secrets", tag = "projects", operation_id = "list_secrets",
    params(("id" = String, Path, description = "The project, by id or slug")),
    responses((status = 200, body = Secrets), Refusals),
    extensions(("x-access" = json!("secret:manage"))),
)]
async fn list_secrets(
    State(projects): State<Projects>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Secrets>> {
    Ok(axum::Json(Secrets { items: projects.list_secrets(&caller, &id).await? }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetSecretRequest {
    /// What it is for.
    kind: SecretKind,
    /// The user name that goes with a `git_token`; left out: `git`.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1f\x7f]*$")]
    username: Option<String>,
    /// The value; no answer will show it again.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 65536)]
    value: SecretString,
}

/// Set a secret of the project, or give it a new value.
#[utoipa::path(
    put, path = "/projects/{id}/secrets/{name}", tag = "projects", operation_id = "set_secret",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("name" = String, Path, description = "A letter or _, then letters, digits and _; at most 64"),
    ),
    request_body = SetSecretRequest,
    responses(
        (status = 200, body = SecretInfo),
        (status = 409, description = "The project is archived or has too many secrets", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("secret:manage"))),
)]
async fn set_secret(
    State(projects): State<Projects>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
    Json(body): Json<SetSecretRequest>,
) -> Result<axum::Json<SecretInfo>> {
    if !is_secret_name(&name) {
        let fault = Fault::new("name", "wrong_format", "a letter or _, then letters, digits and _; at most 64");
        return Err(Error::faults(vec![fault]));
    }
    let new = NewSecret { kind: body.kind, username: body.username, value: body.value };
    projects.set_secret(&caller, &id, &name, new).await.map(axum::Json)
}

/// Delete a secret of the project.
#[utoipa::path(
    delete, path = "/projects/{id}/secrets/{name}", tag = "projects", operation_id = "delete_secret",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("name" = String, Path, description = "The secret"),
    ),
    responses((status = 204, description = "The secret is gone"), Refusals),
    extensions(("x-access" = json!("secret:manage"))),
)]
async fn delete_secret(
    State(projects): State<Projects>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
) -> Result<StatusCode> {
    projects.delete_secret(&caller, &id, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The credentials of a project, without passwords.
#[derive(Serialize, ToSchema)]
struct RegistryCredentials {
    items: Vec<RegistryCredential>,
}

/// With what the project's builds sign in to other registries. Passwords are never shown.
#[utoipa::path(
    get, path = "/projects/{id}/registry-credentials", tag = "projects", operation_id = "list_registry_credentials",
    params(("id" = String, Path, description = "The project, by id or slug")),
    responses((status = 200, body = RegistryCredentials), Refusals),
    extensions(("x-access" = json!("secret:manage"))),
)]
async fn list_registry_credentials(
    State(projects): State<Projects>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<RegistryCredentials>> {
    Ok(axum::Json(RegistryCredentials { items: projects.list_registry_credentials(&caller, &id).await? }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetRegistryCredentialRequest {
    /// Who signs in.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1f\x7f:]*$")]
    username: String,
    /// The password or token; no answer will show it again.
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 16384)]
    password: SecretString,
}

/// Let the project's builds sign in to a registry, to pull what they build upon; or change the password.
#[utoipa::path(
    put, path = "/projects/{id}/registry-credentials/{registry}", tag = "projects",
    operation_id = "set_registry_credential",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("registry" = String, Path, description = "`host` or `host:port`, as image references begin"),
    ),
    request_body = SetRegistryCredentialRequest,
    responses(
        (status = 200, body = RegistryCredential),
        (status = 409, description = "The project is archived or has too many", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("secret:manage"))),
)]
async fn set_registry_credential(
    State(projects): State<Projects>,
    caller: Caller,
    Path((id, registry)): Path<(String, String)>,
    Json(body): Json<SetRegistryCredentialRequest>,
) -> Result<axum::Json<RegistryCredential>> {
    let login = RegistryLogin { registry, username: body.username, password: body.password };
    projects.set_registry_credential(&caller, &id, login).await.map(axum::Json)
}

/// Let the project's builds sign in to a registry no more.
#[utoipa::path(
    delete, path = "/projects/{id}/registry-credentials/{registry}", tag = "projects",
    operation_id = "delete_registry_credential",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("registry" = String, Path, description = "The registry"),
    ),
    responses((status = 204, description = "The credential is gone"), Refusals),
    extensions(("x-access" = json!("secret:manage"))),
)]
async fn delete_registry_credential(
    State(projects): State<Projects>,
    caller: Caller,
    Path((id, registry)): Path<(String, String)>,
) -> Result<StatusCode> {
    projects.delete_registry_credential(&caller, &id, &registry).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn is_secret_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 64
}
