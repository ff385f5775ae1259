//! HTTP of replication.

use super::model::{
    Direction, ItemStatus, NewRule, ReplicationItem, ReplicationRule, ReplicationRun, ReplicationStatus, RuleChange,
};
use super::service::Replication;
use crate::images::remotes::Login;
use crate::kernel::ids::{ReplicationRuleId, ReplicationRunId};
use crate::kernel::{Page, Result};
use crate::platform::http::{IfMatch, Json, NoQuery, PageParams, Path, Problem, Query, Refusals, etag, named};
use crate::tenancy::access::Caller;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of this context.
pub fn routes(replication: Replication) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_replication_rules, create_replication_rule))
        .routes(routes!(get_replication_rule, update_replication_rule, delete_replication_rule))
        .routes(routes!(run_replication_rule))
        .routes(routes!(list_replication_runs))
        .routes(routes!(get_replication_run))
        .routes(routes!(list_replication_items))
        .routes(routes!(cancel_replication_run))
        .with_state(replication)
}

/// The replication rules of a project, in order of creation.
#[utoipa::path(
    get, path = "/projects/{id}/replication-rules", tag = "replication", operation_id = "list_replication_rules",
    params(("id" = String, Path, description = "The project, by id or slug"), PageParams),
    responses((status = 200, body = Page<ReplicationRule>), Refusals),
    extensions(("x-access" = json!("project:update"))),
)]
async fn list_replication_rules(
    State(replication): State<Replication>,
    caller: Caller,
    Path(id): Path<String>,
    Query(NoQuery {}, page): Query<NoQuery>,
) -> Result<axum::Json<Page<ReplicationRule>>> {
    replication.rules(&caller, &id, &page).await.map(axum::Json)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateReplicationRuleRequest {
    /// Unique in the project.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+([._-][a-z0-9]+)*$")]
    name: String,
    /// `push` to the other registry, or `pull` from it. Never changes.
    direction: Direction,
    /// Address of the other registry, such as `https://registry-1.docker.io`; a path stands there before the names of images.
    #[schema(min_length = 1, max_length = 500)]
    url: String,
    /// Who signs in there; left out: nobody.
    #[schema(min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1f\x7f:]*$")]
    username: Option<String>,
    /// The password or token of that name; no answer will show it again.
    #[schema(value_type = Option<String>, format = Password, min_length = 1, max_length = 16384)]
    password: Option<SecretString>,
    /// Glob patterns of images' names in the project, such as `web` or `team/*`. Patterns of a pull need a registry that lists its
    /// repositories; names do not.
    #[schema(min_items = 1, max_items = 50)]
    images: Vec<String>,
    /// Glob patterns of tags; left out: all. What is attached to an image, such as signatures, goes with it.
    #[serde(default = "everything")]
    #[schema(min_items = 1, max_items = 50)]
    tags: Vec<String>,
    /// Whether a tag that points elsewhere at the destination is moved; left out: yes.
    #[serde(default = "yes")]
    overwrite: bool,
    /// Whether it runs by itself; left out: yes. It runs when it is asked to in any case.
    #[serde(default = "yes")]
    enabled: bool,
    /// Whether an image is copied when it is pushed to the project; for `push` alone.
    #[serde(default)]
    on_push: bool,
    /// Minutes from one run to the next.
    #[schema(minimum = 5, maximum = 43_200)]
    every_minutes: Option<i32>,
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

fn yes() -> bool {
    true
}

/// Make a replication rule.
#[utoipa::path(
    post, path = "/projects/{id}/replication-rules", tag = "replication", operation_id = "create_replication_rule",
    params(("id" = String, Path, description = "The project, by id or slug")),
    request_body = CreateReplicationRuleRequest,
    responses(
        (status = 201, body = ReplicationRule, headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "The project has a rule of this name or as many as it may, is archived, or is a cache and \
            nothing is pulled to it", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("project:update"))),
)]
async fn create_replication_rule(
    State(replication): State<Replication>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<CreateReplicationRuleRequest>,
) -> Result<impl IntoResponse> {
    let new = NewRule {
        name: body.name,
        direction: body.direction,
        url: body.url,
        login: Login::of(body.username, body.password)?,
        images: body.images,
        tags: body.tags,
        overwrite: body.overwrite,
        enabled: body.enabled,
        on_push: body.on_push,
        every_minutes: body.every_minutes,
    };
    let rule = replication.create_rule(&caller, &id, new).await?;
    let location = [(LOCATION, format!("/api/v1/projects/{}/replication-rules/{}", rule.project_id, rule.id))];
    Ok((StatusCode::CREATED, location, etag(rule.version), axum::Json(rule)))
}

/// A replication rule. Its password is never shown.
#[utoipa::path(
    get, path = "/projects/{id}/replication-rules/{rule_id}", tag = "replication", operation_id = "get_replication_rule",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("rule_id" = ReplicationRuleId, Path, description = "The rule"),
    ),
    responses((status = 200, body = ReplicationRule, headers(("ETag" = String))), Refusals),
    extensions(("x-access" = json!("project:update"))),
)]
async fn get_replication_rule(
    State(replication): State<Replication>,
    caller: Caller,
    Path((id, rule)): Path<(String, ReplicationRuleId)>,
) -> Result<impl IntoResponse> {
    let rule = replication.rule(&caller, &id, rule).await?;
    Ok((etag(rule.version), axum::Json(rule)))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "left out, null and a value are three answers")]
struct UpdateReplicationRuleRequest {
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+([._-][a-z0-9]+)*$")]
    name: Option<String>,
    /// The stored password does not go along to another address: give it again.
    #[schema(min_length = 1, max_length = 500)]
    url: Option<String>,
    /// Who signs in there; null: nobody.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, pattern = r"^[^\x00-\x1f\x7f:]*$")]
    username: Option<Option<String>>,
    /// Left out: as it is.
    #[schema(value_type = Option<String>, format = Password, min_length = 1, max_length = 16384)]
    password: Option<SecretString>,
    /// Glob patterns of images' names in the project.
    #[schema(min_items = 1, max_items = 50)]
    images: Option<Vec<String>>,
    /// Glob patterns of tags.
    #[schema(min_items = 1, max_items = 50)]
    tags: Option<Vec<String>>,
    /// Whether a tag that points elsewhere at the destination is moved.
    overwrite: Option<bool>,
    /// Whether it runs by itself.
    enabled: Option<bool>,
    /// Whether an image is copied when it is pushed to the project; for `push` alone.
    on_push: Option<bool>,
    /// Minutes from one run to the next; null: it runs at no time of its own.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<i32>, minimum = 5, maximum = 43_200)]
    every_minutes: Option<Option<i32>>,
}

/// Change a replication rule. A run at work goes by the change within a minute.
#[utoipa::path(
    patch, path = "/projects/{id}/replication-rules/{rule_id}", tag = "replication",
    operation_id = "update_replication_rule",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("rule_id" = ReplicationRuleId, Path, description = "The rule"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was read"),
    ),
    request_body = UpdateReplicationRuleRequest,
    responses(
        (status = 200, body = ReplicationRule, headers(("ETag" = String))),
        (status = 409, description = "The project has another rule of this name, or is archived", body = Problem),
        (status = 412, description = "It has changed since it was read", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("project:update"))),
)]
async fn update_replication_rule(
    State(replication): State<Replication>,
    caller: Caller,
    Path((id, rule)): Path<(String, ReplicationRuleId)>,
    if_match: IfMatch,
    Json(body): Json<UpdateReplicationRuleRequest>,
) -> Result<impl IntoResponse> {
    let change = RuleChange {
        name: body.name,
        url: body.url,
        username: body.username,
        password: body.password,
        images: body.images,
        tags: body.tags,
        overwrite: body.overwrite,
        enabled: body.enabled,
        on_push: body.on_push,
        every_minutes: body.every_minutes,
    };
    let rule = replication.update_rule(&caller, &id, rule, change, if_match).await?;
    Ok((etag(rule.version), axum::Json(rule)))
}

/// Delete a replication rule with its runs. What was copied stays where it is.
#[utoipa::path(
    delete, path = "/projects/{id}/replication-rules/{rule_id}", tag = "replication",
    operation_id = "delete_replication_rule",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("rule_id" = ReplicationRuleId, Path, description = "The rule"),
    ),
    responses((status = 204, description = "It copies nothing more"), Refusals),
    extensions(("x-access" = json!("project:update"))),
)]
async fn delete_replication_rule(
    State(replication): State<Replication>,
    caller: Caller,
    Path((id, rule)): Path<(String, ReplicationRuleId)>,
) -> Result<StatusCode> {
    replication.delete_rule(&caller, &id, rule).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Run a replication rule now. Where it runs already, that run looks through all that the rule covers.
#[utoipa::path(
    post, path = "/projects/{id}/replication-rules/{rule_id}/run", tag = "replication",
    operation_id = "run_replication_rule",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("rule_id" = ReplicationRuleId, Path, description = "The rule"),
    ),
    responses(
        (status = 202, body = ReplicationRun, headers(("Location" = String))),
        (status = 409, description = "The project is archived", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("project:update"))),
)]
async fn run_replication_rule(
    State(replication): State<Replication>,
    caller: Caller,
    Path((id, rule)): Path<(String, ReplicationRuleId)>,
) -> Result<impl IntoResponse> {
    let run = replication.start(&caller, &id, rule).await?;
    let location = [(LOCATION, format!("/api/v1/projects/{}/replication-runs/{}", run.project_id, run.id))];
    Ok((StatusCode::ACCEPTED, location, axum::Json(run)))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RunsQuery {
    /// Of one rule.
    rule_id: Option<ReplicationRuleId>,
    /// In one state.
    status: Option<ReplicationStatus>,
}

/// The replication runs of a project, newest first.
#[utoipa::path(
    get, path = "/projects/{id}/replication-runs", tag = "replication", operation_id = "list_replication_runs",
    params(("id" = String, Path, description = "The project, by id or slug"), RunsQuery, PageParams),
    responses((status = 200, body = Page<ReplicationRun>), Refusals),
    extensions(("x-access" = json!("project:update"))),
)]
async fn list_replication_runs(
    State(replication): State<Replication>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query, page): Query<RunsQuery>,
) -> Result<axum::Json<Page<ReplicationRun>>> {
    replication.runs(&caller, &id, query.rule_id, query.status, &page).await.map(axum::Json)
}

/// A replication run.
#[utoipa::path(
    get, path = "/projects/{id}/replication-runs/{run_id}", tag = "replication", operation_id = "get_replication_run",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("run_id" = ReplicationRunId, Path, description = "The run"),
    ),
    responses((status = 200, body = ReplicationRun), Refusals),
    extensions(("x-access" = json!("project:update"))),
)]
async fn get_replication_run(
    State(replication): State<Replication>,
    caller: Caller,
    Path((id, run)): Path<(String, ReplicationRunId)>,
) -> Result<axum::Json<ReplicationRun>> {
    replication.run(&caller, &id, run).await.map(axum::Json)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ItemsQuery {
    /// With one outcome.
    status: Option<ItemStatus>,
}

/// The tags of a replication run, by image and tag, but for those that were there already.
#[utoipa::path(
    get, path = "/projects/{id}/replication-runs/{run_id}/items", tag = "replication",
    operation_id = "list_replication_items",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("run_id" = ReplicationRunId, Path, description = "The run"),
        ItemsQuery,
        PageParams,
    ),
    responses((status = 200, body = Page<ReplicationItem>), Refusals),
    extensions(("x-access" = json!("project:update"))),
)]
async fn list_replication_items(
    State(replication): State<Replication>,
    caller: Caller,
    Path((id, run)): Path<(String, ReplicationRunId)>,
    Query(query, page): Query<ItemsQuery>,
) -> Result<axum::Json<Page<ReplicationItem>>> {
    replication.items(&caller, &id, run, query.status, &page).await.map(axum::Json)
}

/// Stop a replication run. What it has copied stays.
#[utoipa::path(
    post, path = "/projects/{id}/replication-runs/{run_id}/cancel", tag = "replication",
    operation_id = "cancel_replication_run",
    params(
        ("id" = String, Path, description = "The project, by id or slug"),
        ("run_id" = ReplicationRunId, Path, description = "The run"),
    ),
    responses(
        (status = 200, body = ReplicationRun),
        (status = 409, description = "It has ended", body = Problem),
        Refusals,
    ),
    extensions(("x-access" = json!("project:update"))),
)]
async fn cancel_replication_run(
    State(replication): State<Replication>,
    caller: Caller,
    Path((id, run)): Path<(String, ReplicationRunId)>,
) -> Result<axum::Json<ReplicationRun>> {
    replication.cancel(&caller, &id, run).await.map(axum::Json)
}
