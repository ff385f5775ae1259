//! HTTP for the catalogue.

use super::model::{Image, ImageLayer};
use super::service::{Catalog, ImageFilters};
use crate::images::registry::TagInfo;
use crate::kernel::ids::ImageId;
use crate::kernel::{Page, Result};
use crate::platform::http::{NoQuery, PageParams, Path, Query, Refusals};
use crate::tenancy::access::Caller;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
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
) -> Result<Json<Page<Image>>> {
    let filters = ImageFilters { project: q.project, name: q.name };
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
