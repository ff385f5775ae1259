//! What a tenant has transferred, in the API.

use super::super::model::Transfer;
use super::super::service::Registry;
use crate::kernel::{Page, Result};
use crate::platform::http::{PageParams, Query, Refusals};
use crate::tenancy::access::Caller;
use axum::extract::State;
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn routes() -> OpenApiRouter<Registry> {
    OpenApiRouter::new().routes(routes!(list_transfers))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TransferQuery {
    /// The first day, in UTC; left out: 29 days before the last.
    from: Option<NaiveDate>,
    /// The last day; left out: today.
    to: Option<NaiveDate>,
}

/// What was pulled from and pushed to the tenant's repositories, by day. Days without any are left out.
#[utoipa::path(
    get, path = "/tenants/{id}/transfers", tag = "tenants", operation_id = "list_transfers",
    params(("id" = String, Path, description = "The tenant, by id or slug"), TransferQuery, PageParams),
    responses((status = 200, body = Page<Transfer>), Refusals),
    extensions(("x-access" = json!("tenant:read"))),
)]
async fn list_transfers(
    State(registry): State<Registry>,
    caller: Caller,
    Query(q, page): Query<TransferQuery>,
) -> Result<axum::Json<Page<Transfer>>> {
    registry.transfers(&caller, q.from, q.to, &page).await.map(axum::Json)
}
