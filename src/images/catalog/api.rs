//! HTTP for the catalogue.

use super::model::{Image, ImageLayer, ImageManifest, ImageType, Lifecycle, LifecycleStep};
use super::service::{Catalog, ImageFilters};
use crate::images::registry::{Reference, Removed, Tag, TagInfo, TagMove};
use crate::kernel::ids::ImageId;
use crate::kernel::{Digest, Error, Page, Result};
use crate::platform::http::{NoQuery, PageParams, Path, Problem, Query, Refusals};
use crate::tenancy::access::Caller;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use std::str::FromStr;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this context.
pub fn routes(catalog: Catalog) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_images))
        .routes(routes!(get_image))
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
) -> Result<Json<Page<Image>>> {
    let filters =
        ImageFilters { project: q.project, name: q.name, lifecycle: q.lifecycle, image_type: q.image_type, query: q.q };
    catalog.list(&caller, &filters, &page).await.map(Json)
}

/// An image.
#[utoipa::path(
    get, path = "/images/{id}", tag = "images", operation_id = "get_image",
    params(("id" = ImageId, Path, description = "The image")),
    responses((status = 200, body = Image), Refusals),
    extensions(("x-access" = json!("image:pull"))),
)]
async fn get_image(State(catalog): State<Catalog>, caller: Caller, Path(id): Path<ImageId>) -> Result<Json<Image>> {
    catalog.get(&caller, id).await.map(Json)
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
) -> Result<Json<Page<TagInfo>>> {
    catalog.tags(&caller, id, &page).await.map(Json)
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
) -> Result<Json<Page<ImageLayer>>> {
    catalog.layers(&caller, id, &page).await.map(Json)
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
) -> Result<Json<ImageManifest>> {
    let reference: Reference = read(&reference)?;
    catalog.manifest(&caller, id, &reference).await.map(Json)
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
) -> Result<Json<Page<TagMove>>> {
    let tag: Tag = read(&tag)?;
    catalog.tag_history(&caller, id, &tag, &page).await.map(Json)
}

/// Delete a tag. What it points to stays.
#[utoipa::path(
    delete, path = "/images/{id}/tags/{tag}", tag = "images", operation_id = "delete_image_tag",
    params(
        ("id" = ImageId, Path, description = "The image"), ("tag" = String, Path, description = "The tag"), DeleteQuery,
    ),
    responses(
        (status = 200, description = "What was deleted, or would be", body = Removed),
        (status = 409, description = "The image is held back", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("image:delete"))),
)]
async fn delete_image_tag(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path((id, tag)): Path<(ImageId, String)>,
    Query(q, _): Query<DeleteQuery>,
) -> Result<Json<Removed>> {
    catalog.delete_reference(&caller, id, &Reference::Tag(read(&tag)?), q.dry_run).await.map(Json)
}

/// Delete a manifest, by digest, with all its tags.
#[utoipa::path(
    delete, path = "/images/{id}/manifests/{reference}", tag = "images", operation_id = "delete_image_manifest",
    params(
        ("id" = ImageId, Path, description = "The image"), ("reference" = String, Path, description = "Digest"), DeleteQuery,
    ),
    responses(
        (status = 200, description = "What was deleted, or would be", body = Removed),
        (status = 409, description = "The image is held back", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("image:delete"))),
)]
async fn delete_image_manifest(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path((id, digest)): Path<(ImageId, String)>,
    Query(q, _): Query<DeleteQuery>,
) -> Result<Json<Removed>> {
    let digest: Digest = read(&digest)?;
    catalog.delete_reference(&caller, id, &Reference::Digest(digest), q.dry_run).await.map(Json)
}

/// Delete an image with all its manifests and tags. One that is large goes in several steps; when the request breaks off,
/// the next one goes on.
#[utoipa::path(
    delete, path = "/images/{id}", tag = "images", operation_id = "delete_image",
    params(("id" = ImageId, Path, description = "The image"), DeleteQuery),
    responses(
        (status = 200, description = "What was deleted, or would be", body = Removed),
        (status = 409, description = "The image is held back", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("image:delete"))),
)]
async fn delete_image(
    State(catalog): State<Catalog>,
    caller: Caller,
    Path(id): Path<ImageId>,
    Query(q, _): Query<DeleteQuery>,
) -> Result<Json<Removed>> {
    catalog.delete(&caller, id, q.dry_run).await.map(Json)
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
async fn publish_image(State(catalog): State<Catalog>, caller: Caller, Path(id): Path<ImageId>) -> Result<Json<Image>> {
    catalog.step(&caller, id, LifecycleStep::Publish).await.map(Json)
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
) -> Result<Json<Image>> {
    catalog.step(&caller, id, LifecycleStep::Deprecate).await.map(Json)
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
async fn archive_image(State(catalog): State<Catalog>, caller: Caller, Path(id): Path<ImageId>) -> Result<Json<Image>> {
    catalog.step(&caller, id, LifecycleStep::Archive).await.map(Json)
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
async fn restore_image(State(catalog): State<Catalog>, caller: Caller, Path(id): Path<ImageId>) -> Result<Json<Image>> {
    catalog.step(&caller, id, LifecycleStep::Restore).await.map(Json)
}

/// What cannot be the name of a manifest names none.
fn read<T: FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::not_found("manifest or tag"))
}
