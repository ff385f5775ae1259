//! The caller themselves.

use super::super::model::User;
use super::super::principals::Principal;
use super::super::service::Identity;
use crate::kernel::Actor;
use crate::kernel::Result;
use crate::kernel::ids::{ApiKeyId, ProjectId, TenantId};
use crate::platform::http::{Json, Refusals};
use crate::tenancy::access::{Caller, Permission, SystemPermission, TenantRole};
use crate::tenancy::tenants::TenantStatus;
use axum::Extension;
use axum::extract::State;
use http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use utoipa::ToSchema;

/// The caller, and what they may do.
#[derive(Serialize, ToSchema)]
pub(super) struct MeAnswer {
    /// The person, also behind an API key.
    user: User,
    /// The API key that the request carried.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_id: Option<ApiKeyId>,
    /// What they may do in the whole installation.
    system_permissions: Vec<SystemPermission>,
    /// Where images are pulled from and pushed to: `host[:port]`, the beginning of every reference.
    registry: String,
    /// The tenants that they belong to.
    tenants: Vec<MyTenant>,
    /// The tenant that the request selects, with what they may do in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<SelectedTenant>,
}

/// A tenant of the caller.
#[derive(Serialize, ToSchema)]
pub(super) struct MyTenant {
    id: TenantId,
    slug: String,
    name: String,
    status: TenantStatus,
    /// None where only a system role lets them in.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<TenantRole>,
}

/// The selected tenant.
#[derive(Serialize, ToSchema)]
pub(super) struct SelectedTenant {
    id: TenantId,
    slug: String,
    /// In all of the tenant.
    permissions: Vec<Permission>,
    /// In single projects, by project id.
    projects: BTreeMap<ProjectId, Vec<Permission>>,
}

/// Who am I, and what may I do?
#[utoipa::path(
    get, path = "/me", tag = "me", operation_id = "get_me",
    responses((status = 200, body = MeAnswer), Refusals),
    extensions(("x-access" = json!("authenticated"))),
)]
pub(super) async fn get_me(
    State(identity): State<Identity>,
    caller: Caller,
    Extension(principal): Extension<Arc<Principal>>,
) -> Result<axum::Json<MeAnswer>> {
    let user = identity.own_user(&principal).await?;
    let system: BTreeSet<_> = caller.system_roles.iter().flat_map(|r| r.permissions()).copied().collect();
    let tenants = principal.tenants.iter().map(|t| MyTenant {
        id: t.id,
        slug: t.slug.clone(),
        name: t.name.clone(),
        status: t.status,
        role: t.role,
    });
    let tenant = caller.tenant.as_ref().map(|t| SelectedTenant {
        id: t.id,
        slug: t.slug.clone(),
        permissions: t.permissions.iter().collect(),
        projects: t.projects.iter().map(|(id, p)| (*id, p.iter().collect())).collect(),
    });
    let api_key_id = match caller.actor {
        Actor::ApiKey(id) => Some(id),
        _ => None,
    };
    let system_permissions = system.into_iter().collect();
    let registry = identity.registry.clone();
    Ok(axum::Json(MeAnswer { user, api_key_id, system_permissions, registry, tenants: tenants.collect(), tenant }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePasswordRequest {
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 128)]
    current_password: SecretString,
    /// 12 to 128 characters; nothing else is asked of it.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 128)]
    new_password: SecretString,
}

/// Change my password. My other sessions end.
#[utoipa::path(
    post, path = "/me/password", tag = "me", operation_id = "change_password",
    request_body = ChangePasswordRequest,
    responses((status = 204, description = "The password is changed"), Refusals),
    extensions(("x-access" = json!("authenticated"))),
)]
pub(super) async fn change_password(
    State(identity): State<Identity>,
    caller: Caller,
    Extension(principal): Extension<Arc<Principal>>,
    Json(body): Json<ChangePasswordRequest>,
) -> Result<StatusCode> {
    identity.change_password(&caller, principal.session, body.current_password, body.new_password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign me out everywhere, here too.
#[utoipa::path(
    delete, path = "/me/sessions", tag = "me", operation_id = "end_my_sessions",
    responses((status = 204, description = "All sessions are over"), Refusals),
    extensions(("x-access" = json!("authenticated"))),
)]
pub(super) async fn end_my_sessions(
    State(identity): State<Identity>,
    caller: Caller,
    Extension(principal): Extension<Arc<Principal>>,
) -> Result<StatusCode> {
    identity.users().sign_out(&caller, principal.user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
