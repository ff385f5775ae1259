//! HTTP of tenants. The tenant of a path below `/tenants/{id}` is the tenant of the request: the middleware has selected
//! it, so that handlers only ask the caller.

use super::model::{
    Capability, CapabilityState, Member, NewMember, NewTenant, Quota, Tenant, TenantChange, TenantStatus,
};
use super::service::Tenants;
use crate::kernel::ids::UserId;
use crate::kernel::{Page, Result};
use crate::platform::http::{IfMatch, Json, NoQuery, PageParams, Path, Problem, Query, Refusals, etag};
use crate::tenancy::access::{Caller, TenantRole};
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this context.
pub fn routes(service: Tenants) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_tenants, create_tenant))
        .routes(routes!(get_tenant, update_tenant))
        .routes(routes!(list_members, add_member))
        .routes(routes!(update_member, remove_member))
        .routes(routes!(list_capabilities))
        .routes(routes!(set_capability))
        .routes(routes!(get_quota, set_quota))
        .with_state(service)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only these.
    status: Option<TenantStatus>,
}

/// The tenants of the installation, by slug. One's own are in `GET /me`.
#[utoipa::path(
    get, path = "/tenants", tag = "tenants", operation_id = "list_tenants",
    params(ListQuery, PageParams),
    responses((status = 200, body = Page<Tenant>), Refusals),
    extensions(("x-access" = json!("system:read"))),
)]
async fn list_tenants(
    State(tenants): State<Tenants>,
    caller: Caller,
    Query(q, page): Query<ListQuery>,
) -> Result<axum::Json<Page<Tenant>>> {
    tenants.list(&caller, q.status, &page).await.map(axum::Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateTenantRequest {
    /// Unique; the first part of the names of its images. Never changes.
    #[schema(min_length = 2, max_length = 40, pattern = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    slug: String,
    /// For people.
    #[schema(min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1f\x7f]*$")]
    name: String,
}

/// Make a tenant.
#[utoipa::path(
    post, path = "/tenants", tag = "tenants", operation_id = "create_tenant",
    request_body = CreateTenantRequest,
    responses(
        (status = 201, body = Tenant, headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "There is a tenant with this slug", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("system:tenants"))),
)]
async fn create_tenant(
    State(tenants): State<Tenants>,
    caller: Caller,
    Json(body): Json<CreateTenantRequest>,
) -> Result<impl IntoResponse> {
    let tenant = tenants.create(&caller, NewTenant { slug: body.slug, name: body.name }).await?;
    let location = [(LOCATION, format!("/api/v1/tenants/{}", tenant.id))];
    Ok((StatusCode::CREATED, location, etag(tenant.version), axum::Json(tenant)))
}

/// A tenant.
#[utoipa::path(
    get, path = "/tenants/{id}", tag = "tenants", operation_id = "get_tenant",
    params(("id" = String, Path, description = "The tenant, by id or slug")),
    responses((status = 200, body = Tenant, headers(("ETag" = String))), Refusals),
    extensions(("x-access" = json!("tenant:read"))),
)]
async fn get_tenant(State(tenants): State<Tenants>, caller: Caller) -> Result<impl IntoResponse> {
    let tenant = tenants.get(&caller).await?;
    Ok((etag(tenant.version), axum::Json(tenant)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateTenantRequest {
    /// For people.
    #[schema(min_length = 1, max_length = 100, pattern = r"^[^\x00-\x1f\x7f]*$")]
    name: Option<String>,
    /// Needs `system:tenants`.
    status: Option<TenantStatus>,
}

/// Change a tenant's name, or its status (system administrators).
#[utoipa::path(
    patch, path = "/tenants/{id}", tag = "tenants", operation_id = "update_tenant",
    params(
        ("id" = String, Path, description = "The tenant, by id or slug"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    request_body = UpdateTenantRequest,
    responses(
        (status = 200, body = Tenant, headers(("ETag" = String))),
        (status = 412, description = "It has changed since it was read", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("tenant:update"))),
)]
async fn update_tenant(
    State(tenants): State<Tenants>,
    caller: Caller,
    if_match: IfMatch,
    Json(body): Json<UpdateTenantRequest>,
) -> Result<impl IntoResponse> {
    let change = TenantChange { name: body.name, status: body.status };
    let tenant = tenants.update(&caller, change, if_match).await?;
    Ok((etag(tenant.version), axum::Json(tenant)))
}

/// Who belongs to the tenant.
#[utoipa::path(
    get, path = "/tenants/{id}/members", tag = "tenants", operation_id = "list_members",
    params(("id" = String, Path, description = "The tenant, by id or slug"), PageParams),
    responses((status = 200, body = Page<Member>), Refusals),
    extensions(("x-access" = json!("member:read"))),
)]
async fn list_members(
    State(tenants): State<Tenants>,
    caller: Caller,
    Query(NoQuery {}, page): Query<NoQuery>,
) -> Result<axum::Json<Page<Member>>> {
    tenants.members(&caller, &page).await.map(axum::Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddMemberRequest {
    /// Of somebody known to the installation; owners and system administrators may name somebody new.
    #[schema(max_length = 254, pattern = r"^[^\s@]+@[^\s@]+$")]
    email: String,
    /// The name of somebody new; left out: the address.
    #[serde(default)]
    #[schema(max_length = 100, pattern = r"^[^\x00-\x1f\x7f]*$")]
    name: String,
    /// What they may do.
    role: TenantRole,
}

/// A person just added.
#[derive(Serialize, ToSchema)]
struct MemberAddedAnswer {
    member: Member,
    /// For somebody new: shown this once, must be changed at the first sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    one_time_password: Option<String>,
}

/// Add a person to the tenant by address.
#[utoipa::path(
    post, path = "/tenants/{id}/members", tag = "tenants", operation_id = "add_member",
    params(("id" = String, Path, description = "The tenant, by id or slug")),
    request_body = AddMemberRequest,
    responses(
        (status = 201, body = MemberAddedAnswer, headers(("Location" = String))),
        (status = 409, description = "The person belongs to the tenant already", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn add_member(
    State(tenants): State<Tenants>,
    caller: Caller,
    Json(body): Json<AddMemberRequest>,
) -> Result<impl IntoResponse> {
    let tenant = caller.tenant()?.id;
    let new = NewMember { email: body.email, name: body.name, role: body.role };
    let added = tenants.add_member(&caller, new).await?;
    let location = [(LOCATION, format!("/api/v1/tenants/{tenant}/members/{}", added.member.user_id))];
    let one_time_password = added.one_time_password.map(|p| p.expose_secret().to_owned());
    Ok((StatusCode::CREATED, location, axum::Json(MemberAddedAnswer { member: added.member, one_time_password })))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateMemberRequest {
    /// What they may do.
    role: TenantRole,
}

/// Give a member another role.
#[utoipa::path(
    patch, path = "/tenants/{id}/members/{user_id}", tag = "tenants", operation_id = "update_member",
    params(
        ("id" = String, Path, description = "The tenant, by id or slug"),
        ("user_id" = UserId, Path, description = "The member"),
    ),
    request_body = UpdateMemberRequest,
    responses(
        (status = 200, body = Member),
        (status = 409, description = "The last owner stays one", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn update_member(
    State(tenants): State<Tenants>,
    caller: Caller,
    Path((_id, user)): Path<(String, UserId)>,
    Json(body): Json<UpdateMemberRequest>,
) -> Result<axum::Json<Member>> {
    tenants.change_member(&caller, user, body.role).await.map(axum::Json)
}

/// Take a member out of the tenant. Members may leave by themselves.
#[utoipa::path(
    delete, path = "/tenants/{id}/members/{user_id}", tag = "tenants", operation_id = "remove_member",
    params(
        ("id" = String, Path, description = "The tenant, by id or slug"),
        ("user_id" = UserId, Path, description = "The member"),
    ),
    responses(
        (status = 204, description = "They no longer belong to the tenant"),
        (status = 409, description = "The last owner stays", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn remove_member(
    State(tenants): State<Tenants>,
    caller: Caller,
    Path((_id, user)): Path<(String, UserId)>,
) -> Result<StatusCode> {
    tenants.remove_member(&caller, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the tenant is entitled to.
#[derive(Serialize, ToSchema)]
struct Capabilities {
    items: Vec<CapabilityState>,
}

/// What the tenant is entitled to, decided or by default.
#[utoipa::path(
    get, path = "/tenants/{id}/capabilities", tag = "tenants", operation_id = "list_capabilities",
    params(("id" = String, Path, description = "The tenant, by id or slug")),
    responses((status = 200, body = Capabilities), Refusals),
    extensions(("x-access" = json!("tenant:read"))),
)]
async fn list_capabilities(State(tenants): State<Tenants>, caller: Caller) -> Result<axum::Json<Capabilities>> {
    Ok(axum::Json(Capabilities { items: tenants.capabilities(&caller).await? }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetCapabilityRequest {
    /// Whether the tenant has it.
    entitled: bool,
    /// Why; kept with the decision and in the audit trail.
    #[schema(min_length = 3, max_length = 500, pattern = r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
    reason: String,
}

/// Give or take a capability, with a reason.
#[utoipa::path(
    put, path = "/tenants/{id}/capabilities/{capability}", tag = "tenants", operation_id = "set_capability",
    params(
        ("id" = String, Path, description = "The tenant, by id or slug"),
        ("capability" = Capability, Path, description = "Which"),
    ),
    request_body = SetCapabilityRequest,
    responses((status = 200, body = CapabilityState), Refusals),
    extensions(("x-access" = json!("system:tenants"))),
)]
async fn set_capability(
    State(tenants): State<Tenants>,
    caller: Caller,
    Path((_id, capability)): Path<(String, Capability)>,
    Json(body): Json<SetCapabilityRequest>,
) -> Result<axum::Json<CapabilityState>> {
    tenants.set_capability(&caller, capability, body.entitled, body.reason).await.map(axum::Json)
}

/// How much the tenant may use.
#[utoipa::path(
    get, path = "/tenants/{id}/quota", tag = "tenants", operation_id = "get_quota",
    params(("id" = String, Path, description = "The tenant, by id or slug")),
    responses((status = 200, body = Quota, headers(("ETag" = String))), Refusals),
    extensions(("x-access" = json!("tenant:read"))),
)]
async fn get_quota(State(tenants): State<Tenants>, caller: Caller) -> Result<impl IntoResponse> {
    let quota = tenants.get_quota(&caller).await?;
    Ok((etag(quota.version), axum::Json(quota)))
}

/// Change how much the tenant may use.
#[utoipa::path(
    put, path = "/tenants/{id}/quota", tag = "tenants", operation_id = "set_quota",
    params(
        ("id" = String, Path, description = "The tenant, by id or slug"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    request_body = Quota,
    responses(
        (status = 200, body = Quota, headers(("ETag" = String))),
        (status = 412, description = "It has changed since it was read", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("system:tenants"))),
)]
async fn set_quota(
    State(tenants): State<Tenants>,
    caller: Caller,
    if_match: IfMatch,
    Json(body): Json<Quota>,
) -> Result<impl IntoResponse> {
    let quota = tenants.set_quota(&caller, body, if_match).await?;
    Ok((etag(quota.version), axum::Json(quota)))
}
