//! Limits of a tenant, the operator's wish, what is known of workers and queues.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// How many builds of a tenant may run at the same time. Enforced inside the claim; the tenant's quota caps the total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConcurrencyPolicy {
    /// In the whole tenant.
    #[schema(minimum = 0, maximum = 10000)]
    pub max_concurrent_builds: i32,
    /// In each project.
    #[schema(minimum = 0, maximum = 10000)]
    pub max_concurrent_per_project: i32,
    /// By the method `docker`.
    #[schema(minimum = 0, maximum = 10000)]
    pub docker_max_concurrent: i32,
    /// By the method `container`.
    #[schema(minimum = 0, maximum = 10000)]
    pub container_max_concurrent: i32,
    /// By the method `kaniko`.
    #[schema(minimum = 0, maximum = 10000)]
    pub kaniko_max_concurrent: i32,
    /// Whether builds may overtake others of the tenant by priority; off: all count as priority 0 when queued.
    pub priority_dispatch_enabled: bool,
    /// Builds that wait longer fail.
    #[schema(minimum = 1, maximum = 100_000)]
    pub max_queued_wait_minutes: i32,
}

/// What the operator wants of all dispatchers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Queued builds are started.
    Running,
    /// Nothing is started; what runs goes on.
    Paused,
    /// As paused, before maintenance: workers report `draining`.
    Draining,
}

impl Mode {
    /// As stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Draining => "draining",
        }
    }
}

/// A dispatcher instance.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WorkerReport {
    /// Its id, the same after a restart on the same machine.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `local`.
    pub worker_type: String,
    /// Builds that it runs at the same time at most.
    pub concurrent_builds_limit: i32,
    /// Builds that it runs now.
    pub current_builds_count: i64,
    /// Programs found on it.
    pub tools: Vec<String>,
    /// Methods that it can run.
    pub methods: Vec<String>,
    /// `healthy`, `draining` or `offline`.
    pub status: String,
    /// Version of its binary.
    pub version: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it last gave a sign of life.
    pub last_heartbeat: DateTime<Utc>,
}

/// The queue of a tenant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TenantQueue {
    /// The tenant.
    pub tenant_id: Uuid,
    /// Builds that wait, at most 100000.
    pub queued: i64,
    /// Builds that run.
    pub running: i64,
    /// When the oldest that waits was queued.
    pub oldest_queued_at: Option<DateTime<Utc>>,
}

/// The state of dispatch.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DispatcherReport {
    /// What the operator wants.
    pub mode: String,
    /// Who said so last.
    pub changed_by: String,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// Builds that wait, at most 100000.
    pub queued: i64,
    /// Builds that run.
    pub running: i64,
    /// Builds that ended in the last hour.
    pub finished_last_hour: i64,
    /// Tenants with the longest queues, at most 100.
    pub tenants: Vec<TenantQueue>,
}
