//! Upstreams.

use crate::images::remotes::Login;
use crate::kernel::ids::{ProjectId, TenantId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The registry that a project is a cache of.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Upstream {
    /// The project.
    pub project_id: ProjectId,
    /// Its address; a path is put before the names of images.
    pub url: String,
    /// Who signs in there; none: nobody.
    pub username: Option<String>,
    /// Seconds for which a tag is served without asking whether it has moved.
    pub freshness_seconds: i32,
    /// Counts changes.
    pub version: i32,
    /// When it was set first.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// An upstream as it is set.
#[derive(Debug)]
pub struct NewUpstream {
    /// Its address.
    pub url: String,
    /// Who signs in there.
    pub login: Option<Login>,
    /// Seconds for which a tag is served without asking whether it has moved.
    pub freshness_seconds: i32,
}

/// What the password is bound to when it is encrypted.
pub fn seal_context(tenant: TenantId, project: ProjectId) -> String {
    format!("registry_upstream:{tenant}:{project}")
}
