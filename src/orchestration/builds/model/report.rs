//! What can be read of a build beside itself: steps, attempts, artifacts, metrics, result, history.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A step of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepReport {
    /// The attempt it belongs to.
    pub attempt: i32,
    /// 1, 2, 3 ... in the attempt.
    pub number: i32,
    /// What is shown: `RUN make`.
    pub name: String,
    /// `FETCH`, `FROM`, `RUN`, `COPY`, `PUSH` ...
    pub instruction: String,
    /// `running`, `success`, `failed` or `skipped`.
    pub status: String,
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
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
}

/// One attempt to run the build.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ExecutionReport {
    /// Its id.
    pub id: Uuid,
    /// 1, 2, 3 ...
    pub attempt: i32,
    /// `local`.
    pub executor: String,
    /// The dispatcher that held its lease.
    pub worker_id: Uuid,
    /// The name that the executor knew it by.
    pub run_name: String,
    /// `running`, `succeeded`, `failed`, `cancelled` or `lost`.
    pub status: String,
    /// Why it ended so.
    pub reason: Option<String>,
    /// When its lease was last renewed.
    pub heartbeat_at: Option<DateTime<Utc>>,
    /// When it was claimed.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Something that the build produced.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ArtifactReport {
    /// Its id.
    pub id: Uuid,
    /// `docker_image`.
    pub artifact_type: String,
    /// Repository and tag.
    pub name: String,
    /// Where it is: a reference that clients can pull.
    pub location: String,
    /// Its size, compressed.
    pub size_bytes: Option<i64>,
    /// `sha256:...`
    pub digest: Option<String>,
    /// Whether it is still there.
    pub is_available: bool,
    /// The image of the catalogue.
    pub image_id: Option<Uuid>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
}

/// What the build used. None: not measured on that machine.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MetricsReport {
    /// From the claim to the end, in milliseconds.
    pub total_duration_ms: i64,
    /// The build command, in milliseconds.
    pub build_duration_ms: Option<i64>,
    /// The push, in milliseconds.
    pub push_duration_ms: Option<i64>,
    /// Highest memory of all processes together.
    pub peak_memory_bytes: Option<i64>,
    /// Processor time in milliseconds.
    pub cpu_ms: Option<i64>,
    /// Read from disks.
    pub disk_read_bytes: Option<i64>,
    /// Written to disks.
    pub disk_write_bytes: Option<i64>,
    /// Steps that make a layer.
    pub total_layers: Option<i32>,
    /// Those that came from the cache.
    pub reused_layers: Option<i32>,
    /// Those that were built.
    pub new_layers: Option<i32>,
    /// The image, compressed.
    pub final_image_size_bytes: Option<i64>,
    /// Lines of the log in the last attempt.
    pub log_lines: i64,
}

/// How the build ended.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ResultReport {
    /// `success`, `failed`, `cancelled` or `timeout`.
    pub status: String,
    /// Of the command that failed.
    pub exit_code: Option<i32>,
    /// The image of the catalogue.
    pub image_id: Option<Uuid>,
    /// A reference that clients can pull.
    pub image: Option<String>,
    /// `sha256:...`
    pub digest: Option<String>,
    /// Why it failed, for people.
    pub failure_reason: Option<String>,
    /// `compile`, `build`, `push`, `scan` or `verification`.
    pub failure_stage: Option<String>,
    /// From queued to the end, in milliseconds.
    pub total_duration_ms: i64,
    /// From queued to the first claim, in milliseconds.
    pub queue_wait_ms: i64,
    /// The last attempt, in milliseconds.
    pub build_execution_ms: i64,
    /// Of it the push, in milliseconds.
    pub artifact_push_ms: Option<i64>,
    /// Attempts beyond the first.
    pub retry_count: i32,
}

/// A change of state.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct HistoryEntry {
    /// None for the first.
    pub from_status: Option<String>,
    /// The new state.
    pub to_status: String,
    /// Why.
    pub reason: String,
    /// `user:<id>`, `system:dispatch` ...
    pub changed_by: String,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// How builds have been going.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Statistics {
    /// Builds that run now; 10000 means as many or more.
    pub running: i64,
    /// Builds that wait in the queue now; 10000 means as many or more.
    pub queued: i64,
    /// The days of the last 30 on which builds have ended, oldest first.
    pub days: Vec<DayStatistics>,
    /// The last 7 and the last 30 days.
    pub periods: Vec<PeriodStatistics>,
}

/// Builds that have ended on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayStatistics {
    /// In UTC.
    pub day: NaiveDate,
    /// That made their image.
    pub completed: i64,
    /// That failed.
    pub failed: i64,
    /// That were cancelled.
    pub cancelled: i64,
}

/// Builds that have ended within the last days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeriodStatistics {
    /// How many days.
    pub days: i32,
    /// That made their image.
    pub completed: i64,
    /// That failed.
    pub failed: i64,
    /// The median of how long the completed ones ran, in milliseconds; none when there are none.
    pub median_ms: Option<i64>,
}
