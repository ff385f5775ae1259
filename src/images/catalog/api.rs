//! HTTP for the catalogue.

use super::model::{Image, ImageLayer, ImageMember, ImageRole, Visibility};
use super::service::{Catalog, ImageFilters};
use crate::images::registry::{ImageAccess, TagInfo};
use crate::kernel::ids::{ImageId, UserId};
use crate::kernel::{Page, Result};
use crate::platform::http::{IfMatch, Json, NoQuery, PageParams, Path, Problem, Query, Refusals, etag};
use crate::tenancy::access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this context.
pub fn routes(catalog: Catalog) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_images))
        .routes(routes!(get_image, update_image))
        .routes(routes!(list_image_tags))
        .routes(routes!(list_image_layers))
        .routes(routes!(list_image_accesses))
        .routes(routes!(list_image_members))
        .routes(routes!(set_image_member, remove_image_member))
        .with_state(catalog)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Of this project: its slug or id.
    project: Option<String>,
    /// Exactly this name.
    name: Option<String>,
}

/// Images that you may pull, newest first.
#[utoipa::path(
    get, path = "/images", tag = "images", operation_id = "list_images",
    params(ListQuery, PageParams),
    responses((status = 200, body = Page<Image>), Refusals),
    extensions(("x-access" = json!("image:pull"))),
)]
async fn list_images(
    State(catalog): State<Catalog>,
    caller: Caller,
    Query(q, page): Query<ListQuery>,
) -> Result<axum::Json<Page<Image>>> {
    let filters = ImageFilters { project: q.project, name: q.name };
    catalog.list(&caller, &filters, &page).await.map(axum::Json)
}

/// An image.
#[utoipa::path(
    get, path = "/images/{id}", tag = "images", operation_id = "get_image",
    params(("id" = ImageId, Path, description = "The image")),
    responses((status = 200, body = Image, headers(("ETag" = String))), Refusals),
    extensions(("x-access" = json!("image:pull"))),
)]
async fn get_image(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
) -> Result<impl IntoResponse> {
    let image = catalog.get(&caller, id).await?;
    Ok((etag(image.version), axum::Json(image)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UpdateImageRequest {
    /// Who may see it.
    visibility: Visibility,
}

/// Set who may see an image.
#[utoipa::path(
    patch, path = "/images/{id}", tag = "images", operation_id = "update_image",
    params(
        ("id" = ImageId, Path, description = "The image"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    request_body = UpdateImageRequest,
    responses(
        (status = 200, body = Image, headers(("ETag" = String))),
        (status = 409, description = "The project is archived, or the tenant not in use", body = Problem),
        (status = 412, description = "It has changed since it was read", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("project:update"))),
)]
async fn update_image(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
    if_match: IfMatch,
    Json(body): Json<UpdateImageRequest>,
) -> Result<impl IntoResponse> {
    let image = catalog.set_visibility(&caller, id, body.visibility, if_match).await?;
    Ok((etag(image.version), axum::Json(image)))
}

/// Tags of an image, by name.
#[utoipa::path(
    get, path = "/images/{id}/tags", tag = "images", operation_id = "list_image_tags",
    params(("id" = ImageId, Path, description = "The image"), PageParams),
    responses((status = 200, body = Page<TagInfo>), Refusals),
    extensions(("x-access" = json!("image:pull"))),
)]
async fn list_image_tags(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
    Query(NoQuery {}, page): Query<NoQuery>,
) -> Result<axum::Json<Page<TagInfo>>> {
    catalog.tags(&caller, id, &page).await.map(axum::Json)
}

/// Layers of an image, lowest first.
#[utoipa::path(
    get, path = "/images/{id}/layers", tag = "images", operation_id = "list_image_layers",
    params(("id" = ImageId, Path, description = "The image"), PageParams),
    responses((status = 200, body = Page<ImageLayer>), Refusals),
    extensions(("x-access" = json!("image:pull"))),
)]
async fn list_image_layers(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
    Query(NoQuery {}, page): Query<NoQuery>,
) -> Result<axum::Json<Page<ImageLayer>>> {
    catalog.layers(&caller, id, &page).await.map(axum::Json)
}

/// Who pulled and pushed an image, newest first. Pulls show within a second.
#[utoipa::path(
    get, path = "/images/{id}/accesses", tag = "images", operation_id = "list_image_accesses",
    params(("id" = ImageId, Path, description = "The image"), PageParams),
    responses((status = 200, body = Page<ImageAccess>), Refusals),
    extensions(("x-access" = json!("audit:read"))),
)]
async fn list_image_accesses(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
    Query(NoQuery {}, page): Query<NoQuery>,
) -> Result<axum::Json<Page<ImageAccess>>> {
    catalog.accesses(&caller, id, &page).await.map(axum::Json)
}

/// Who has a role on an image, beyond their roles in the tenant and its project.
#[utoipa::path(
    get, path = "/images/{id}/members", tag = "images", operation_id = "list_image_members",
    params(("id" = ImageId, Path, description = "The image"), PageParams),
    responses((status = 200, body = Page<ImageMember>), Refusals),
    extensions(("x-access" = json!("member:read"))),
)]
async fn list_image_members(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
    Query(NoQuery {}, page): Query<NoQuery>,
) -> Result<axum::Json<Page<ImageMember>>> {
    catalog.members(&caller, id, &page).await.map(axum::Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetImageMemberRequest {
    /// What they may do with the image; you must have these permissions yourself.
    role: ImageRole,
}

/// Give a member of the tenant a role on an image.
#[utoipa::path(
    put, path = "/images/{id}/members/{user_id}", tag = "images", operation_id = "set_image_member",
    params(
        ("id" = ImageId, Path, description = "The image"),
        ("user_id" = UserId, Path, description = "The person"),
    ),
    request_body = SetImageMemberRequest,
    responses((status = 200, body = ImageMember), Refusals),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn set_image_member(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path((id, user)): Path<(ImageId, UserId)>,
    Json(body): Json<SetImageMemberRequest>,
) -> Result<axum::Json<ImageMember>> {
    catalog.set_member(&caller, id, user, body.role).await.map(axum::Json)
}

/// Take the role on an image.
#[utoipa::path(
    delete, path = "/images/{id}/members/{user_id}", tag = "images", operation_id = "remove_image_member",
    params(
        ("id" = ImageId, Path, description = "The image"),
        ("user_id" = UserId, Path, description = "The person"),
    ),
    responses((status = 204, description = "The role is gone"), Refusals),
    extensions(("x-access" = json!("member:manage"))),
)]
async fn remove_image_member(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path((id, user)): Path<(ImageId, UserId)>,
) -> Result<StatusCode> {
    catalog.remove_member(&caller, id, user).await?;
    Ok(StatusCode::NO_CONTENT)
}
