use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Object storage.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder for blobs, uploads and build contexts, on one file system.
    pub folder: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { folder: "/var/lib/image-factory/storage".into() }
    }
}
