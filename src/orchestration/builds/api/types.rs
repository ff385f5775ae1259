//! Bodies of the builds API.

use crate::kernel::ids::{BuildId, ContextId, ProjectId, UserId};
use crate::orchestration::builds::model::report::ResultReport;
use crate::orchestration::builds::model::{Build, BuildStatus, GitCommit, LogLine, NewBuild, SourceRequest};
use crate::orchestration::builds::store::Waiting;
use crate::orchestration::methods::Method;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A request for a build.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBuild {
    /// Id or slug of the project.
    #[schema(min_length = 1, max_length = 64)]
    pub project: String,
    /// How the image is built.
    pub method: Method,
    /// Where its files come from.
    pub source: SourceRequest,
    /// Options of the method.
    #[serde(default = "empty")]
    #[schema(value_type = Object)]
    pub config: serde_json::Value,
    /// Repository name below the project; the project's slug when left out.
    #[schema(min_length = 1, max_length = 128)]
    pub image: Option<String>,
    /// Tags that move to the image when the build completes.
    #[serde(default = "latest")]
    #[schema(max_items = 20, default = json!(["latest"]))]
    pub tags: Vec<String>,
    /// Higher first, within the tenant.
    #[serde(default)]
    #[schema(minimum = -100, maximum = 100, default = 0)]
    pub priority: i16,
    /// Time limit from the claim to the end.
    #[schema(minimum = 1)]
    pub timeout_seconds: Option<u32>,
    /// Queue it at once; else it waits for `POST /builds/{id}/start`.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub start: bool,
}

fn empty() -> serde_json::Value {
    serde_json::json!({})
}

fn latest() -> Vec<String> {
    vec!["latest".into()]
}

fn yes() -> bool {
    true
}

impl CreateBuild {
    /// The project, and the request in the context's words.
    pub fn into_new(self) -> (String, NewBuild) {
        let new = NewBuild {
            source: self.source,
            method: self.method,
            config: self.config,
            image_name: self.image,
            image_tags: self.tags,
            priority: self.priority,
            timeout_seconds: self.timeout_seconds,
            start: self.start,
            trigger: "api",
        };
        (self.project, new)
    }
}

/// What a list of builds may be narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BuildFilter {
    /// Id or slug of a project.
    pub project: Option<String>,
    /// In this state.
    pub status: Option<BuildStatus>,
    /// By this method.
    pub method: Option<Method>,
}

/// Whose statistics.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatisticsFilter {
    /// Id or slug of a project.
    pub project: Option<String>,
}

/// Which part of a log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Lines after this number; 0 for the start.
    #[param(minimum = 0)]
    pub after: Option<i64>,
    /// 1 to 10000 lines, 1000 when left out.
    #[param(minimum = 1, maximum = 10000)]
    pub lines: Option<usize>,
}

impl LogQuery {
    /// How many lines, within the bounds.
    pub fn lines(&self) -> usize {
        self.lines.unwrap_or(1000).clamp(1, 10_000)
    }
}

/// A part of a log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// In order.
    pub items: Vec<LogLine>,
    /// Number of the last line stored so far.
    pub last_line: i64,
    /// Pass it as `after` to go on; none when there is no more for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_after: Option<i64>,
}

/// A stored context.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ContextView {
    /// Name it as `source.context_id`.
    pub id: ContextId,
    /// Compressed size.
    pub size_bytes: i64,
    /// SHA-256 of the archive.
    pub digest: String,
}

/// Why a queued build waits.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WaitingReason {
    /// `dispatch_paused`, `no_worker`, `tenant_limit`, `project_limit`, `method_limit`, `queue` or `worker_slot`.
    pub code: String,
    /// For people.
    pub detail: String,
}

/// A build.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BuildView {
    /// Its id.
    pub id: BuildId,
    /// The project.
    pub project_id: ProjectId,
    /// 1, 2, 3 ... in the project.
    pub number: i32,
    /// Where it stands.
    pub status: BuildStatus,
    /// How it is built.
    pub method: Method,
    /// Where its files come from.
    pub source: SourceRequest,
    /// Options of the method, every default filled in; only in the answer for one build.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub config: Option<serde_json::Value>,
    /// Repository name below the project.
    pub image: String,
    /// Tags that move to the image.
    pub tags: Vec<String>,
    /// Higher first, within the tenant.
    pub priority: i16,
    /// Time limit from the claim to the end.
    pub timeout_seconds: i32,
    /// Executions so far.
    pub attempts: i32,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triggered_by_user_id: Option<UserId>,
    /// The build that this one repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_build_id: Option<BuildId>,
    /// The commit that was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<GitCommit>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// When somebody asked to cancel it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<DateTime<Utc>>,
    /// When it was first claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<DateTime<Utc>>,
    /// Why it waits; only while it is queued, and only in the answer for one build.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingReason>,
    /// How it ended; only in the answer for one build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultReport>,
}

impl BuildView {
    /// As lists show it.
    pub fn new(b: Build) -> Self {
        Self {
            id: b.id,
            project_id: b.project_id,
            number: b.number,
            status: b.status,
            method: b.method,
            source: b.source,
            config: None,
            image: b.image_name,
            tags: b.image_tags,
            priority: b.priority,
            timeout_seconds: b.timeout_seconds,
            attempts: b.attempts,
            triggered_by_user_id: b.triggered_by_user_id,
            original_build_id: b.original_build_id,
            commit: b.commit,
            error_message: b.error_message,
            cancel_requested_at: b.cancel_requested_at,
            created_at: b.created_at,
            queued_at: b.queued_at,
            started_at: b.started_at,
            completed_at: b.completed_at,
            waiting: Vec::new(),
            result: None,
        }
    }

    /// As the answer for one build shows it.
    #[must_use]
    pub fn with(self, waiting: Option<Waiting>, result: Option<ResultReport>, config: serde_json::Value) -> Self {
        Self { waiting: waiting.map(|w| reasons(&w)).unwrap_or_default(), result, config: Some(config), ..self }
    }
}

fn reasons(w: &Waiting) -> Vec<WaitingReason> {
    let reason = |code: &str, detail: String| WaitingReason { code: code.into(), detail };
    let mut all = Vec::new();
    if w.mode != "running" {
        all.push(reason("dispatch_paused", format!("an operator has set dispatch to {}", w.mode)));
    }
    if w.workers == 0 {
        all.push(reason("no_worker", "no worker that is alive runs this method".into()));
    }
    for (code, what, running, limit) in [
        ("tenant_limit", "the tenant", w.tenant_running, w.tenant_limit),
        ("project_limit", "the project", w.project_running, w.project_limit),
        ("method_limit", "the method", w.method_running, w.method_limit),
    ] {
        if running >= limit {
            all.push(reason(code, format!("{running} builds of {what} run and {limit} are allowed")));
        }
    }
    if w.ahead > 0 {
        let more = if w.ahead >= 1000 { "at least " } else { "" };
        all.push(reason("queue", format!("{more}{} builds of the tenant are before it", w.ahead)));
    }
    if all.is_empty() {
        all.push(reason("worker_slot", "it is next; it waits for a free slot on a worker".into()));
    }
    all
}
