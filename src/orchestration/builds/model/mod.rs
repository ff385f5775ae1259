//! What a build is, which states it goes through, and what a request for one may say.

pub mod log;
pub mod report;

use crate::kernel::ids::{BuildId, ContextId, ExecutionId, ProjectId, TenantId, UserId};
use crate::kernel::{Digest, Fault};
use crate::orchestration::methods::{Method, Stage, validate_git_ref, validate_git_url};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::ToSchema;

/// Where a build stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BuildStatus {
    /// Stored, not yet queued.
    Pending,
    /// Waits for the dispatcher.
    Queued,
    /// An execution holds a lease on it.
    Running,
    /// The image is in the registry.
    Completed,
    /// It ended for a reason that `error_message` gives.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

impl BuildStatus {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing will change any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether the step is legal. Every UPDATE of a status names the state it expects; this is the one list.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Queued | Self::Cancelled)
                | (Self::Queued, Self::Running | Self::Cancelled | Self::Failed)
                | (Self::Running, Self::Completed | Self::Failed | Self::Cancelled | Self::Queued)
        )
    }
}

impl FromStr for BuildStatus {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        [Self::Pending, Self::Queued, Self::Running, Self::Completed, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|x| x.as_str() == s)
            .ok_or_else(|| format!("unknown build status {s}"))
    }
}

/// How a build ended, for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResultStatus {
    /// The image is in the registry.
    Success,
    /// It failed.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
    /// It took longer than its time limit.
    Timeout,
}

impl ResultStatus {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Timeout => "timeout",
        }
    }

    /// The state that the build ends in.
    pub const fn build_status(self) -> BuildStatus {
        match self {
            Self::Success => BuildStatus::Completed,
            Self::Failed | Self::Timeout => BuildStatus::Failed,
            Self::Cancelled => BuildStatus::Cancelled,
        }
    }
}

/// Where the files of a build come from: exactly one of `git`, `context_id` and `dockerfile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceRequest {
    /// A commit of a Git repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<GitRequest>,
    /// An uploaded context of the same project (`POST /projects/{id}/contexts`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_id: Option<ContextId>,
    /// A Dockerfile; the build context is empty.
    #[schema(min_length = 1, max_length = 262_144)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<String>,
}

/// A commit of a Git repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GitRequest {
    /// `https`, `http`, `ssh` or `git` URL, or `user@host:path`. No password in it: name a credential.
    #[schema(min_length = 1, max_length = 2048)]
    pub url: String,
    /// Branch, tag, commit id or `refs/...`.
    #[serde(rename = "ref", default = "default_ref")]
    #[schema(min_length = 1, max_length = 255, default = "HEAD")]
    pub reference: String,
    /// Name of a secret of the project, of kind `git_token` or `ssh_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64)]
    pub credential: Option<String>,
}

fn default_ref() -> String {
    "HEAD".into()
}

/// A request for a build, checked.
#[derive(Debug, Clone)]
pub struct NewBuild {
    /// Where the files come from.
    pub source: SourceRequest,
    /// How the image is built.
    pub method: Method,
    /// The method's options, as [`crate::orchestration::methods::MethodConfig::parse`] accepts them.
    pub config: serde_json::Value,
    /// Repository name below the project; the project's slug when none is given.
    pub image_name: Option<String>,
    /// Tags that move to the image when the build completes.
    pub image_tags: Vec<String>,
    /// -100 to 100; higher first, within the tenant.
    pub priority: i16,
    /// From the claim to the end.
    pub timeout_seconds: Option<u32>,
    /// Queue it at once.
    pub start: bool,
    /// `api` or `manual`.
    pub trigger: &'static str,
}

/// The faults of a source that its schema cannot say.
pub fn source_faults(source: &SourceRequest) -> Vec<Fault> {
    let given = [source.git.is_some(), source.context_id.is_some(), source.dockerfile.is_some()];
    let mut faults = Vec::new();
    if given.iter().filter(|g| **g).count() != 1 {
        faults.push(Fault::new("/source", "exactly_one", "give one of git, context_id and dockerfile"));
    }
    if let Some(git) = &source.git {
        faults.extend(validate_git_url(&git.url, "/source/git/url").err());
        faults.extend(validate_git_ref(&git.reference, "/source/git/ref").err());
    }
    faults
}

/// A path component of a repository (OCI Distribution Specification, "Pulling manifests": `<name>`).
pub fn is_repository_component(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.split('/').all(|part| {
            let b = part.as_bytes();
            let word = |c: &u8| c.is_ascii_lowercase() || c.is_ascii_digit();
            b.first().is_some_and(word)
                && b.last().is_some_and(word)
                && b.iter().all(|c| word(c) || matches!(c, b'.' | b'_' | b'-'))
                && !part.contains("..")
                && !part.contains("___")
                && !part.contains("._")
                && !part.contains("_.")
        })
}

/// A tag that people may set (OCI: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`); a leading `_` is kept for the service.
pub fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && tag.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric())
        && tag.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-'))
}

/// A build, as it is stored.
#[derive(Debug, Clone)]
pub struct Build {
    /// Its id.
    pub id: BuildId,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The project.
    pub project_id: ProjectId,
    /// 1, 2, 3 ... in the project, without gaps.
    pub number: i32,
    /// Where it stands.
    pub status: BuildStatus,
    /// How it is built.
    pub method: Method,
    /// Higher first, within the tenant.
    pub priority: i16,
    /// Repository name below the project.
    pub image_name: String,
    /// Tags that move to the image.
    pub image_tags: Vec<String>,
    /// Where its files come from.
    pub source: SourceRequest,
    /// From the claim to the end.
    pub timeout_seconds: i32,
    /// Executions so far.
    pub attempts: i32,
    /// Who asked for it.
    pub triggered_by_user_id: Option<UserId>,
    /// The build that this one repeats.
    pub original_build_id: Option<BuildId>,
    /// The commit that was built.
    pub commit: Option<GitCommit>,
    /// Why it failed, for people.
    pub error_message: Option<String>,
    /// When somebody asked to cancel it.
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last queued.
    pub queued_at: Option<DateTime<Utc>>,
    /// When it was first claimed.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

/// The commit that was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GitCommit {
    /// The full commit id.
    pub sha: String,
    /// The branch, where the ref named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Name and address of its author.
    pub author: String,
    /// Its first line.
    pub message: String,
}

/// One execution, for whoever runs it: every write of the run names it.
#[derive(Debug, Clone)]
pub struct RunRef {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The build.
    pub build_id: BuildId,
    /// The execution.
    pub execution_id: ExecutionId,
    /// Its number: 1, 2, ...
    pub attempt: i32,
    /// The name that the executor knows it by.
    pub run_name: String,
}

/// A line of a build's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// 1, 2, 3 ... in the build, across attempts.
    pub line: i64,
    /// When it was printed.
    pub time: DateTime<Utc>,
    /// Where it was printed.
    pub stream: LogStream,
    /// `info`, `warn` or `error`.
    pub level: String,
    /// The step it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<i32>,
    /// The attempt it belongs to.
    pub attempt: i32,
    /// The text, secrets masked; may hold ANSI colours.
    pub text: String,
}

/// Where a line was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The service itself.
    System,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// It runs.
    Running,
    /// It succeeded.
    Success,
    /// It failed.
    Failed,
}

impl StepStatus {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
        }
    }
}

/// A step of an execution, as it is written while it runs.
#[derive(Debug, Clone)]
pub struct Step {
    /// 1, 2, 3 ... in the execution.
    pub number: i32,
    /// What is shown: `RUN make`.
    pub name: String,
    /// `FETCH`, `FROM`, `RUN`, `COPY`, `PUSH` ...
    pub instruction: String,
    /// What became of it.
    pub status: StepStatus,
    /// Whether its layer came from the cache.
    pub cached: bool,
    /// The layer it made, as the tool shows it.
    pub layer: Option<String>,
    /// Exit code of the command that failed in it.
    pub exit_code: Option<i32>,
    /// The first log line at or after its start.
    pub first_line: i64,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

/// How an execution ended, as it is recorded with the build.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How.
    pub result: ResultStatus,
    /// Of the command that failed.
    pub exit_code: Option<i32>,
    /// Why, for people, with what to do.
    pub reason: Option<String>,
    /// Where it failed.
    pub stage: Option<Stage>,
    /// The image, as pushed.
    pub digest: Option<Digest>,
    /// The commit that was built.
    pub commit: Option<GitCommit>,
    /// How long the build command took, in milliseconds.
    pub build_ms: Option<i64>,
    /// How long the push took, in milliseconds.
    pub push_ms: Option<i64>,
    /// Highest memory use in bytes, where the machine counts it.
    pub peak_memory_bytes: Option<i64>,
    /// Processor time in milliseconds.
    pub cpu_ms: Option<i64>,
    /// Bytes read from disk.
    pub disk_read_bytes: Option<i64>,
    /// Bytes written to disk.
    pub disk_write_bytes: Option<i64>,
    /// Steps that make a layer.
    pub total_layers: i32,
    /// Those that came from the cache.
    pub reused_layers: i32,
    /// Lines of the log in this execution.
    pub log_lines: i64,
}

impl Outcome {
    /// A failure without further facts.
    pub fn failed(stage: Stage, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), stage: Some(stage), ..Self::of(ResultStatus::Failed) }
    }

    /// An end of this kind without further facts.
    pub fn of(result: ResultStatus) -> Self {
        Self {
            result,
            exit_code: None,
            reason: None,
            stage: None,
            digest: None,
            commit: None,
            build_ms: None,
            push_ms: None,
            peak_memory_bytes: None,
            cpu_ms: None,
            disk_read_bytes: None,
            disk_write_bytes: None,
            total_layers: 0,
            reused_layers: 0,
            log_lines: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_a_final_state() {
        use BuildStatus::{Cancelled, Completed, Failed, Pending, Queued, Running};
        let all = [Pending, Queued, Running, Completed, Failed, Cancelled];
        for from in all {
            for to in all {
                assert!(!(from.is_final() && from.may_become(to)), "{from:?} -> {to:?}");
                assert!(!from.may_become(from));
            }
        }
        assert!(all.iter().filter(|s| s.may_become(Running)).eq([&Queued]), "only a queued build is claimed");
    }

    #[test]
    fn a_source_is_exactly_one_thing() {
        let none = SourceRequest { git: None, context_id: None, dockerfile: None };
        assert_eq!(source_faults(&none)[0].code, "exactly_one");
        let one = SourceRequest { dockerfile: Some("FROM scratch".into()), ..none };
        assert!(source_faults(&one).is_empty());
        let two = SourceRequest { context_id: Some(ContextId::new()), ..one };
        assert_eq!(source_faults(&two)[0].pointer, "/source");
    }

    #[test]
    fn names_and_tags_follow_the_registry_and_keep_its_reserved_ones_out() {
        for good in ["app", "a/b", "my-app", "a__b", "0.1"] {
            assert!(is_repository_component(good), "{good}");
        }
        for bad in ["", "App", "-a", "a-", "a//b", "/a", "a..b", "a b", &"a".repeat(129)] {
            assert!(!is_repository_component(bad), "{bad}");
        }
        assert!(is_tag("v1.2_3-x"));
        for bad in ["", "_x", ".a", "-a", "a b", "a:b", &"a".repeat(129)] {
            assert!(!is_tag(bad), "{bad}");
        }
    }
}
