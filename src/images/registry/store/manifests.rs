//! `image_manifests` and `image_layer_blobs`.

use super::{bytes, signed, unsigned};
use crate::images::registry::model::{Descriptor, Manifest, ManifestKind, Reference};
use crate::kernel::ids::{ImageId, ProjectId};
use crate::kernel::{Digest, Result};
use crate::platform::db::{TenantConnection, TenantTx};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A manifest as it is served.
#[derive(Debug, Clone)]
pub struct StoredManifest {
    pub digest: Digest,
    pub media_type: String,
    pub size_bytes: u64,
    /// Empty where only the headers were asked for.
    pub content: Vec<u8>,
}

/// A manifest looked for in a repository: neither, the repository alone, or both.
pub struct Found {
    pub repository: Option<ImageId>,
    pub manifest: Option<StoredManifest>,
}

/// Finds a manifest by tag or digest, with its bytes or without.
pub async fn find(
    tx: &mut impl TenantConnection,
    project: ProjectId,
    name: &str,
    reference: &Reference,
    with_content: bool,
) -> Result<Found> {
    struct Row {
        id: Uuid,
        digest: Option<Vec<u8>>,
        media_type: Option<String>,
        size_bytes: Option<i64>,
        content: Option<Vec<u8>>,
    }
    let tenant = tx.tenant_id();
    let row = match reference {
        Reference::Tag(tag) => {
            sqlx::query_as!(
                Row,
                r#"select r.id, m.digest as "digest?", m.media_type as "media_type?", m.size_bytes as "size_bytes?",
                          case when $5 then m.manifest_content end as "content?"
                   from repositories r
                   left join image_tags t on t.tenant_id = $1 and t.repository_id = r.id and t.name = $4
                   left join image_manifests m on m.tenant_id = $1 and m.id = t.manifest_id
                   where r.tenant_id = $1 and r.project_id = $2 and r.name = $3"#,
                tenant.0,
                project.0,
                name,
                tag.as_str(),
                with_content
            )
            .fetch_optional(&mut **tx)
            .await?
        }
        Reference::Digest(digest) => {
            sqlx::query_as!(
                Row,
                r#"select r.id, m.digest as "digest?", m.media_type as "media_type?", m.size_bytes as "size_bytes?",
                          case when $5 then m.manifest_content end as "content?"
                   from repositories r
                   left join image_manifests m on m.tenant_id = $1 and m.repository_id = r.id and m.digest = $4
                   where r.tenant_id = $1 and r.project_id = $2 and r.name = $3"#,
                tenant.0,
                project.0,
                name,
                digest.bytes(),
                with_content
            )
            .fetch_optional(&mut **tx)
            .await?
        }
    };
    let Some(row) = row else { return Ok(Found { repository: None, manifest: None }) };
    let manifest = match (row.digest, row.media_type, row.size_bytes) {
        (Some(d), Some(media_type), Some(size)) => Some(StoredManifest {
            digest: Digest::stored(&d)?,
            media_type,
            size_bytes: unsigned(size),
            content: row.content.unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(Found { repository: Some(row.id.into()), manifest })
}

/// A manifest to be stored.
pub struct NewManifest<'a> {
    pub repository: ImageId,
    pub digest: Digest,
    pub manifest: &'a Manifest,
    pub platform: Option<&'a str>,
    pub content: &'a [u8],
    pub config: Option<&'a [u8]>,
    pub pushed_by: &'a str,
    /// By a running build.
    pub temporary: bool,
    pub now: DateTime<Utc>,
}

/// Stores a manifest with what it needs. Returns its id, and whether it is new.
pub async fn insert(tx: &mut TenantTx, new: &NewManifest<'_>) -> Result<(Uuid, bool)> {
    let tenant = tx.tenant_id();
    let m = new.manifest;
    let id = Uuid::now_v7();
    let done = sqlx::query!(
        "insert into image_manifests (id, tenant_id, repository_id, digest, media_type, artifact_type, subject_digest,
             platform, layer_count, size_bytes, manifest_content, config_content, pushed_by, pushed_at, last_pushed_at,
             temporary, layers_hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16)
         on conflict (tenant_id, repository_id, digest) do nothing",
        id,
        tenant.0,
        new.repository.0,
        new.digest.bytes(),
        m.media_type,
        m.artifact_type,
        m.subject.as_ref().map(|s| s.digest.bytes().to_vec()),
        new.platform,
        i32::try_from(m.layers.len()).unwrap_or(i32::MAX),
        signed(new.content.len() as u64),
        new.content,
        new.config,
        new.pushed_by,
        new.now,
        new.temporary,
        m.layer_hashes().last().map(|h| h.bytes().to_vec())
    )
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok((push_again(tx, new).await?, false));
    }
    insert_needs(tx, id, new).await?;
    Ok((id, true))
}

/// What retention wants to know of a manifest that is pushed again; within an hour of the last push it is the same.
async fn push_again(tx: &mut TenantTx, new: &NewManifest<'_>) -> Result<Uuid> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        r#"select id, (last_pushed_at < $4::timestamptz - interval '1 hour' or temporary and not $5) as "changes!"
           from image_manifests where tenant_id = $1 and repository_id = $2 and digest = $3"#,
        tenant.0,
        new.repository.0,
        new.digest.bytes(),
        new.now,
        new.temporary
    )
    .fetch_one(&mut **tx)
    .await?;
    if row.changes {
        sqlx::query!(
            "update image_manifests set last_pushed_at = $3, temporary = temporary and $4 where tenant_id = $1 and id = $2",
            tenant.0,
            row.id,
            new.now,
            new.temporary
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(row.id)
}

/// A build completes with what it pushed.
pub async fn make_lasting(tx: &mut TenantTx, manifest: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "update image_manifests set temporary = false, last_pushed_at = $3
         where tenant_id = $1 and id = $2 and temporary",
        tenant.0,
        manifest,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn insert_needs(tx: &mut TenantTx, manifest: Uuid, new: &NewManifest<'_>) -> Result<()> {
    let tenant = tx.tenant_id();
    let m = new.manifest;
    let layer = if m.kind == ManifestKind::Index { "manifest" } else { "layer" };
    let needs: Vec<(&str, &Descriptor)> =
        m.config.iter().map(|d| ("config", d)).chain(m.layers.iter().chain(&m.manifests).map(|d| (layer, d))).collect();
    let kinds: Vec<String> = needs.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    let digests: Vec<Digest> = needs.iter().map(|(_, d)| d.digest).collect();
    let media_types: Vec<String> = needs.iter().map(|(_, d)| d.media_type.clone()).collect();
    let sizes: Vec<i64> = needs.iter().map(|(_, d)| signed(d.size)).collect();
    sqlx::query!(
        "insert into image_layer_blobs (tenant_id, manifest_id, layer_order, kind, digest, media_type, size_bytes)
         select $1, $2, n - 1,
                case when kind = 'manifest' and not exists (
                         select from image_manifests m
                         where m.tenant_id = $1 and m.repository_id = $7 and m.digest = need.digest)
                     then 'layer' else kind end,
                digest, media_type, size
         from unnest($3::text[], $4::bytea[], $5::text[], $6::bigint[]) with ordinality
              as need (kind, digest, media_type, size, n)",
        tenant.0,
        manifest,
        &kinds,
        &bytes(&digests),
        &media_types,
        &sizes,
        new.repository.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The blobs that a manifest needs: config and layers, and entries of an index that are no manifests.
pub async fn blobs(tx: &mut TenantTx, manifest: Uuid) -> Result<Vec<Digest>> {
    let tenant = tx.tenant_id();
    let digests = sqlx::query_scalar!(
        "select digest from image_layer_blobs where tenant_id = $1 and manifest_id = $2 and kind <> 'manifest'",
        tenant.0,
        manifest
    )
    .fetch_all(&mut **tx)
    .await?;
    digests.iter().map(|d| Digest::stored(d)).collect()
}

/// Which of these manifests the repository does not have.
pub async fn missing(tx: &mut TenantTx, repository: ImageId, wanted: &[Digest]) -> Result<Vec<Digest>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query_scalar!(
        r#"select wanted as "wanted!" from unnest($3::bytea[]) as wanted
           where not exists (select from image_manifests m
                             where m.tenant_id = $1 and m.repository_id = $2 and m.digest = wanted)"#,
        tenant.0,
        repository.0,
        &bytes(wanted)
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.iter().map(|d| Digest::stored(d)).collect()
}

/// These manifests with their bytes, in the order of their digests.
pub async fn contents(tx: &mut TenantTx, repository: ImageId, wanted: &[Digest]) -> Result<Vec<StoredManifest>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        "select digest, media_type, size_bytes, manifest_content from image_manifests
         where tenant_id = $1 and repository_id = $2 and digest = any ($3) order by digest",
        tenant.0,
        repository.0,
        &bytes(wanted)
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(StoredManifest {
                digest: Digest::stored(&r.digest)?,
                media_type: r.media_type,
                size_bytes: unsigned(r.size_bytes),
                content: r.manifest_content,
            })
        })
        .collect()
}

/// Deletes a manifest and its tags; returns the blobs it needed, none when there was no such manifest.
pub async fn delete(tx: &mut TenantTx, repository: ImageId, manifest: &Digest) -> Result<Option<Vec<Digest>>> {
    let tenant = tx.tenant_id();
    let Some(id) = sqlx::query_scalar!(
        "select id from image_manifests where tenant_id = $1 and repository_id = $2 and digest = $3 for update",
        tenant.0,
        repository.0,
        manifest.bytes()
    )
    .fetch_optional(&mut **tx)
    .await?
    else {
        return Ok(None);
    };
    let needed = blobs(tx, id).await?;
    sqlx::query!("delete from image_manifests where tenant_id = $1 and id = $2", tenant.0, id)
        .execute(&mut **tx)
        .await?;
    Ok(Some(needed))
}

/// A manifest with all that is known of it.
pub struct Described {
    pub id: Uuid,
    pub manifest: StoredManifest,
    pub config: Option<Vec<u8>>,
    /// Its newest tag.
    pub tag: Option<String>,
    pub pushed_by: String,
    pub pushed_at: DateTime<Utc>,
}

/// The manifest of a digest, or the one that was pushed last; one that is about another only where there is nothing else.
pub async fn describe(tx: &mut TenantTx, repository: ImageId, wanted: Option<&Digest>) -> Result<Option<Described>> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        r#"select m.id, m.digest, m.media_type, m.size_bytes, m.manifest_content, m.config_content, m.pushed_by,
                  m.pushed_at,
                  (select t.name from image_tags t where t.tenant_id = $1 and t.manifest_id = m.id
                   order by t.moved_at desc limit 1) as tag
           from image_manifests m
           where m.tenant_id = $1 and m.repository_id = $2 and ($3::bytea is null or m.digest = $3)
           order by m.subject_digest is not null, m.pushed_at desc, m.id desc limit 1"#,
        tenant.0,
        repository.0,
        wanted.map(|d| d.bytes().to_vec())
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|r| {
        Ok(Described {
            id: r.id,
            manifest: StoredManifest {
                digest: Digest::stored(&r.digest)?,
                media_type: r.media_type,
                size_bytes: unsigned(r.size_bytes),
                content: r.manifest_content,
            },
            config: r.config_content,
            tag: r.tag,
            pushed_by: r.pushed_by,
            pushed_at: r.pushed_at,
        })
    })
    .transpose()
}

/// A manifest that an index lists.
pub struct EntryRow {
    pub digest: Digest,
    /// Bytes of the manifest and all it names.
    pub size_bytes: u64,
    /// `os/architecture` as its config says.
    pub platform: Option<String>,
}

/// The manifests that an index lists and the repository has.
pub async fn entries(tx: &mut TenantTx, repository: ImageId, index: Uuid) -> Result<Vec<EntryRow>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        r#"select m.digest, m.platform,
                  (m.size_bytes + (select coalesce(sum(n.size_bytes), 0) from image_layer_blobs n
                                   where n.tenant_id = $1 and n.manifest_id = m.id))::bigint as "size_bytes!"
           from image_layer_blobs l
           join image_manifests m on m.tenant_id = $1 and m.repository_id = $2 and m.digest = l.digest
           where l.tenant_id = $1 and l.manifest_id = $3 and l.kind = 'manifest'"#,
        tenant.0,
        repository.0,
        index
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(EntryRow {
                digest: Digest::stored(&r.digest)?,
                size_bytes: unsigned(r.size_bytes),
                platform: r.platform,
            })
        })
        .collect()
}

/// A manifest whose layers are the lower ones of another.
pub struct BaseRow {
    pub repository: ImageId,
    pub name: String,
    pub digest: Digest,
    pub layer_count: i32,
    pub tag: Option<String>,
}

/// Images of which all layers are the lower ones of another, by their hashes: those with the most layers first, then the
/// newest, at most ten.
pub async fn bases(tx: &mut TenantTx, hashes: &[Digest]) -> Result<Vec<BaseRow>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        "select r.id, r.full_name, m.digest, m.layer_count,
                (select t.name from image_tags t where t.tenant_id = $1 and t.manifest_id = m.id
                 order by t.moved_at desc limit 1) as tag
         from image_manifests m join repositories r on r.tenant_id = $1 and r.id = m.repository_id
         where m.tenant_id = $1 and m.layers_hash = any ($2)
         order by m.layer_count desc, m.pushed_at desc limit 10",
        tenant.0,
        &bytes(hashes)
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(BaseRow {
                repository: r.id.into(),
                name: r.full_name,
                digest: Digest::stored(&r.digest)?,
                layer_count: r.layer_count,
                tag: r.tag,
            })
        })
        .collect()
}

/// Repositories that hold a manifest or a blob between two digests: at most 200.
pub async fn repositories_holding(tx: &mut TenantTx, low: &Digest, high: &Digest) -> Result<Vec<ImageId>> {
    let tenant = tx.tenant_id();
    let ids = sqlx::query_scalar!(
        r#"select repository_id as "id!" from (
               (select repository_id from image_manifests where tenant_id = $1 and digest between $2 and $3 limit 200)
               union
               (select m.repository_id from image_layer_blobs l
                join image_manifests m on m.tenant_id = $1 and m.id = l.manifest_id
                where l.tenant_id = $1 and l.digest between $2 and $3 limit 200)) as held
           limit 200"#,
        tenant.0,
        low.bytes(),
        high.bytes()
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids.into_iter().map(Into::into).collect())
}

/// Digests of some manifests of a repository; those that are about others first.
pub async fn some(tx: &mut TenantTx, repository: ImageId, limit: i64) -> Result<Vec<Digest>> {
    let tenant = tx.tenant_id();
    let digests = sqlx::query_scalar!(
        "select digest from image_manifests where tenant_id = $1 and repository_id = $2
         order by subject_digest is null, id limit $3",
        tenant.0,
        repository.0,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    digests.iter().map(|d| Digest::stored(d)).collect()
}
