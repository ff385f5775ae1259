use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The built-in registry.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Largest manifest in bytes.
    pub max_manifest_bytes: usize,
    /// Largest blob in bytes.
    pub max_blob_bytes: u64,
    /// Hours after which an upload that has not grown is removed.
    pub upload_expiry_hours: u32,
    /// Seconds without a byte after which a client that uploads is cut off.
    pub idle_timeout_seconds: u64,
    /// Minutes for which a token is good.
    pub token_minutes: u32,
    /// Hours between two collections of garbage; 0: only when an operator starts one.
    pub collect_every_hours: u32,
    /// Hours for which what nothing refers to is kept, at least one: time enough for a push from its first blob to its
    /// manifest.
    pub collect_grace_hours: u32,
    /// Days after which layer caches of builds, and images of builds that did not complete, are removed.
    pub build_cache_days: u32,
    /// Days between two verifications of all stored blobs; 0: only when an operator starts one.
    pub scrub_every_days: u32,
    /// Bytes that a verification reads in a second.
    pub scrub_bytes_per_second: u64,
    /// Requests for tokens and for what is public, per second, from one address that has not signed in; bursts of twice
    /// that.
    pub anonymous_requests_per_second: u32,
    /// Days for which the access log tells who pulled and pushed; it ends with whole months.
    pub access_log_days: u32,
    /// Most pulls that wait to be written to the access log.
    pub access_log_queue: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_manifest_bytes: 4 * 1024 * 1024,
            max_blob_bytes: 64 * 1024 * 1024 * 1024,
            upload_expiry_hours: 24,
            idle_timeout_seconds: 60,
            token_minutes: 5,
            collect_every_hours: 6,
            collect_grace_hours: 24,
            build_cache_days: 30,
            scrub_every_days: 30,
            scrub_bytes_per_second: 20 * 1024 * 1024,
            anonymous_requests_per_second: 50,
            access_log_days: 365,
            access_log_queue: 10_000,
        }
    }
}
