//! `image_blobs` and `repository_blobs`.

use super::{bytes, signed, unsigned};
use crate::kernel::ids::{ImageId, ProjectId, TenantId, UploadId};
use crate::kernel::{Digest, Result};
use crate::platform::db::{SystemTx, TenantConnection, TenantTx, violated_constraint};
use chrono::{DateTime, Utc};

/// A blob looked for in a repository: neither, the repository alone, or both.
pub struct Found {
    pub repository: Option<ImageId>,
    pub blob: Option<RepositoryBlob>,
}

/// A blob of a repository.
pub struct RepositoryBlob {
    pub size_bytes: u64,
    /// Where its bytes are.
    pub storage_key: String,
    /// When somebody last pushed it to the repository, or was told that it need not be pushed.
    pub linked_at: DateTime<Utc>,
    /// Its bytes are not what they should be.
    pub rotten: bool,
}

/// A blob that the repository may serve.
pub async fn find(tx: &mut impl TenantConnection, project: ProjectId, name: &str, blob: &Digest) -> Result<Found> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        r#"select r.id, l.size_bytes as "size_bytes?", l.linked_at as "linked_at?", b.storage_key as "storage_key?",
                  b.rotten_at
           from repositories r
           left join (repository_blobs l join image_blobs b on b.digest = l.digest)
               on l.tenant_id = $1 and l.repository_id = r.id and l.digest = $4
           where r.tenant_id = $1 and r.project_id = $2 and r.name = $3"#,
        tenant.0,
        project.0,
        name,
        blob.bytes()
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(Found { repository: None, blob: None }) };
    let blob = match (row.size_bytes, row.linked_at, row.storage_key) {
        (Some(size), Some(linked_at), Some(storage_key)) => {
            Some(RepositoryBlob { size_bytes: unsigned(size), storage_key, linked_at, rotten: row.rotten_at.is_some() })
        }
        _ => None,
    };
    Ok(Found { repository: Some(row.id.into()), blob })
}

/// A blob that was pushed and verified.
pub struct Pushed<'a> {
    pub tenant: TenantId,
    pub repository: ImageId,
    pub digest: &'a Digest,
    pub size: u64,
    /// The upload that brought it, which ends.
    pub upload: Option<UploadId>,
    pub now: DateTime<Utc>,
}

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The repository serves the blob.
    Linked,
    /// The repository serves the blob, and another push was quicker: the object of this one is garbage.
    Surplus,
    /// The blob is not stored, or not whole.
    Unknown,
    /// Nothing: the upload had ended already.
    UploadEnded,
}

/// Lets the repository serve a blob that is stored already. It cannot go meanwhile: the row is locked.
pub async fn adopt(tx: &mut SystemTx, blob: &Pushed<'_>) -> Result<Outcome> {
    let row = sqlx::query!(
        r#"with known as (select digest, size_bytes from image_blobs
                          where digest = $3 and rotten_at is null for key share),
                ended as (delete from blob_uploads where tenant_id = $1 and id = $5 and exists (select from known)
                          returning id),
                alive as (select $5::uuid is null or exists (select from ended) as yes),
                linked as (insert into repository_blobs (tenant_id, repository_id, digest, size_bytes, linked_at)
                           select $1, $2, digest, size_bytes, $4 from known, alive where alive.yes
                           on conflict (tenant_id, repository_id, digest) do update set linked_at = excluded.linked_at
                           where repository_blobs.linked_at < excluded.linked_at - interval '1 hour')
           select exists (select from known) as "known!", yes as "alive!" from alive"#,
        blob.tenant.0,
        blob.repository.0,
        blob.digest.bytes(),
        blob.now,
        blob.upload.map(|u| u.0)
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(match (row.known, row.alive) {
        (false, _) => Outcome::Unknown,
        (true, true) => Outcome::Linked,
        (true, false) => Outcome::UploadEnded,
    })
}

/// Records a blob whose bytes are durable under the key and lets its repository serve it. Where another push was quicker
/// its bytes count, and these are garbage; a damaged blob takes these.
pub async fn record(tx: &mut SystemTx, blob: &Pushed<'_>, key: &str) -> Result<Outcome> {
    let row = sqlx::query!(
        r#"with ended as (delete from blob_uploads where tenant_id = $1 and id = $7 returning id),
                alive as (select $7::uuid is null or exists (select from ended) as yes),
                blob as (insert into image_blobs (digest, size_bytes, storage_backend_id, storage_key, created_at)
                         select $3, $4, id, $5, $6 from storage_backends, alive where name = 'default' and alive.yes
                         on conflict (digest) do update set storage_key = excluded.storage_key, rotten_at = null
                         where image_blobs.rotten_at is not null
                         returning digest),
                linked as (insert into repository_blobs (tenant_id, repository_id, digest, size_bytes, linked_at)
                           select $1, $2, $3, $4, $6 from alive where alive.yes
                           on conflict (tenant_id, repository_id, digest) do update set linked_at = excluded.linked_at
                           where repository_blobs.linked_at < excluded.linked_at - interval '1 hour'),
                surplus as (insert into storage_garbage (storage_key, size_bytes, since)
                            select $5, $4, $6 from alive where alive.yes and not exists (select from blob)
                            on conflict (storage_key) do update set since = excluded.since)
           select yes as "alive!", exists (select from blob) as "stored!" from alive"#,
        blob.tenant.0,
        blob.repository.0,
        blob.digest.bytes(),
        signed(blob.size),
        key,
        blob.now,
        blob.upload.map(|u| u.0)
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(match (row.alive, row.stored) {
        (true, true) => Outcome::Linked,
        (true, false) => Outcome::Surplus,
        (false, _) => Outcome::UploadEnded,
    })
}

/// Lets the repository serve a blob. False when the blob has gone meanwhile; then the transaction is over.
pub async fn link(
    tx: &mut TenantTx,
    repository: ImageId,
    blob: &Digest,
    size: u64,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant_id();
    let linked = sqlx::query!(
        "insert into repository_blobs (tenant_id, repository_id, digest, size_bytes, linked_at)
         values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, repository_id, digest) do update set linked_at = excluded.linked_at
         where repository_blobs.linked_at < excluded.linked_at - interval '1 hour'",
        tenant.0,
        repository.0,
        blob.bytes(),
        signed(size),
        now
    )
    .execute(&mut **tx)
    .await;
    match linked {
        Ok(_) => Ok(true),
        Err(e) if violated_constraint(&e) == Some("repository_blobs_digest_fkey") => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Somebody relies on the link: it is as if he had pushed the blob now. False when it has gone.
pub async fn renew(
    tx: &mut impl TenantConnection,
    repository: ImageId,
    blob: &Digest,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "update repository_blobs set linked_at = $4 where tenant_id = $1 and repository_id = $2 and digest = $3",
        tenant.0,
        repository.0,
        blob.bytes(),
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
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
    rows.iter().map(|d| Digest::stored(d)).collect()
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
