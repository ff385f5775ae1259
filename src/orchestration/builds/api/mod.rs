//! HTTP of builds.

pub mod types;

use super::Builds;
use super::model::Build;
use super::model::report::{ArtifactReport, ExecutionReport, HistoryEntry, MetricsReport, Statistics, StepReport};
use super::store::Filter;
use crate::kernel::ids::{BuildId, ProjectId};
use crate::kernel::{Error, Page, Result};
use crate::platform::http::idempotency::NewId;
use crate::platform::http::{Json, NoQuery, Path, Problem, Query};
use crate::tenancy::access::Caller;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, TryStreamExt};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, StatusCode};
use types::{BuildFilter, BuildView, ContextView, CreateBuild, LogPage, LogQuery, StatisticsFilter};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below `/api/v1`.
pub fn routes(builds: Builds) -> OpenApiRouter {
    let uploads = OpenApiRouter::new().routes(routes!(upload_context)).layer(DefaultBodyLimit::disable());
    OpenApiRouter::new()
        .routes(routes!(create_build, list_builds))
        .routes(routes!(get_build_statistics))
        .routes(routes!(get_build))
        .routes(routes!(start_build))
        .routes(routes!(cancel_build))
        .routes(routes!(retry_build))
        .routes(routes!(list_build_steps))
        .routes(routes!(list_build_log))
        .routes(routes!(download_build_log))
        .routes(routes!(list_build_artifacts))
        .routes(routes!(get_build_metrics))
        .routes(routes!(list_build_executions))
        .routes(routes!(list_build_history))
        .merge(uploads)
        .with_state(builds)
}

/// Create a build.
///
/// Everything is checked before it is stored: source, configuration, secrets, quota, and that a worker has the tools.
#[utoipa::path(
    post, path = "/builds", tag = "Builds", operation_id = "create_build", request_body = CreateBuild,
    params(("Idempotency-Key" = Option<String>, Header, description = "Same key and body: same answer, for 24 hours")),
    responses(
        (status = 202, description = "Accepted; watch the build", body = BuildView),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem),
    ),
    extensions(("x-access" = json!("build:create")))
)]
async fn create_build(
    State(builds): State<Builds>,
    caller: Caller,
    NewId(id): NewId,
    Json(body): Json<CreateBuild>,
) -> Result<Response> {
    let (project, new) = body.into_new();
    let build = builds.create(&caller, &project, BuildId(id), new).await?;
    accepted(&builds, &caller, build).await
}

/// What was done is done: an answer that cannot be filled in is short, not an error that makes the client repeat it.
async fn accepted(builds: &Builds, caller: &Caller, build: Build) -> Result<Response> {
    let id = build.id;
    let view = view(builds, caller, id).await.unwrap_or_else(|_| BuildView::new(build));
    Ok((StatusCode::ACCEPTED, [(LOCATION, format!("/api/v1/builds/{id}"))], axum::Json(view)).into_response())
}

async fn view(builds: &Builds, caller: &Caller, id: BuildId) -> Result<BuildView> {
    let details = builds.details(caller, id).await?;
    Ok(BuildView::new(details.build).with(details.waiting, details.result, details.config))
}

/// List builds, newest first.
#[utoipa::path(
    get, path = "/builds", tag = "Builds", operation_id = "list_builds",
    params(BuildFilter, ("limit" = Option<u16>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Page<BuildView>), (status = 403, body = Problem), (status = 422, body = Problem)),
    extensions(("x-access" = json!("build:read")))
)]
async fn list_builds(
    State(builds): State<Builds>,
    caller: Caller,
    Query(filter, page): Query<BuildFilter>,
) -> Result<axum::Json<Page<BuildView>>> {
    let projects = named(&builds, &caller, filter.project.as_deref()).await?;
    let filter = Filter { projects, status: filter.status, method: filter.method };
    Ok(axum::Json(builds.list(&caller, filter, &page).await?.map(BuildView::new)))
}

/// Tell how builds have been going: now, day by day, over 7 and 30 days.
#[utoipa::path(
    get, path = "/builds/statistics", tag = "Builds", operation_id = "get_build_statistics", params(StatisticsFilter),
    responses((status = 200, body = Statistics), (status = 403, body = Problem), (status = 404, body = Problem)),
    extensions(("x-access" = json!("build:read")))
)]
async fn get_build_statistics(
    State(builds): State<Builds>,
    caller: Caller,
    Query(filter, _): Query<StatisticsFilter>,
) -> Result<axum::Json<Statistics>> {
    let projects = named(&builds, &caller, filter.project.as_deref()).await?;
    Ok(axum::Json(builds.statistics(&caller, projects).await?))
}

/// The project that a filter names, if it names one.
async fn named(builds: &Builds, caller: &Caller, project: Option<&str>) -> Result<Option<Vec<ProjectId>>> {
    match project {
        None => Ok(None),
        Some(project) => Ok(Some(vec![builds.projects.find(caller, project).await?.id])),
    }
}

/// Get a build, with the reason why it waits while it does.
#[utoipa::path(
    get, path = "/builds/{id}", tag = "Builds", operation_id = "get_build", params(("id" = BuildId, Path)),
    responses((status = 200, body = BuildView), (status = 403, body = Problem), (status = 404, body = Problem)),
    extensions(("x-access" = json!("build:read")))
)]
async fn get_build(
    State(builds): State<Builds>,
    caller: Caller,
    Path(id): Path<BuildId>,
) -> Result<axum::Json<BuildView>> {
    Ok(axum::Json(view(&builds, &caller, id).await?))
}

/// Queue a pending build.
#[utoipa::path(
    post, path = "/builds/{id}/start", tag = "Builds", operation_id = "start_build", params(("id" = BuildId, Path)),
    responses((status = 202, body = BuildView), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 429, body = Problem)),
    extensions(("x-access" = json!("build:create")))
)]
async fn start_build(State(builds): State<Builds>, caller: Caller, Path(id): Path<BuildId>) -> Result<Response> {
    let build = builds.start(&caller, id).await?;
    accepted(&builds, &caller, build).await
}

/// Cancel a build.
///
/// One that waits is cancelled at once; a running one as soon as its worker has stopped it.
#[utoipa::path(
    post, path = "/builds/{id}/cancel", tag = "Builds", operation_id = "cancel_build", params(("id" = BuildId, Path)),
    responses((status = 202, body = BuildView), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem)),
    extensions(("x-access" = json!("build:cancel")))
)]
async fn cancel_build(State(builds): State<Builds>, caller: Caller, Path(id): Path<BuildId>) -> Result<Response> {
    let build = builds.cancel(&caller, id).await?;
    accepted(&builds, &caller, build).await
}

/// Build the same source and configuration again, as a new build.
#[utoipa::path(
    post, path = "/builds/{id}/retry", tag = "Builds", operation_id = "retry_build", params(("id" = BuildId, Path)),
    responses((status = 202, body = BuildView), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 429, body = Problem)),
    extensions(("x-access" = json!("build:create")))
)]
async fn retry_build(
    State(builds): State<Builds>,
    caller: Caller,
    NewId(new_id): NewId,
    Path(id): Path<BuildId>,
) -> Result<Response> {
    let build = builds.retry(&caller, id, BuildId(new_id)).await?;
    accepted(&builds, &caller, build).await
}

/// List the steps of all attempts, with cache hits and durations.
#[utoipa::path(
    get, path = "/builds/{id}/steps", tag = "Builds", operation_id = "list_build_steps", params(("id" = BuildId, Path)),
    responses((status = 200, body = Page<StepReport>), (status = 404, body = Problem)),
    extensions(("x-access" = json!("build:read")))
)]
async fn list_build_steps(
    State(builds): State<Builds>,
    caller: Caller,
    Path(id): Path<BuildId>,
    _: Query<NoQuery>,
) -> Result<axum::Json<Page<StepReport>>> {
    Ok(axum::Json(Page { items: builds.steps(&caller, id).await?, next_cursor: None }))
}

/// Read a part of the log.
#[utoipa::path(
    get, path = "/builds/{id}/logs", tag = "Builds", operation_id = "list_build_log",
    params(("id" = BuildId, Path), LogQuery),
    responses((status = 200, body = LogPage), (status = 404, body = Problem), (status = 422, body = Problem)),
    extensions(("x-access" = json!("build:read")))
)]
async fn list_build_log(
    State(builds): State<Builds>,
    caller: Caller,
    Path(id): Path<BuildId>,
    Query(query, _): Query<LogQuery>,
) -> Result<axum::Json<LogPage>> {
    let (items, last_line) = builds.log(&caller, id, query.after.unwrap_or(0), query.lines()).await?;
    let next_after = items.last().map(|l| l.line).filter(|n| *n < last_line);
    Ok(axum::Json(LogPage { items, last_line, next_after }))
}

/// Download the whole log as text.
#[utoipa::path(
    get, path = "/builds/{id}/logs/download", tag = "Builds", operation_id = "download_build_log",
    params(("id" = BuildId, Path)),
    responses((status = 200, description = "One line each, without times", body = String, content_type = "text/plain"),
              (status = 404, body = Problem)),
    extensions(("x-access" = json!("build:read")))
)]
async fn download_build_log(State(builds): State<Builds>, caller: Caller, Path(id): Path<BuildId>) -> Result<Response> {
    builds.get(&caller, id).await?;
    let lines = futures::stream::try_unfold(0i64, move |after| {
        let (builds, caller) = (builds.clone(), caller.clone());
        async move {
            let (lines, _) = builds.log(&caller, id, after, 2000).await?;
            let Some(last) = lines.last() else { return Ok::<_, Error>(None) };
            let (next, mut text) = (last.line, String::new());
            for line in &lines {
                text.push_str(&line.text);
                text.push('\n');
            }
            Ok(Some((text, next)))
        }
    });
    let name = format!("attachment; filename=\"build-{id}.log\"");
    let headers = [("content-type", "text/plain; charset=utf-8".to_owned()), ("content-disposition", name)];
    Ok((headers, Body::from_stream(lines.boxed())).into_response())
}

/// List what the build produced.
#[utoipa::path(
    get, path = "/builds/{id}/artifacts", tag = "Builds", operation_id = "list_build_artifacts",
    params(("id" = BuildId, Path)),
    responses((status = 200, body = Page<ArtifactReport>), (status = 404, body = Problem)),
    extensions(("x-access" = json!("build:read")))
)]
async fn list_build_artifacts(
    State(builds): State<Builds>,
    caller: Caller,
    Path(id): Path<BuildId>,
    _: Query<NoQuery>,
) -> Result<axum::Json<Page<ArtifactReport>>> {
    Ok(axum::Json(Page { items: builds.artifacts(&caller, id).await?, next_cursor: None }))
}

/// Get what the build used; 404 before it has run to an end.
#[utoipa::path(
    get, path = "/builds/{id}/metrics", tag = "Builds", operation_id = "get_build_metrics",
    params(("id" = BuildId, Path)),
    responses((status = 200, body = MetricsReport), (status = 404, body = Problem)),
    extensions(("x-access" = json!("build:read")))
)]
async fn get_build_metrics(
    State(builds): State<Builds>,
    caller: Caller,
    Path(id): Path<BuildId>,
) -> Result<axum::Json<MetricsReport>> {
    Ok(axum::Json(builds.metrics(&caller, id).await?))
}

/// List the attempts to run the build.
#[utoipa::path(
    get, path = "/builds/{id}/executions", tag = "Builds", operation_id = "list_build_executions",
    params(("id" = BuildId, Path)),
    responses((status = 200, body = Page<ExecutionReport>), (status = 404, body = Problem)),
    extensions(("x-access" = json!("build:read")))
)]
async fn list_build_executions(
    State(builds): State<Builds>,
    caller: Caller,
    Path(id): Path<BuildId>,
    _: Query<NoQuery>,
) -> Result<axum::Json<Page<ExecutionReport>>> {
    Ok(axum::Json(Page { items: builds.executions(&caller, id).await?, next_cursor: None }))
}

/// List every change of the build's state.
#[utoipa::path(
    get, path = "/builds/{id}/history", tag = "Builds", operation_id = "list_build_history",
    params(("id" = BuildId, Path)),
    responses((status = 200, body = Page<HistoryEntry>), (status = 404, body = Problem)),
    extensions(("x-access" = json!("build:read")))
)]
async fn list_build_history(
    State(builds): State<Builds>,
    caller: Caller,
    Path(id): Path<BuildId>,
    _: Query<NoQuery>,
) -> Result<axum::Json<Page<HistoryEntry>>> {
    Ok(axum::Json(Page { items: builds.history(&caller, id).await?, next_cursor: None }))
}

/// Upload a build context.
///
/// A gzipped tar archive, streamed. Entries that lead outside of it, devices and what is over the limits are refused.
#[utoipa::path(
    post, path = "/projects/{id}/contexts", tag = "Builds", operation_id = "upload_context",
    params(("id" = String, Path, description = "Id or slug of the project")),
    request_body(content = Vec<u8>, content_type = "application/gzip"),
    responses((status = 201, body = ContextView), (status = 404, body = Problem), (status = 413, body = Problem),
              (status = 415, body = Problem), (status = 422, body = Problem)),
    extensions(("x-access" = json!("build:create")))
)]
async fn upload_context(
    State(builds): State<Builds>,
    caller: Caller,
    Path(project): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let project = builds.upload_target(&caller, &project).await?;
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !matches!(kind, "application/gzip" | "application/x-gzip" | "application/x-gtar" | "application/octet-stream") {
        return Err(Error::unsupported_media("context.media_type", "send a gzipped tar as application/gzip"));
    }
    let broken = |e| Error::malformed("request.body", "the upload broke off").with_source(e);
    let mut pieces = body.into_data_stream().map_err(broken);
    let context = builds.upload_context(&caller, &project, &mut pieces).await?;
    let view = ContextView { id: context.id, size_bytes: context.size_bytes, digest: context.digest };
    Ok((StatusCode::CREATED, axum::Json(view)).into_response())
}
