//! `image_tags` and `image_tag_history`.

use super::unsigned;
use crate::kernel::ids::{ImageId, ProjectId};
use crate::kernel::{Digest, Result};
use crate::platform::db::{TenantConnection, TenantTx};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Where a tag points.
#[derive(Debug, Clone)]
pub struct TagRow {
    pub name: String,
    pub digest: Digest,
    pub media_type: String,
    pub size_bytes: u64,
    pub platform: Option<String>,
    pub moved_by: String,
    pub moved_at: DateTime<Utc>,
}

/// A tag on its way.
pub struct Move<'a> {
    pub repository: ImageId,
    pub tag: &'a str,
    pub to: &'a Digest,
    pub by: &'a str,
    pub now: DateTime<Utc>,
}

/// What pointing a tag came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointed {
    /// It points there already.
    Unmoved,
    /// The tag is new.
    New,
    /// It pointed elsewhere.
    Moved,
}

/// Points a tag at a manifest and records the move.
pub async fn point(tx: &mut TenantTx, manifest: Uuid, tag: &Move<'_>) -> Result<Pointed> {
    let tenant = tx.tenant_id();
    let moved = sqlx::query_scalar!(
        r#"with before as (
               select m.id, m.digest from image_tags t
               join image_manifests m on m.tenant_id = $1 and m.id = t.manifest_id
               where t.tenant_id = $1 and t.repository_id = $2 and t.name = $3),
           moved as (
               insert into image_tags (tenant_id, repository_id, name, manifest_id, moved_by, moved_at)
               values ($1, $2, $3, $4, $5, $6)
               on conflict (tenant_id, repository_id, name)
               do update set manifest_id = excluded.manifest_id, moved_by = excluded.moved_by, moved_at = excluded.moved_at
               where image_tags.manifest_id <> excluded.manifest_id
               returning name),
           untagged as (
               update image_manifests m set untagged_at = $6 from before, moved where m.tenant_id = $1 and m.id = before.id)
           insert into image_tag_history (id, tenant_id, repository_id, tag, from_digest, to_digest, moved_by, moved_at)
           select $7, $1, $2, name, (select digest from before), $8, $5, $6 from moved
           returning from_digest"#,
        tenant.0,
        tag.repository.0,
        tag.tag,
        manifest,
        tag.by,
        tag.now,
        Uuid::now_v7(),
        tag.to.bytes()
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(match moved {
        None => Pointed::Unmoved,
        Some(None) => Pointed::New,
        Some(Some(_)) => Pointed::Moved,
    })
}

/// Deletes a tag and records it. Returns where it pointed; none when there was none.
pub async fn delete(
    tx: &mut TenantTx,
    repository: ImageId,
    tag: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Option<Digest>> {
    let tenant = tx.tenant_id();
    let row = sqlx::query_scalar!(
        "with gone as (delete from image_tags where tenant_id = $1 and repository_id = $2 and name = $3
                       returning manifest_id)
         update image_manifests m set untagged_at = $4 from gone where m.tenant_id = $1 and m.id = gone.manifest_id
         returning m.digest",
        tenant.0,
        repository.0,
        tag,
        now
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(from) = row else { return Ok(None) };
    record_end(tx, repository, &[tag.to_owned()], &from, by, now).await?;
    Digest::stored(&from).map(Some)
}

/// Whether any tag points to the manifest.
pub async fn is_tagged(tx: &mut TenantTx, repository: ImageId, manifest: &Digest) -> Result<bool> {
    let tenant = tx.tenant_id();
    let tagged = sqlx::query_scalar!(
        r#"select exists (select from image_manifests m
                          join image_tags t on t.tenant_id = $1 and t.manifest_id = m.id
                          where m.tenant_id = $1 and m.repository_id = $2 and m.digest = $3) as "tagged!""#,
        tenant.0,
        repository.0,
        manifest.bytes()
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(tagged)
}

/// Records that the tags of a manifest end with it; returns them.
pub async fn end_all(
    tx: &mut TenantTx,
    repository: ImageId,
    manifest: &Digest,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Vec<String>> {
    let tags = of_manifest(tx, repository, manifest).await?;
    record_end(tx, repository, &tags, manifest.bytes(), by, now).await?;
    Ok(tags)
}

async fn record_end(
    tx: &mut TenantTx,
    repository: ImageId,
    tags: &[String],
    from: &[u8],
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant_id();
    let ids: Vec<Uuid> = tags.iter().map(|_| Uuid::now_v7()).collect();
    sqlx::query!(
        "insert into image_tag_history (id, tenant_id, repository_id, tag, from_digest, moved_by, moved_at)
         select id, $1, $2, tag, $5, $6, $7 from unnest($3::uuid[], $4::text[]) as ended (id, tag)",
        tenant.0,
        repository.0,
        &ids,
        tags,
        from,
        by,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Where a tag points.
pub async fn points_to(tx: &mut TenantTx, repository: ImageId, tag: &str) -> Result<Option<Digest>> {
    let tenant = tx.tenant_id();
    let found = sqlx::query_scalar!(
        "select m.digest from image_tags t join image_manifests m on m.tenant_id = $1 and m.id = t.manifest_id
         where t.tenant_id = $1 and t.repository_id = $2 and t.name = $3",
        tenant.0,
        repository.0,
        tag
    )
    .fetch_optional(&mut **tx)
    .await?;
    found.map(|d| Digest::stored(&d)).transpose()
}

/// Tags of a manifest, by name: at most 1000.
pub async fn of(tx: &mut TenantTx, manifest: Uuid) -> Result<Vec<String>> {
    let tenant = tx.tenant_id();
    Ok(sqlx::query_scalar!(
        "select name from image_tags where tenant_id = $1 and manifest_id = $2 order by name limit 1000",
        tenant.0,
        manifest
    )
    .fetch_all(&mut **tx)
    .await?)
}

/// A move of a tag as it was recorded.
pub struct MoveRow {
    pub id: Uuid,
    pub from: Option<Digest>,
    pub to: Option<Digest>,
    pub by: String,
    pub at: DateTime<Utc>,
}

/// Moves of a tag, newest first, before this one.
pub async fn history(
    tx: &mut TenantTx,
    repository: ImageId,
    tag: &str,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<MoveRow>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        "select id, from_digest, to_digest, moved_by, moved_at from image_tag_history
         where tenant_id = $1 and repository_id = $2 and tag = $3 and ($4::uuid is null or id < $4)
         order by id desc limit $5",
        tenant.0,
        repository.0,
        tag,
        before,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    let read = |bytes: Option<Vec<u8>>| bytes.map(|b| Digest::stored(&b)).transpose();
    rows.into_iter()
        .map(|r| {
            let (from, to) = (read(r.from_digest)?, read(r.to_digest)?);
            Ok(MoveRow { id: r.id, from, to, by: r.moved_by, at: r.moved_at })
        })
        .collect()
}

/// The tags that point to a manifest.
pub async fn of_manifest(tx: &mut TenantTx, repository: ImageId, manifest: &Digest) -> Result<Vec<String>> {
    let tenant = tx.tenant_id();
    Ok(sqlx::query_scalar!(
        "select t.name from image_tags t join image_manifests m on m.tenant_id = $1 and m.id = t.manifest_id
         where t.tenant_id = $1 and t.repository_id = $2 and m.digest = $3 order by t.name",
        tenant.0,
        repository.0,
        manifest.bytes()
    )
    .fetch_all(&mut **tx)
    .await?)
}

/// Which of these tags a repository has.
pub async fn existing(tx: &mut TenantTx, project: ProjectId, repository: &str, tags: &[String]) -> Result<Vec<String>> {
    let tenant = tx.tenant_id();
    Ok(sqlx::query_scalar!(
        "select t.name from repositories r join image_tags t on t.tenant_id = $1 and t.repository_id = r.id
         where r.tenant_id = $1 and r.project_id = $2 and r.name = $3 and t.name = any ($4) order by t.name",
        tenant.0,
        project.0,
        repository,
        tags
    )
    .fetch_all(&mut **tx)
    .await?)
}

/// Names of tags after `last`, in the order of their bytes.
pub async fn names(tx: &mut impl TenantConnection, repository: ImageId, last: &str, limit: i64) -> Result<Vec<String>> {
    let tenant = tx.tenant_id();
    Ok(sqlx::query_scalar!(
        "select name from image_tags where tenant_id = $1 and repository_id = $2 and name > $3 order by name limit $4",
        tenant.0,
        repository.0,
        last,
        limit
    )
    .fetch_all(&mut **tx)
    .await?)
}

/// Tags after `last` with where they point, in the order of their bytes.
pub async fn list(tx: &mut impl TenantConnection, repository: ImageId, last: &str, limit: i64) -> Result<Vec<TagRow>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        r#"select t.name, m.digest, m.media_type, m.platform, t.moved_by, t.moved_at,
                  (m.size_bytes + (select coalesce(sum(l.size_bytes), 0) from image_layer_blobs l
                                   where l.tenant_id = $1 and l.manifest_id = m.id))::bigint as "size_bytes!"
           from image_tags t join image_manifests m on m.tenant_id = $1 and m.id = t.manifest_id
           where t.tenant_id = $1 and t.repository_id = $2 and t.name > $3
           order by t.name limit $4"#,
        tenant.0,
        repository.0,
        last,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(TagRow {
                name: r.name,
                digest: Digest::stored(&r.digest)?,
                media_type: r.media_type,
                size_bytes: unsigned(r.size_bytes),
                platform: r.platform,
                moved_by: r.moved_by,
                moved_at: r.moved_at,
            })
        })
        .collect()
}
