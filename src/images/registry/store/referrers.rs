//! Which manifests are about another one: by their subject, or by the referrers tag schema.

use super::manifests::StoredManifest;
use super::unsigned;
use crate::kernel::ids::ImageId;
use crate::kernel::{Digest, Result};
use crate::platform::db::TenantTx;

/// Which referrers to list.
pub struct Wanted<'a> {
    pub repository: ImageId,
    pub subject: &'a Digest,
    /// The tag of the subject's index in the referrers tag schema.
    pub fallback: &'a str,
    pub artifact_type: Option<&'a str>,
    /// After this digest.
    pub last: Option<&'a Digest>,
    pub limit: i64,
}

/// Digests and sizes of referrers, in the order of their digests.
pub async fn find(tx: &mut TenantTx, wanted: &Wanted<'_>) -> Result<Vec<(Digest, u64)>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        r#"with referring as (
               select m.id from image_manifests m
               where m.tenant_id = $1 and m.repository_id = $2 and m.subject_digest = $3
               union
               select m.id from image_tags t
               join image_layer_blobs l on l.tenant_id = $1 and l.manifest_id = t.manifest_id and l.kind = 'manifest'
               join image_manifests m on m.tenant_id = $1 and m.repository_id = $2 and m.digest = l.digest
               where t.tenant_id = $1 and t.repository_id = $2 and t.name = $4)
           select m.digest, m.size_bytes
           from referring join image_manifests m on m.tenant_id = $1 and m.id = referring.id
           where ($5::bytea is null or m.digest > $5)
             and ($6::text is null or $6 = coalesce(m.artifact_type,
                     (select l.media_type from image_layer_blobs l
                      where l.tenant_id = $1 and l.manifest_id = m.id and l.kind = 'config')))
           order by m.digest limit $7"#,
        tenant.0,
        wanted.repository.0,
        wanted.subject.bytes(),
        wanted.fallback,
        wanted.last.map(|d| d.bytes().to_vec()),
        wanted.artifact_type,
        wanted.limit
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(|r| Ok((Digest::stored(&r.digest)?, unsigned(r.size_bytes)))).collect()
}

/// Indexes of the referrers tag schema that list a manifest, each with its tag.
pub async fn fallback_tags_listing(
    tx: &mut TenantTx,
    repository: ImageId,
    listed: &Digest,
) -> Result<Vec<(String, StoredManifest)>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        "select t.name, m.digest, m.media_type, m.size_bytes, m.manifest_content
         from image_layer_blobs l
         join image_tags t on t.tenant_id = $1 and t.manifest_id = l.manifest_id
         join image_manifests m on m.tenant_id = $1 and m.id = l.manifest_id
         where l.tenant_id = $1 and l.digest = $3 and l.kind = 'manifest' and t.repository_id = $2
           and t.name ~ '^sha256-[0-9a-f]{64}$'",
        tenant.0,
        repository.0,
        listed.bytes()
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|r| {
            let index = StoredManifest {
                digest: Digest::stored(&r.digest)?,
                media_type: r.media_type,
                size_bytes: unsigned(r.size_bytes),
                content: r.manifest_content,
            };
            Ok((r.name, index))
        })
        .collect()
}
