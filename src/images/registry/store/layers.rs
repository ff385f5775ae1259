//! `layer_measures` and `layer_sizes`: how large layers are when they are unpacked. By digest, for all tenants: who may see the layer was
//! decided before.

use super::{bytes, signed, unsigned};
use crate::kernel::ids::{ImageId, TenantId};
use crate::kernel::{Digest, Result};
use crate::platform::db::{SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// A manifest whose layers are to be measured.
pub struct Queued {
    id: Uuid,
    pub tenant_id: TenantId,
    pub repository_id: ImageId,
    pub digest: Digest,
}

/// Has the layers of a manifest measured.
pub async fn queue(tx: &mut TenantTx, repository: ImageId, manifest: &Digest) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "insert into layer_measures (id, tenant_id, repository_id, digest) values ($1, $2, $3, $4)",
        Uuid::now_v7(),
        tenant.0,
        repository.0,
        manifest.bytes()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The one that waits longest.
pub async fn next(tx: &mut SystemTx) -> Result<Option<Queued>> {
    let row = sqlx::query!("select id, tenant_id, repository_id, digest from layer_measures order by id limit 1")
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|r| {
        Ok(Queued {
            id: r.id,
            tenant_id: r.tenant_id.into(),
            repository_id: r.repository_id.into(),
            digest: Digest::stored(&r.digest)?,
        })
    })
    .transpose()
}

/// It waits no longer.
pub async fn done(tx: &mut SystemTx, queued: &Queued) -> Result<()> {
    sqlx::query!("delete from layer_measures where id = $1", queued.id).execute(&mut **tx).await?;
    Ok(())
}

/// What is known of these layers: none for one whose size cannot be told, nothing for one that was not measured.
pub async fn sizes(tx: &mut SystemTx, layers: &[Digest]) -> Result<HashMap<Digest, Option<u64>>> {
    let rows =
        sqlx::query!("select digest, uncompressed_bytes from layer_sizes where digest = any ($1)", &bytes(layers))
            .fetch_all(&mut **tx)
            .await?;
    rows.into_iter().map(|r| Ok((Digest::stored(&r.digest)?, r.uncompressed_bytes.map(unsigned)))).collect()
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
