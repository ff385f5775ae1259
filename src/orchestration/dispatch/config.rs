use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The dispatcher of this process.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether this process runs builds.
    pub enabled: bool,
    /// Name of this worker; empty: the machine's host name.
    pub worker_name: String,
    /// Builds that this process runs at the same time; 0: one for each processor.
    pub concurrent_builds: usize,
    /// Lease of a running build in seconds: after a crash its build is taken over after this time. Renewed at a third.
    pub lease_seconds: i32,
    /// Longest time in milliseconds between two looks at the queue; a notification comes first as a rule.
    pub poll_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { enabled: true, worker_name: String::new(), concurrent_builds: 0, lease_seconds: 30, poll_ms: 2000 }
    }
}
