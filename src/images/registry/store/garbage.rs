//! What nobody refers to: links, blobs, `storage_garbage`, and how much all of it is.

use super::{signed, unsigned};
use crate::images::registry::model::StorageTotals;
use crate::kernel::ids::{ImageId, TenantId};
use crate::kernel::{Digest, Result};
use crate::platform::db::{SystemTx, TenantTx};
use crate::platform::storage::Listed;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A link by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub tenant: TenantId,
    pub repository: ImageId,
    pub blob: Digest,
}

/// The next links after this one, of all tenants; each with whether it may go: it is older than `before` and idle.
pub async fn links(
    tx: &mut SystemTx,
    after: Option<&Link>,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(Link, bool)>> {
    let rows = sqlx::query!(
        r#"select l.tenant_id, l.repository_id, l.digest, link_is_idle(l, $4) as "idle!"
           from repository_blobs l where (l.tenant_id, l.repository_id, l.digest) > ($1, $2, $3)
           order by l.tenant_id, l.repository_id, l.digest limit $5"#,
        after.map_or(Uuid::nil(), |l| l.tenant.0),
        after.map_or(Uuid::nil(), |l| l.repository.0),
        after.map_or(Vec::new(), |l| l.blob.bytes().to_vec()),
        before,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|r| {
            let link = Link {
                tenant: r.tenant_id.into(),
                repository: r.repository_id.into(),
                blob: Digest::stored(&r.digest)?,
            };
            Ok((link, r.idle))
        })
        .collect()
}

/// Removes those of the links that are still idle; returns how many. The caller has the tenant's turn, so that no manifest
/// that needs one is committed meanwhile.
pub async fn unlink_idle(tx: &mut TenantTx, links: &[Link], before: DateTime<Utc>) -> Result<u64> {
    let tenant = tx.tenant_id();
    let repositories: Vec<Uuid> = links.iter().map(|l| l.repository.0).collect();
    let blobs: Vec<Vec<u8>> = links.iter().map(|l| l.blob.bytes().to_vec()).collect();
    let done = sqlx::query!(
        "delete from repository_blobs l using unnest($2::uuid[], $3::bytea[]) as idle (repository_id, digest)
         where l.tenant_id = $1 and l.repository_id = idle.repository_id and l.digest = idle.digest
           and link_is_idle(l, $4)",
        tenant.0,
        &repositories,
        &blobs,
        before
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// A blob that was looked at.
pub struct Seen {
    pub digest: Digest,
    pub size_bytes: u64,
    /// Nobody links it.
    pub unlinked: bool,
}

/// The next blobs after this one. With `foresee` idle links count as removed already.
pub async fn blobs(
    tx: &mut SystemTx,
    after: Option<&Digest>,
    before: DateTime<Utc>,
    foresee: bool,
    limit: i64,
) -> Result<Vec<Seen>> {
    let rows = sqlx::query!(
        r#"select b.digest, b.size_bytes,
                  (b.created_at < $2 and not exists (
                       select from repository_blobs l
                       where l.digest = b.digest and not ($3 and link_is_idle(l, $2)))) as "unlinked!"
           from (select * from image_blobs where digest > $1 order by digest limit $4) b order by b.digest"#,
        after.map_or(Vec::new(), |d| d.bytes().to_vec()),
        before,
        foresee,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Seen { digest: Digest::stored(&r.digest)?, size_bytes: unsigned(r.size_bytes), unlinked: r.unlinked })
        })
        .collect()
}

/// Takes the rows of those blobs that nobody links; their objects become garbage. Returns how many went, and their bytes.
///
/// Two statements: whoever makes a link holds the blob's row by the foreign key, so such rows are passed over; once the
/// others are locked, only a second look sees every link that was committed before.
pub async fn discard(tx: &mut SystemTx, blobs: &[Digest], now: DateTime<Utc>) -> Result<(u64, u64)> {
    let locked = sqlx::query_scalar!(
        "select digest from image_blobs where digest = any ($1) for update skip locked",
        &super::bytes(blobs)
    )
    .fetch_all(&mut **tx)
    .await?;
    let row = sqlx::query!(
        r#"with gone as (
               delete from image_blobs b
               where b.digest = any ($1) and not exists (select from repository_blobs l where l.digest = b.digest)
               returning storage_key, size_bytes),
           garbage as (
               insert into storage_garbage (storage_key, size_bytes, since)
               select storage_key, size_bytes, $2 from gone
               where not exists (select from storage_quarantine q where q.storage_key = gone.storage_key)
               -- found before it was recorded, when it looked like an orphan
               on conflict (storage_key) do update set since = excluded.since)
           select count(*) as "count!", coalesce(sum(size_bytes), 0)::bigint as "bytes!" from gone"#,
        &locked,
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok((unsigned(row.count), unsigned(row.bytes)))
}

/// Which of these objects nothing refers to: no blob, no garbage, no upload that is still to be recorded.
pub async fn orphans(tx: &mut SystemTx, objects: &[Listed]) -> Result<Vec<String>> {
    let keys: Vec<String> = objects.iter().map(|o| o.key.as_str().to_owned()).collect();
    let uploads: Vec<Option<Uuid>> = objects.iter().map(|o| o.key.upload()).collect();
    Ok(sqlx::query_scalar!(
        r#"select o.key as "key!" from unnest($1::text[], $2::uuid[]) as o (key, upload)
           where not exists (select from image_blobs b where b.storage_key = o.key)
             and not exists (select from storage_garbage g where g.storage_key = o.key)
             and not exists (select from storage_quarantine q where q.storage_key = o.key)
             and not exists (select from blob_uploads u where u.id = o.upload)"#,
        &keys,
        &uploads as &[Option<Uuid>]
    )
    .fetch_all(&mut **tx)
    .await?)
}

/// Objects that are to be deleted.
pub async fn insert(tx: &mut SystemTx, objects: &[&Listed], now: DateTime<Utc>) -> Result<()> {
    let keys: Vec<String> = objects.iter().map(|o| o.key.as_str().to_owned()).collect();
    let sizes: Vec<i64> = objects.iter().map(|o| signed(o.size_bytes)).collect();
    sqlx::query!(
        "insert into storage_garbage (storage_key, size_bytes, since)
         select key, size, $3 from unnest($1::text[], $2::bigint[]) as o (key, size) on conflict do nothing",
        &keys,
        &sizes,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An object that is to be deleted.
pub struct Garbage {
    pub storage_key: String,
    pub size_bytes: u64,
}

/// The next garbage after this key that was put away before a time. What a blob names is never among it.
pub async fn due(tx: &mut SystemTx, after: &str, before: DateTime<Utc>, limit: i64) -> Result<Vec<Garbage>> {
    let rows = sqlx::query!(
        "select g.storage_key, g.size_bytes from storage_garbage g
         where g.storage_key > $1 and g.since < $2
           and not exists (select from image_blobs b where b.storage_key = g.storage_key)
         order by g.storage_key limit $3",
        after,
        before,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|r| Garbage { storage_key: r.storage_key, size_bytes: unsigned(r.size_bytes) }).collect())
}

/// What a blob names after all, because it took longer to record than to find, is no garbage.
pub async fn spare_named(tx: &mut SystemTx) -> Result<()> {
    sqlx::query!("delete from storage_garbage g using image_blobs b where b.storage_key = g.storage_key")
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// These objects are deleted.
pub async fn forget(tx: &mut SystemTx, keys: &[String]) -> Result<()> {
    sqlx::query!("delete from storage_garbage where storage_key = any ($1)", keys).execute(&mut **tx).await?;
    Ok(())
}

/// What the storage holds.
pub async fn totals(tx: &mut SystemTx) -> Result<Vec<StorageTotals>> {
    let rows = sqlx::query!(
        r#"select s.name, s.kind,
                  (select count(*) from image_blobs b where b.storage_backend_id = s.id) as "objects!",
                  (select coalesce(sum(size_bytes), 0)::bigint from image_blobs b where b.storage_backend_id = s.id)
                      as "stored_bytes!",
                  (select coalesce(sum(l.size_bytes), 0)::bigint
                   from repository_blobs l join image_blobs b on b.digest = l.digest
                   where b.storage_backend_id = s.id) as "logical_bytes!",
                  (select count(*) from storage_garbage) as "garbage_objects!",
                  (select coalesce(sum(size_bytes), 0)::bigint from storage_garbage) as "garbage_bytes!",
                  (select count(*) from image_blobs b where b.storage_backend_id = s.id and rotten_at is not null)
                      as "rotten_objects!"
           from storage_backends s order by s.name"#
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| StorageTotals {
            backend: r.name,
            kind: r.kind,
            objects: unsigned(r.objects),
            stored_bytes: unsigned(r.stored_bytes),
            logical_bytes: unsigned(r.logical_bytes),
            garbage_objects: unsigned(r.garbage_objects),
            garbage_bytes: unsigned(r.garbage_bytes),
            rotten_objects: unsigned(r.rotten_objects),
        })
        .collect())
}
