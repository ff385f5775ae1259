//! Tags for the catalogue; how much storage a tenant uses.

use super::Registry;
use crate::images::registry::store;
use crate::kernel::ids::{ImageId, ProjectId, TenantId};
use crate::kernel::{Digest, Page, PageRequest, Result};
use crate::platform::db::TenantTx;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A tag and what it points to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TagInfo {
    /// The tag.
    pub name: String,
    /// Digest of the manifest.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Media type of the manifest.
    pub media_type: String,
    /// Bytes of the manifest and all it names, as the manifest says.
    pub size_bytes: u64,
    /// `os/architecture`, where the manifest is an image for one platform.
    pub platform: Option<String>,
    /// Who pointed it there.
    pub moved_by: String,
    /// When it was pointed there.
    pub moved_at: DateTime<Utc>,
}

/// What a tenant's manifests need in storage, each blob counted once.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Blobs.
    pub total_objects: i64,
    /// Their bytes.
    pub total_size_bytes: u64,
}

impl Registry {
    /// Tags of an image with where they point, for the catalogue. The caller's rights are checked there.
    pub async fn tag_infos(&self, tenant: TenantId, image: ImageId, page: &PageRequest) -> Result<Page<TagInfo>> {
        let last: Option<String> = page.after()?;
        let mut tx = self.parts.db.tenant(tenant).await?;
        let rows = store::tags::list(&mut tx, image, last.as_deref().unwrap_or_default(), page.fetch()).await?;
        let page = page.page(rows, |t| t.name.clone())?;
        Ok(page.map(|t| TagInfo {
            name: t.name,
            digest: t.digest,
            media_type: t.media_type,
            size_bytes: t.size_bytes,
            platform: t.platform,
            moved_by: t.moved_by,
            moved_at: t.moved_at,
        }))
    }

    /// Tags of an image that point to a manifest.
    pub async fn tags_of(
        &self,
        tx: &mut TenantTx,
        project: ProjectId,
        image: &str,
        manifest: &Digest,
    ) -> Result<Vec<String>> {
        match store::repositories::find(tx, project, image).await? {
            Some(repository) => store::tags::of_manifest(tx, repository, manifest).await,
            None => Ok(Vec::new()),
        }
    }

    /// What the tenant's manifests need in storage.
    pub async fn usage(&self, tenant: TenantId) -> Result<Usage> {
        let mut tx = self.parts.db.tenant(tenant).await?;
        let (total_objects, total_size_bytes) = store::usage::total(&mut tx).await?;
        Ok(Usage { total_objects, total_size_bytes })
    }
}
