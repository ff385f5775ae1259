//! `replication_items`.

use crate::images::replication::model::{ItemStatus, ReplicationItem};
use crate::kernel::ids::ReplicationRunId;
use crate::kernel::{Digest, Result};
use crate::platform::db::{TenantConnection, TenantTx};
use chrono::{DateTime, Utc};

/// A tag of an image.
pub type Tagged = (String, String);

/// A tag that waits, and how often somebody asked for it.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub tagged: Tagged,
    asked: i32,
}

/// Adds tags to a run that is locked. Those that it has already wait anew where `again` says so, also those that are being
/// copied: they may have moved.
pub async fn add(tx: &mut TenantTx, run: ReplicationRunId, tags: &[Tagged], again: bool) -> Result<()> {
    let tenant = tx.tenant_id();
    let (images, tags): (Vec<String>, Vec<String>) = tags.iter().cloned().unzip();
    sqlx::query!(
        "with wanted as (select distinct image, tag from unnest($3::text[], $4::text[]) as t (image, tag)),
              ended as (select i.status from replication_items i join wanted using (image, tag)
                        where i.tenant_id = $1 and i.run_id = $2 and i.status <> 'queued' and $5),
              added as (
                  insert into replication_items (tenant_id, run_id, image, tag, status)
                  select $1::uuid, $2::uuid, image, tag, 'queued' from wanted
                  on conflict (tenant_id, run_id, image, tag)
                  do update set status = 'queued', asked = replication_items.asked + 1, attempts = 0, digest = null,
                                error = null, finished_at = null
                  where $5
                  returning asked)
         update replication_runs
         set total = total + (select count(*) from added where asked = 1)::int,
             copied = copied - (select count(*) from ended where status = 'copied')::int,
             kept = kept - (select count(*) from ended where status = 'kept')::int,
             gone = gone - (select count(*) from ended where status = 'gone')::int,
             failed = failed - (select count(*) from ended where status = 'failed')::int
         where tenant_id = $1 and id = $2",
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
pub async fn put_off(tx: &mut impl TenantConnection, run: ReplicationRunId, item: &Waiting) -> Result<i32> {
    let tenant = tx.tenant_id();
    let (image, tag) = &item.tagged;
    let attempts = sqlx::query_scalar!(
        "update replication_items set attempts = attempts + 1
         where tenant_id = $1 and run_id = $2 and image = $3 and tag = $4 and status = 'queued' and asked = $5
         returning attempts",
        tenant.0,
        run.0,
        image,
        tag,
        item.asked
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(attempts.unwrap_or_default())
}

/// Tags that wait: those first that were tried least.
pub async fn waiting(tx: &mut impl TenantConnection, run: ReplicationRunId, limit: i64) -> Result<Vec<Waiting>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        "select image, tag, asked from replication_items where tenant_id = $1 and run_id = $2 and status = 'queued'
         order by attempts, image, tag limit $3",
        tenant.0,
        run.0,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|r| Waiting { tagged: (r.image, r.tag), asked: r.asked }).collect())
}

/// Records a tag that failed before it waited.
pub async fn add_failed(tx: &mut TenantTx, run: ReplicationRunId, (image, tag): &Tagged, error: &str) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "insert into replication_items (tenant_id, run_id, image, tag, status, error, finished_at)
         values ($1, $2, $3, $4, 'failed', $5, now()) on conflict (tenant_id, run_id, image, tag) do nothing",
        tenant.0,
        run.0,
        image,
        tag,
        error
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
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

/// Records how a tag ended, in a run that is locked; false when it was asked for anew meanwhile, and waits on.
pub async fn end(tx: &mut TenantTx, run: ReplicationRunId, item: &Waiting, how: &Ended<'_>) -> Result<bool> {
    let tenant = tx.tenant_id();
    let (image, tag) = &item.tagged;
    let Some(status) = how.status else {
        let done = sqlx::query!(
            "delete from replication_items
             where tenant_id = $1 and run_id = $2 and image = $3 and tag = $4 and status = 'queued' and asked = $5",
            tenant.0,
            run.0,
            image,
            tag,
            item.asked
        )
        .execute(&mut **tx)
        .await?;
        return Ok(done.rows_affected() == 1);
    };
    let done = sqlx::query!(
        "update replication_items set status = $5, digest = $6, bytes = $7, error = $8, finished_at = $9
         where tenant_id = $1 and run_id = $2 and image = $3 and tag = $4 and status = 'queued' and asked = $10",
        tenant.0,
        run.0,
        image,
        tag,
        status.as_str(),
        how.digest.map(|d| d.bytes().to_vec()),
        how.bytes,
        how.error,
        how.at,
        item.asked
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
    rows.into_iter()
        .map(|r| {
            Ok(ReplicationItem {
                image: r.image,
                tag: r.tag,
                status: r.status.parse()?,
                digest: r.digest.as_deref().map(Digest::stored).transpose()?,
                bytes: r.bytes,
                error: r.error,
                finished_at: r.finished_at,
            })
        })
        .collect()
}
