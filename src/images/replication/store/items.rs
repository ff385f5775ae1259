//! `replication_items`.

use crate::images::replication::model::{ItemStatus, ReplicationItem};
use crate::kernel::ids::ReplicationRunId;
use crate::kernel::{Digest, Error, Result};
use crate::platform::db::{TenantConnection, TenantTx};
use chrono::{DateTime, Utc};

/// A tag of an image.
pub type Tagged = (String, String);

/// Adds tags to a run that is locked. Those that it has copied already wait again where `again` says so.
pub async fn add(tx: &mut TenantTx, run: ReplicationRunId, tags: &[Tagged], again: bool) -> Result<()> {
    let tenant = tx.tenant_id();
    let (images, tags): (Vec<String>, Vec<String>) = tags.iter().cloned().unzip();
    sqlx::query!(
        "with added as (
             insert into replication_items (tenant_id, run_id, image, tag, status)
             select distinct $1::uuid, $2::uuid, image, tag, 'queued' from unnest($3::text[], $4::text[]) as t (image, tag)
             on conflict (tenant_id, run_id, image, tag)
             do update set status = 'queued', attempts = 0, digest = null, error = null, finished_at = null
             where $5 and replication_items.status <> 'queued'
             returning 1)
         update replication_runs set total = total + (select count(*) from added)::int where tenant_id = $1 and id = $2",
        tenant.0,
        run.0,
        &images,
        &tags,
        again
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A tag could not be copied now, and waits on; gives how often that was so.
pub async fn put_off(tx: &mut impl TenantConnection, run: ReplicationRunId, (image, tag): &Tagged) -> Result<i32> {
    let tenant = tx.tenant_id();
    let attempts = sqlx::query_scalar!(
        "update replication_items set attempts = attempts + 1
         where tenant_id = $1 and run_id = $2 and image = $3 and tag = $4 and status = 'queued' returning attempts",
        tenant.0,
        run.0,
        image,
        tag
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(attempts.unwrap_or_default())
}

/// Tags that wait: those first that were tried least.
pub async fn waiting(tx: &mut impl TenantConnection, run: ReplicationRunId, limit: i64) -> Result<Vec<Tagged>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        "select image, tag from replication_items where tenant_id = $1 and run_id = $2 and status = 'queued'
         order by attempts, image, tag limit $3",
        tenant.0,
        run.0,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|r| (r.image, r.tag)).collect())
}

/// How a tag ended.
pub struct Ended<'a> {
    /// None: it was there already.
    pub status: Option<ItemStatus>,
    pub digest: Option<Digest>,
    pub bytes: i64,
    pub error: Option<&'a str>,
    pub at: DateTime<Utc>,
}

/// Records how a tag ended; false when it does not wait any more.
pub async fn end(tx: &mut TenantTx, run: ReplicationRunId, (image, tag): &Tagged, how: &Ended<'_>) -> Result<bool> {
    let tenant = tx.tenant_id();
    let Some(status) = how.status else {
        let done = sqlx::query!(
            "delete from replication_items
             where tenant_id = $1 and run_id = $2 and image = $3 and tag = $4 and status = 'queued'",
            tenant.0,
            run.0,
            image,
            tag
        )
        .execute(&mut **tx)
        .await?;
        return Ok(done.rows_affected() == 1);
    };
    let done = sqlx::query!(
        "update replication_items set status = $5, digest = $6, bytes = $7, error = $8, finished_at = $9
         where tenant_id = $1 and run_id = $2 and image = $3 and tag = $4 and status = 'queued'",
        tenant.0,
        run.0,
        image,
        tag,
        status.as_str(),
        how.digest.map(|d| d.bytes().to_vec()),
        how.bytes,
        how.error,
        how.at
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Items after one, by image and tag.
pub async fn list(
    tx: &mut impl TenantConnection,
    run: ReplicationRunId,
    status: Option<ItemStatus>,
    after: Option<Tagged>,
    limit: i64,
) -> Result<Vec<ReplicationItem>> {
    let tenant = tx.tenant_id();
    let (image, tag) = after.unzip();
    let rows = sqlx::query!(
        "select image, tag, status, digest, bytes, error, finished_at from replication_items
         where tenant_id = $1 and run_id = $2 and ($3::text is null or status = $3)
           and ($4::text is null or (image, tag) > ($4, $5)) order by image, tag limit $6",
        tenant.0,
        run.0,
        status.map(ItemStatus::as_str),
        image,
        tag,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    let digest = |bytes: Vec<u8>| {
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| Error::internal("a stored digest has another length"))?;
        Ok::<_, Error>(Digest::from(bytes))
    };
    rows.into_iter()
        .map(|r| {
            Ok(ReplicationItem {
                image: r.image,
                tag: r.tag,
                status: r.status.parse()?,
                digest: r.digest.map(digest).transpose()?,
                bytes: r.bytes,
                error: r.error,
                finished_at: r.finished_at,
            })
        })
        .collect()
}
