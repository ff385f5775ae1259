//! Verifying what is stored: `image_blobs` again, `storage_quarantine`.

use super::{signed, unsigned};
use crate::kernel::ids::TenantId;
use crate::kernel::{Digest, Result};
use crate::platform::db::SystemTx;
use chrono::{DateTime, Utc};

/// A blob to be read.
pub struct StoredBlob {
    pub digest: Digest,
    pub size_bytes: u64,
    pub storage_key: String,
}

/// The next sound blobs after this one.
pub async fn next(tx: &mut SystemTx, after: Option<&Digest>, limit: i64) -> Result<Vec<StoredBlob>> {
    let rows = sqlx::query!(
        "select digest, size_bytes, storage_key from image_blobs where digest > $1 and rotten_at is null
         order by digest limit $2",
        after.map_or(Vec::new(), |d| d.bytes().to_vec()),
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(StoredBlob {
                digest: Digest::stored(&r.digest)?,
                size_bytes: unsigned(r.size_bytes),
                storage_key: r.storage_key,
            })
        })
        .collect()
}

/// The blob is served no longer; its object, where there is one, is kept aside. False when the blob has gone or been
/// replaced since it was read.
pub async fn mark_rotten(tx: &mut SystemTx, blob: &StoredBlob, keep: bool, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "with marked as (update image_blobs set rotten_at = $3
                         where digest = $1 and storage_key = $2 and rotten_at is null returning digest),
              kept as (insert into storage_quarantine (storage_key, digest, size_bytes, found_at)
                       select $2, $1, $4, $3 from marked where $5 on conflict do nothing)
         select from marked",
        blob.digest.bytes(),
        blob.storage_key,
        now,
        signed(blob.size_bytes),
        keep
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The repositories that link a blob, at most `limit`: tenant and full name.
pub async fn repositories_with(tx: &mut SystemTx, blob: &Digest, limit: i64) -> Result<Vec<(TenantId, String)>> {
    let rows = sqlx::query!(
        "select r.tenant_id, r.full_name
         from repository_blobs l join repositories r on r.tenant_id = l.tenant_id and r.id = l.repository_id
         where l.digest = $1 order by r.tenant_id, r.full_name limit $2",
        blob.bytes(),
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|r| (r.tenant_id.into(), r.full_name)).collect())
}
