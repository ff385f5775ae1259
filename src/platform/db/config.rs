use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The PostgreSQL database.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address: `postgres://user:password@host:port/database`.
    pub url: String,
    /// Most connections this process holds.
    pub max_connections: u32,
    /// Longest wait for a free connection before a request is answered 503.
    pub acquire_timeout_seconds: u64,
    /// Apply missing migrations when the server starts.
    pub migrate_on_start: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "postgres://image_factory@127.0.0.1:5432/image_factory".into(),
            max_connections: 20,
            acquire_timeout_seconds: 10,
            migrate_on_start: true,
        }
    }
}
