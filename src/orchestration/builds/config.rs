use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Limits of builds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Time limit in seconds of a build that names none.
    pub default_timeout_seconds: u32,
    /// Longest time limit in seconds that a build may name.
    pub max_timeout_seconds: u32,
    /// Attempts of a build whose worker dies, in all.
    pub max_attempts: i32,
    /// Largest uploaded context in bytes, compressed.
    pub max_context_bytes: u64,
    /// Largest uploaded context in bytes, unpacked.
    pub max_context_unpacked_bytes: u64,
    /// Hours for which an unused context is kept, for retries.
    pub context_retention_hours: i32,
    /// Largest log of a build in bytes, uncompressed; what comes after is dropped with a notice.
    pub max_log_bytes: u64,
    /// Private networks that Git sources may be fetched from, such as `10.1.0.0/16`.
    #[schema(value_type = Vec<String>)]
    pub git_allowed_networks: Vec<IpNet>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default_timeout_seconds: 3600,
            max_timeout_seconds: 6 * 3600,
            max_attempts: 5,
            max_context_bytes: 512 * 1024 * 1024,
            max_context_unpacked_bytes: 4 * 1024 * 1024 * 1024,
            context_retention_hours: 168,
            max_log_bytes: 1024 * 1024 * 1024,
            git_allowed_networks: Vec::new(),
        }
    }
}
