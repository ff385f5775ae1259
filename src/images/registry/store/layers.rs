//! `layer_sizes`: how large layers are when they are unpacked. By digest, for all tenants: who may see the layer was
//! decided before.

use super::{bytes, digest, signed, unsigned};
use crate::kernel::ids::ImageId;
use crate::kernel::{Digest, Result};
use crate::platform::db::{SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// What is known of these layers: none for one whose size cannot be told, nothing for one that was not measured.
pub async fn sizes(tx: &mut SystemTx, layers: &[Digest]) -> Result<HashMap<Digest, Option<u64>>> {
    let rows =
        sqlx::query!("select digest, uncompressed_bytes from layer_sizes where digest = any ($1)", &bytes(layers))
            .fetch_all(&mut **tx)
            .await?;
    rows.into_iter().map(|r| Ok((digest(&r.digest)?, r.uncompressed_bytes.map(unsigned)))).collect()
}

/// Where the bytes of a repository's blob are; none when it does not serve it, or they are damaged.
pub async fn storage_key(tx: &mut TenantTx, repository: ImageId, layer: &Digest) -> Result<Option<String>> {
    let tenant = tx.tenant_id();
    Ok(sqlx::query_scalar!(
        "select b.storage_key from repository_blobs l join image_blobs b on b.digest = l.digest
         where l.tenant_id = $1 and l.repository_id = $2 and l.digest = $3 and b.rotten_at is null",
        tenant.0,
        repository.0,
        layer.bytes()
    )
    .fetch_optional(&mut **tx)
    .await?)
}

/// Keeps what a measurement found.
pub async fn keep(tx: &mut SystemTx, layer: &Digest, size: Option<u64>, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into layer_sizes (digest, uncompressed_bytes, measured_at)
         select $1, $2, $3 where exists (select from image_blobs where digest = $1) on conflict do nothing",
        layer.bytes(),
        size.map(signed),
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
