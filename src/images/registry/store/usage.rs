//! `tenant_blobs` and `storage_metrics`: what a tenant's manifests need, each blob counted once.

use super::{bytes, unsigned};
use crate::kernel::ids::ImageId;
use crate::kernel::{Digest, Result};
use crate::platform::db::{TenantConnection, TenantTx};

/// Takes the tenant's turn: manifests of one tenant are committed and deleted one after another, so that what is charged
/// and what is referred to never drift apart.
pub async fn lock(tx: &mut TenantTx) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "insert into storage_metrics (tenant_id) values ($1)
         on conflict (tenant_id) do update set total_objects = storage_metrics.total_objects",
        tenant.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Counts these blobs of a repository where they are not yet; returns the bytes that were added and all bytes then.
pub async fn charge(tx: &mut TenantTx, repository: ImageId, blobs: &[Digest]) -> Result<(u64, u64)> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        r#"with added as (
               insert into tenant_blobs (tenant_id, digest, size_bytes)
               select $1, b.digest, b.size_bytes from repository_blobs b
               where b.tenant_id = $1 and b.repository_id = $2 and b.digest = any ($3)
               on conflict do nothing returning size_bytes)
           update storage_metrics
           set total_objects = total_objects + (select count(*) from added),
               total_size_bytes = total_size_bytes + (select coalesce(sum(size_bytes), 0)::bigint from added)
           where tenant_id = $1
           returning total_size_bytes, (select coalesce(sum(size_bytes), 0)::bigint from added) as "added!""#,
        tenant.0,
        repository.0,
        &bytes(blobs)
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok((unsigned(row.added), unsigned(row.total_size_bytes)))
}

/// Counts these blobs no longer where no manifest of the tenant needs them; returns the bytes that were freed.
pub async fn release(tx: &mut TenantTx, blobs: &[Digest]) -> Result<u64> {
    let tenant = tx.tenant_id();
    let freed = sqlx::query_scalar!(
        r#"with freed as (
               delete from tenant_blobs t
               where t.tenant_id = $1 and t.digest = any ($2)
                 and not exists (select from image_layer_blobs l
                                 where l.tenant_id = $1 and l.digest = t.digest and l.kind <> 'manifest')
               returning size_bytes)
           update storage_metrics
           set total_objects = total_objects - (select count(*) from freed),
               total_size_bytes = total_size_bytes - (select coalesce(sum(size_bytes), 0)::bigint from freed)
           where tenant_id = $1
           returning (select coalesce(sum(size_bytes), 0)::bigint from freed) as "freed!""#,
        tenant.0,
        &bytes(blobs)
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(unsigned(freed))
}

/// How many blobs the tenant's manifests need, and their bytes.
pub async fn total(tx: &mut impl TenantConnection) -> Result<(i64, u64)> {
    let tenant = tx.tenant_id();
    let row =
        sqlx::query!("select total_objects, total_size_bytes from storage_metrics where tenant_id = $1", tenant.0)
            .fetch_optional(&mut **tx)
            .await?;
    Ok(row.map_or((0, 0), |r| (r.total_objects, unsigned(r.total_size_bytes))))
}
