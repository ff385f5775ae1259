//! HTTP for the catalogue.

use super::model::{
    Image, ImageLayer, ImageManifest, ImageMember, ImageRole, ImageType, Lifecycle, LifecycleStep, Visibility,
};
use super::service::{Catalog, ImageFilters};
use crate::images::registry::{ImageAccess, Reference, Removed, Tag, TagInfo, TagMove};
use crate::kernel::ids::{ImageId, UserId};
use crate::kernel::{Digest, Error, Page, Result};
use crate::platform::http::{IfMatch, Json, NoQuery, PageParams, Path, Problem, Query, Refusals, etag};
use crate::tenancy::access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::Deserialize;
use std::str::FromStr;
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
        .routes(routes!(delete_image))
        .routes(routes!(get_image_manifest, delete_image_manifest))
        .routes(routes!(delete_image_tag))
        .routes(routes!(list_image_tag_history))
        .routes(routes!(publish_image))
        .routes(routes!(deprecate_image))
        .routes(routes!(archive_image))
        .routes(routes!(restore_image))
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
    /// With a word of the name or of a label (`key=value`) that begins so, or with a manifest, config or layer whose digest
    /// begins so (six characters or more).
    q: Option<String>,
    /// So far in their life.
    lifecycle: Option<Lifecycle>,
    /// Of this kind.
    image_type: Option<ImageType>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeleteQuery {
    /// Change nothing, and tell what would go.
    #[serde(default)]
    dry_run: bool,
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
    let filters =
        ImageFilters { project: q.project, name: q.name, lifecycle: q.lifecycle, image_type: q.image_type, query: q.q };
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

/// A manifest of an image, by tag or digest: what it stands for, its platforms, config and layers, what it was made from
/// and by which build, and what is about it.
#[utoipa::path(
    get, path = "/images/{id}/manifests/{reference}", tag = "images", operation_id = "get_image_manifest",
    params(("id" = ImageId, Path, description = "The image"), ("reference" = String, Path, description = "Tag or digest")),
    responses((status = 200, body = ImageManifest), Refusals),
    extensions(("x-access" = json!("image:pull"))),
)]
async fn get_image_manifest(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path((id, reference)): Path<(ImageId, String)>,
) -> Result<axum::Json<ImageManifest>> {
    let reference: Reference = read(&reference)?;
    catalog.manifest(&caller, id, &reference).await.map(axum::Json)
}

/// Moves of a tag, newest first; also of one that was deleted.
#[utoipa::path(
    get, path = "/images/{id}/tags/{tag}/history", tag = "images", operation_id = "list_image_tag_history",
    params(
        ("id" = ImageId, Path, description = "The image"), ("tag" = String, Path, description = "The tag"), PageParams,
    ),
    responses((status = 200, body = Page<TagMove>), Refusals),
    extensions(("x-access" = json!("image:pull"))),
)]
async fn list_image_tag_history(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path((id, tag)): Path<(ImageId, String)>,
    Query(NoQuery {}, page): Query<NoQuery>,
) -> Result<axum::Json<Page<TagMove>>> {
    let tag: Tag = read(&tag)?;
    catalog.tag_history(&caller, id, &tag, &page).await.map(axum::Json)
}

/// Delete a tag. What it points to stays.
#[utoipa::path(
    delete, path = "/images/{id}/tags/{tag}", tag = "images", operation_id = "delete_image_tag",
    params(
        ("id" = ImageId, Path, description = "The image"), ("tag" = String, Path, description = "The tag"), DeleteQuery,
    ),
    responses(
        (status = 200, description = "What was deleted, or would be", body = Removed),
        (status = 409, description = "The image is held back, or a tag is immutable", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("image:delete"))),
)]
async fn delete_image_tag(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path((id, tag)): Path<(ImageId, String)>,
    Query(q, _): Query<DeleteQuery>,
) -> Result<axum::Json<Removed>> {
    catalog.delete_reference(&caller, id, &Reference::Tag(read(&tag)?), q.dry_run).await.map(axum::Json)
}

/// Delete a manifest, by digest, with all its tags.
#[utoipa::path(
    delete, path = "/images/{id}/manifests/{reference}", tag = "images", operation_id = "delete_image_manifest",
    params(
        ("id" = ImageId, Path, description = "The image"), ("reference" = String, Path, description = "Digest"), DeleteQuery,
    ),
    responses(
        (status = 200, description = "What was deleted, or would be", body = Removed),
        (status = 409, description = "The image is held back, or a tag is immutable", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("image:delete"))),
)]
async fn delete_image_manifest(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path((id, digest)): Path<(ImageId, String)>,
    Query(q, _): Query<DeleteQuery>,
) -> Result<axum::Json<Removed>> {
    let digest: Digest = read(&digest)?;
    catalog.delete_reference(&caller, id, &Reference::Digest(digest), q.dry_run).await.map(axum::Json)
}

/// Delete an image with all its manifests and tags. One that is large goes in several steps; when the request breaks off,
/// the next one goes on.
#[utoipa::path(
    delete, path = "/images/{id}", tag = "images", operation_id = "delete_image",
    params(("id" = ImageId, Path, description = "The image"), DeleteQuery),
    responses(
        (status = 200, description = "What was deleted, or would be", body = Removed),
        (status = 409, description = "The image is held back, or a tag is immutable", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("image:delete"))),
)]
async fn delete_image(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
    Query(q, _): Query<DeleteQuery>,
) -> Result<axum::Json<Removed>> {
    catalog.delete(&caller, id, q.dry_run).await.map(axum::Json)
}

/// Recommend an image: a draft, or one that was deprecated. Not while it is held back.
#[utoipa::path(
    post, path = "/images/{id}/publish", tag = "images", operation_id = "publish_image",
    params(("id" = ImageId, Path, description = "The image")),
    responses(
        (status = 200, body = Image),
        (status = 409, description = "It is not where this step begins", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("image:push"))),
)]
async fn publish_image(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
) -> Result<axum::Json<Image>> {
    catalog.step(&caller, id, LifecycleStep::Publish).await.map(axum::Json)
}

/// Ask for a published image to be replaced. It can be pulled as before.
#[utoipa::path(
    post, path = "/images/{id}/deprecate", tag = "images", operation_id = "deprecate_image",
    params(("id" = ImageId, Path, description = "The image")),
    responses(
        (status = 200, body = Image),
        (status = 409, description = "It is not where this step begins", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("image:push"))),
)]
async fn deprecate_image(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
) -> Result<axum::Json<Image>> {
    catalog.step(&caller, id, LifecycleStep::Deprecate).await.map(axum::Json)
}

/// Keep an image for the record: it can be pulled, and takes no pushes.
#[utoipa::path(
    post, path = "/images/{id}/archive", tag = "images", operation_id = "archive_image",
    params(("id" = ImageId, Path, description = "The image")),
    responses(
        (status = 200, body = Image),
        (status = 409, description = "It is not where this step begins", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("image:push"))),
)]
async fn archive_image(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
) -> Result<axum::Json<Image>> {
    catalog.step(&caller, id, LifecycleStep::Archive).await.map(axum::Json)
}

/// Take an image out of the archive. It is a draft again.
#[utoipa::path(
    post, path = "/images/{id}/restore", tag = "images", operation_id = "restore_image",
    params(("id" = ImageId, Path, description = "The image")),
    responses(
        (status = 200, body = Image),
        (status = 409, description = "It is not where this step begins", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("image:push"))),
)]
async fn restore_image(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
) -> Result<axum::Json<Image>> {
    catalog.step(&caller, id, LifecycleStep::Restore).await.map(axum::Json)
}

/// What cannot be the name of a manifest names none.
fn read<T: FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::not_found("manifest or tag"))
}
