//! HTTP for the audit trail.

use super::model::{AuditEvent, Filters};
use super::service::Audit;
use crate::kernel::{Page, Result};
use crate::platform::http::{PageParams, Query, Refusals};
use crate::tenancy::access::Caller;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this context.
pub fn routes(service: Audit) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list_audit_events)).with_state(service)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Exactly this action, such as `project.created`.
    action: Option<String>,
    /// Exactly this actor, such as `user:<id>`.
    actor: Option<String>,
    /// Exactly this resource, such as `project:<id>`.
    resource: Option<String>,
    /// At or after this time.
    from: Option<DateTime<Utc>>,
    /// Before this time.
    to: Option<DateTime<Utc>>,
    /// Of all tenants and the installation; needs `system:read`.
    #[serde(default)]
    all_tenants: bool,
}

/// The audit trail, newest first.
#[utoipa::path(
    get, path = "/audit-events", tag = "audit", operation_id = "list_audit_events",
    params(ListQuery, PageParams),
    responses((status = 200, body = Page<AuditEvent>), Refusals),
    extensions(("x-access" = json!("audit:read"))),
)]
async fn list_audit_events(
    State(audit): State<Audit>,
    caller: Caller,
    Query(q, page): Query<ListQuery>,
) -> Result<Json<Page<AuditEvent>>> {
    let filters = Filters { action: q.action, actor: q.actor, resource: q.resource, from: q.from, to: q.to };
    audit.list(&caller, q.all_tenants, &filters, &page).await.map(Json)
}
