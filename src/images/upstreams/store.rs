//! All SQL of this context.

use super::model::Upstream;
use crate::kernel::ids::ProjectId;
use crate::kernel::{Digest, Error, Result};
use crate::platform::db::{SystemTx, TenantConnection, TenantTx};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// An upstream with its encrypted password.
#[derive(Debug, Clone)]
pub struct UpstreamRow {
    pub info: Upstream,
    pub sealed: Option<Vec<u8>>,
}

/// Where an image is: in a project that is a cache.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    pub project: ProjectId,
    pub name: &'a str,
}

/// Where a tag pointed when the upstream was last asked.
pub struct KnownTag {
    pub digest: Digest,
    pub checked_at: DateTime<Utc>,
}

/// A manifest of which not everything is here.
pub struct Pending {
    pub digest: Digest,
    pub media_type: String,
    pub content: Vec<u8>,
}

pub async fn find(tx: &mut impl TenantConnection, project: ProjectId) -> Result<Option<UpstreamRow>> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        "select url, username, sealed, freshness_seconds, version, created_at, updated_at from registry_upstreams
         where tenant_id = $1 and project_id = $2",
        tenant.0,
        project.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|r| UpstreamRow {
        info: Upstream {
            project_id: project,
            url: r.url,
            username: r.username,
            freshness_seconds: r.freshness_seconds,
            version: r.version,
            created_at: r.created_at,
            updated_at: r.updated_at,
        },
        sealed: r.sealed,
    }))
}

/// Writes an upstream, which the caller has read in the same transaction. Stale when another was quicker.
pub async fn set(tx: &mut TenantTx, row: &UpstreamRow) -> Result<()> {
    let tenant = tx.tenant_id();
    let u = &row.info;
    let done = sqlx::query!(
        "insert into registry_upstreams
             (tenant_id, project_id, url, username, sealed, freshness_seconds, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (tenant_id, project_id) do update
         set url = excluded.url, username = excluded.username, sealed = excluded.sealed,
             freshness_seconds = excluded.freshness_seconds, version = excluded.version, updated_at = excluded.updated_at
         where registry_upstreams.version = excluded.version - 1",
        tenant.0,
        u.project_id.0,
        u.url,
        u.username,
        row.sealed,
        u.freshness_seconds,
        u.version,
        u.created_at,
        u.updated_at
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::conflict("upstream.changed", "somebody else has just set the upstream; repeat the change"))
    }
}

/// Forgets what was seen at an upstream.
pub async fn clear(tx: &mut TenantTx, project: ProjectId) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!("delete from upstream_tags where tenant_id = $1 and project_id = $2", tenant.0, project.0)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("delete from upstream_manifests where tenant_id = $1 and project_id = $2", tenant.0, project.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn delete(tx: &mut TenantTx, project: ProjectId) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!("delete from registry_upstreams where tenant_id = $1 and project_id = $2", tenant.0, project.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub async fn tag(tx: &mut impl TenantConnection, image: Image<'_>, tag: &str) -> Result<Option<KnownTag>> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        "select digest, checked_at from upstream_tags
         where tenant_id = $1 and project_id = $2 and image = $3 and tag = $4",
        tenant.0,
        image.project.0,
        image.name,
        tag
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|r| Ok(KnownTag { digest: Digest::stored(&r.digest)?, checked_at: r.checked_at })).transpose()
}

/// Records where a tag points; with none, that there is no such tag.
pub async fn set_tag(
    tx: &mut impl TenantConnection,
    image: Image<'_>,
    tag: &str,
    to: Option<&Digest>,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant_id();
    let Some(to) = to else {
        sqlx::query!(
            "delete from upstream_tags where tenant_id = $1 and project_id = $2 and image = $3 and tag = $4",
            tenant.0,
            image.project.0,
            image.name,
            tag
        )
        .execute(&mut **tx)
        .await?;
        return Ok(());
    };
    sqlx::query!(
        "insert into upstream_tags (tenant_id, project_id, image, tag, digest, checked_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, project_id, image, tag)
         do update set digest = excluded.digest, checked_at = excluded.checked_at",
        tenant.0,
        image.project.0,
        image.name,
        tag,
        to.bytes(),
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Tags that point at a manifest.
pub async fn tags_of(tx: &mut impl TenantConnection, image: Image<'_>, manifest: &Digest) -> Result<Vec<String>> {
    let tenant = tx.tenant_id();
    Ok(sqlx::query_scalar!(
        "select tag from upstream_tags where tenant_id = $1 and project_id = $2 and image = $3 and digest = $4",
        tenant.0,
        image.project.0,
        image.name,
        manifest.bytes()
    )
    .fetch_all(&mut **tx)
    .await?)
}

pub async fn pending(tx: &mut impl TenantConnection, image: Image<'_>, wanted: &Digest) -> Result<Option<Pending>> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        "select media_type, content from upstream_manifests
         where tenant_id = $1 and project_id = $2 and image = $3 and digest = $4",
        tenant.0,
        image.project.0,
        image.name,
        wanted.bytes()
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|r| Pending { digest: *wanted, media_type: r.media_type, content: r.content }))
}

/// The newest manifests that name this content.
pub async fn pending_with(tx: &mut impl TenantConnection, image: Image<'_>, part: &Digest) -> Result<Vec<Digest>> {
    let tenant = tx.tenant_id();
    let text = part.to_string();
    let found = sqlx::query_scalar!(
        "select digest from upstream_manifests
         where tenant_id = $1 and project_id = $2 and image = $3 and position($4 in content) > 0
         order by fetched_at desc limit 20",
        tenant.0,
        image.project.0,
        image.name,
        text.as_bytes()
    )
    .fetch_all(&mut **tx)
    .await?;
    found.iter().map(|d| Digest::stored(d)).collect()
}

pub async fn insert_pending(
    tx: &mut impl TenantConnection,
    image: Image<'_>,
    manifest: &Pending,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "insert into upstream_manifests (tenant_id, project_id, image, digest, media_type, content, fetched_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, project_id, image, digest) do update set fetched_at = excluded.fetched_at",
        tenant.0,
        image.project.0,
        image.name,
        manifest.digest.bytes(),
        manifest.media_type,
        manifest.content,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn delete_pending(tx: &mut impl TenantConnection, image: Image<'_>, manifest: &Digest) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "delete from upstream_manifests where tenant_id = $1 and project_id = $2 and image = $3 and digest = $4",
        tenant.0,
        image.project.0,
        image.name,
        manifest.bytes()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Removes at most `limit` manifests fetched before `before` that no tag points at; says how many.
pub async fn purge_pending(tx: &mut SystemTx, before: DateTime<Utc>, limit: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from upstream_manifests m using (
             select tenant_id, project_id, image, digest from upstream_manifests p
             where fetched_at < $1
                   and not exists (select from upstream_tags t where t.tenant_id = p.tenant_id
                                   and t.project_id = p.project_id and t.image = p.image and t.digest = p.digest)
             order by fetched_at limit $2 for update skip locked) as old
         where m.tenant_id = old.tenant_id and m.project_id = old.project_id and m.image = old.image
               and m.digest = old.digest",
        before,
        limit
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

/// Takes on a fetch, or goes on with it, for so many seconds by the database's clock. False while somebody else has it.
pub async fn claim(
    tx: &mut impl TenantConnection,
    project: ProjectId,
    subject: &str,
    holder: Uuid,
    seconds: f64,
) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "insert into upstream_fetches (tenant_id, project_id, subject, holder, leased_until)
         values ($1, $2, $3, $4, now() + make_interval(secs => $5))
         on conflict (tenant_id, project_id, subject)
         do update set holder = excluded.holder, leased_until = excluded.leased_until
         where upstream_fetches.holder = excluded.holder or upstream_fetches.leased_until < now()",
        tenant.0,
        project.0,
        subject,
        holder,
        seconds
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends a fetch.
pub async fn release(tx: &mut impl TenantConnection, project: ProjectId, subject: &str, holder: Uuid) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "delete from upstream_fetches where tenant_id = $1 and project_id = $2 and subject = $3 and holder = $4",
        tenant.0,
        project.0,
        subject,
        holder
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
