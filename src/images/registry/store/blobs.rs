//! `image_blobs` and `repository_blobs`.

use super::{bytes, digest, signed, unsigned};
use crate::kernel::ids::{ImageId, ProjectId, TenantId, UploadId};
use crate::kernel::{Digest, Result};
use crate::platform::db::{SystemTx, TenantConnection, TenantTx};
use chrono::{DateTime, Utc};

/// A blob looked for in a repository: neither, the repository alone, or both.
pub struct Found {
    pub repository: Option<ImageId>,
    pub size_bytes: Option<u64>,
}

/// The size of a blob that the repository may serve.
pub async fn find(tx: &mut impl TenantConnection, project: ProjectId, name: &str, blob: &Digest) -> Result<Found> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        r#"select r.id, b.size_bytes as "size_bytes?"
           from repositories r
           left join repository_blobs b on b.tenant_id = $1 and b.repository_id = r.id and b.digest = $4
           where r.tenant_id = $1 and r.project_id = $2 and r.name = $3"#,
        tenant.0,
        project.0,
        name,
        blob.bytes()
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(Found {
        repository: row.as_ref().map(|r| r.id.into()),
        size_bytes: row.and_then(|r| r.size_bytes).map(unsigned),
    })
}

/// A blob whose bytes are verified and durable.
pub struct Recorded<'a> {
    pub tenant: TenantId,
    pub repository: ImageId,
    pub digest: &'a Digest,
    pub size: u64,
    pub key: &'a str,
    /// The upload that brought it, which ends.
    pub upload: Option<UploadId>,
    pub now: DateTime<Utc>,
}

/// Records a blob and lets its repository serve it. False, and no link, when the upload has ended already.
pub async fn record(tx: &mut SystemTx, blob: &Recorded<'_>) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"with ended as (delete from blob_uploads where tenant_id = $1 and id = $7 returning id),
                blob as (insert into image_blobs (digest, size_bytes, storage_backend_id, storage_key, created_at)
                         select $3, $4, id, $5, $6 from storage_backends where name = 'default'
                         on conflict (digest) do nothing),
                linked as (insert into repository_blobs (tenant_id, repository_id, digest, size_bytes, linked_at)
                           select $1, $2, $3, $4, $6 where $7::uuid is null or exists (select from ended)
                           on conflict do nothing)
           select $7::uuid is null or exists (select from ended) as "alive!""#,
        blob.tenant.0,
        blob.repository.0,
        blob.digest.bytes(),
        signed(blob.size),
        blob.key,
        blob.now,
        blob.upload.map(|u| u.0)
    )
    .fetch_one(&mut **tx)
    .await?)
}

/// Lets the repository serve a blob.
pub async fn link(tx: &mut TenantTx, repository: ImageId, blob: &Digest, size: u64, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "insert into repository_blobs (tenant_id, repository_id, digest, size_bytes, linked_at)
         values ($1, $2, $3, $4, $5) on conflict do nothing",
        tenant.0,
        repository.0,
        blob.bytes(),
        signed(size),
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Which of these blobs the repository does not have.
pub async fn missing(tx: &mut TenantTx, repository: ImageId, wanted: &[Digest]) -> Result<Vec<Digest>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query_scalar!(
        r#"select wanted as "wanted!" from unnest($3::bytea[]) as wanted
           where not exists (select from repository_blobs b
                             where b.tenant_id = $1 and b.repository_id = $2 and b.digest = wanted)"#,
        tenant.0,
        repository.0,
        &bytes(wanted)
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|d| digest(d)).collect()
}

/// Whether a manifest of the repository needs the blob.
pub async fn is_needed(tx: &mut TenantTx, repository: ImageId, blob: &Digest) -> Result<bool> {
    let tenant = tx.tenant_id();
    let needed = sqlx::query_scalar!(
        r#"select exists (select from image_layer_blobs l
                          join image_manifests m on m.tenant_id = $1 and m.id = l.manifest_id
                          where l.tenant_id = $1 and l.digest = $3 and m.repository_id = $2) as "needed!""#,
        tenant.0,
        repository.0,
        blob.bytes()
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(needed)
}

/// The repository serves the blob no longer. False when it did not.
pub async fn unlink(tx: &mut TenantTx, repository: ImageId, blob: &Digest) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "delete from repository_blobs where tenant_id = $1 and repository_id = $2 and digest = $3",
        tenant.0,
        repository.0,
        blob.bytes()
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
