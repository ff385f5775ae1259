//! What is kept of pulls and pushes.

use crate::kernel::{Digest, text_enum};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// What was done at the registry.
    pub enum AccessKind {
        /// A manifest was read.
        Pull = "pull",
        /// A manifest was pushed.
        Push = "push",
        /// A blob was taken over from another repository.
        Mount = "mount",
        /// A manifest, a tag or a blob was deleted.
        Delete = "delete",
    }
}

/// A pull, push, mount or delete.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ImageAccess {
    /// Unique.
    pub id: Uuid,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// Who: `user:<id>`, `api_key:<id>`, `robot:<id>`, `execution:<id>`, `system:<part>` or `anonymous`.
    pub actor: String,
    /// What.
    pub action: AccessKind,
    /// The tag or digest that was named; of a mount, the repository that the blob came from.
    pub reference: String,
    /// Digest of the manifest or blob.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Bytes of the manifest, when it was pushed with all it names; of the blob, when one was mounted.
    pub bytes: u64,
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The client's program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// What went in and out of a tenant's repositories on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transfer {
    /// In UTC.
    pub day: NaiveDate,
    /// Manifests that were read.
    pub pulls: u64,
    /// Manifests that were pushed.
    pub pushes: u64,
    /// Bytes of manifests and blobs that were sent.
    pub pulled_bytes: u64,
    /// Bytes of manifests and blobs that were received.
    pub pushed_bytes: u64,
}
