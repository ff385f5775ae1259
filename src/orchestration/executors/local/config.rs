use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use utoipa::ToSchema;

/// Builds that run as processes of this machine.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of the runs, each in one of its own that is removed when the run ends. Of this server alone; it needs
    /// room for `disk_bytes` times the builds that run at the same time, on a file system that overlayfs can use.
    #[schema(value_type = String)]
    pub folder: PathBuf,
    /// Memory of one run, in bytes, page cache included.
    pub memory_bytes: u64,
    /// Processes and threads of one run at the same time.
    pub max_processes: u32,
    /// Disk space of one run, in bytes: source, layers and temporary files.
    pub disk_bytes: u64,
    /// How long a process that is told to end may take before it is killed.
    pub grace_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            folder: "/var/lib/image-factory/runs".into(),
            memory_bytes: 4 << 30,
            max_processes: 4096,
            disk_bytes: 20 << 30,
            grace_seconds: 10,
        }
    }
}
