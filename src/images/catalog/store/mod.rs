//! All SQL of the catalogue.

pub mod builds;
pub mod listings;
pub mod members;
pub mod terms;

use super::model::{Image, ImageLayer, ImageMetadata, ImageType, Lifecycle, Visibility};
use crate::images::registry::Push;
use crate::kernel::ids::ImageId;
use crate::kernel::{Digest, Error, Result};
use crate::platform::db::TenantTx;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::str::FromStr;
use uuid::Uuid;

/// Makes the image, or tells it what was pushed last.
pub async fn upsert(tx: &mut TenantTx, push: &Push, image_type: ImageType) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "insert into images (id, tenant_id, project_id, name, repository, image_type, digest, tag, pushed_by, pushed_at,
                             created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
         on conflict (id) do update set image_type = excluded.image_type, digest = excluded.digest, tag = excluded.tag,
             pushed_by = excluded.pushed_by, pushed_at = excluded.pushed_at
         where images.tenant_id = $2",
        push.image_id.0,
        tenant.0,
        push.project_id.0,
        push.name.image(),
        push.name.as_str(),
        image_type.as_str(),
        push.digest.to_string(),
        push.tag,
        push.by,
        push.at
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn set_metadata(tx: &mut TenantTx, image: ImageId, m: &ImageMetadata, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "insert into image_metadata (image_id, tenant_id, docker_manifest_digest, docker_config_digest, media_type,
             artifact_type, os, architecture, total_layer_count, compressed_size_bytes, entrypoint, cmd, env_vars,
             working_dir, labels, image_created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         on conflict (image_id) do update set docker_manifest_digest = excluded.docker_manifest_digest,
             docker_config_digest = excluded.docker_config_digest, media_type = excluded.media_type,
             artifact_type = excluded.artifact_type, os = excluded.os, architecture = excluded.architecture,
             total_layer_count = excluded.total_layer_count, compressed_size_bytes = excluded.compressed_size_bytes,
             entrypoint = excluded.entrypoint, cmd = excluded.cmd, env_vars = excluded.env_vars,
             working_dir = excluded.working_dir, labels = excluded.labels,
             uncompressed_size_bytes = case
                 when image_metadata.docker_manifest_digest = excluded.docker_manifest_digest
                 then image_metadata.uncompressed_size_bytes end,
             image_created_at = excluded.image_created_at, updated_at = excluded.updated_at
         where image_metadata.tenant_id = $2",
        image.0,
        tenant.0,
        m.docker_manifest_digest,
        m.docker_config_digest,
        m.media_type,
        m.artifact_type,
        m.os,
        m.architecture,
        m.total_layer_count,
        m.compressed_size_bytes,
        m.entrypoint,
        m.cmd,
        m.env_vars,
        m.working_dir,
        m.labels,
        m.image_created_at,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How large the layers of the manifest that the image shows are when they are unpacked.
pub async fn set_unpacked(tx: &mut TenantTx, image: ImageId, digest: &Digest, unpacked_bytes: u64) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "update image_metadata set uncompressed_size_bytes = $4
         where tenant_id = $1 and image_id = $2 and docker_manifest_digest = $3",
        tenant.0,
        image.0,
        digest.to_string(),
        i64::try_from(unpacked_bytes).unwrap_or(i64::MAX)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether there is such an image, and how far it is in its life.
pub async fn lifecycle(tx: &mut TenantTx, image: ImageId) -> Result<Option<Lifecycle>> {
    let tenant = tx.tenant_id();
    let text = sqlx::query_scalar!("select lifecycle from images where tenant_id = $1 and id = $2", tenant.0, image.0)
        .fetch_optional(&mut **tx)
        .await?;
    text.map(|t| read(&t)).transpose()
}

/// Takes a step; false when the image is not there any more where it begins, or is held.
pub async fn step(tx: &mut TenantTx, image: ImageId, from: Lifecycle, to: Lifecycle) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "update images set lifecycle = $4
         where tenant_id = $1 and id = $2 and lifecycle = $3 and (hold = 'none' or $4 <> 'published')",
        tenant.0,
        image.0,
        from.as_str(),
        to.as_str()
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn set_layers(tx: &mut TenantTx, image: ImageId, layers: &[ImageLayer]) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!("delete from image_layers where tenant_id = $1 and image_id = $2", tenant.0, image.0)
        .execute(&mut **tx)
        .await?;
    let numbers: Vec<i32> = layers.iter().map(|l| l.layer_number).collect();
    let digests: Vec<String> = layers.iter().map(|l| l.layer_digest.clone()).collect();
    let types: Vec<String> = layers.iter().map(|l| l.media_type.clone()).collect();
    let sizes: Vec<i64> = layers.iter().map(|l| l.layer_size_bytes).collect();
    let steps: Vec<Option<String>> = layers.iter().map(|l| l.created_by.clone()).collect();
    sqlx::query!(
        "insert into image_layers (tenant_id, image_id, layer_number, layer_digest, media_type, layer_size_bytes,
                                   created_by)
         select $1, $2, n, digest, media_type, size, step
         from unnest($3::int[], $4::text[], $5::text[], $6::bigint[], $7::text[])
              as layer (n, digest, media_type, size, step)",
        tenant.0,
        image.0,
        &numbers,
        &digests,
        &types,
        &sizes,
        &steps as &[Option<String>]
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether this manifest is the one that the image shows.
pub async fn shows(tx: &mut TenantTx, image: ImageId, digest: &str) -> Result<bool> {
    let tenant = tx.tenant_id();
    let shown = sqlx::query_scalar!(
        r#"select exists (select from images i left join image_metadata m on m.tenant_id = $1 and m.image_id = i.id
                          where i.tenant_id = $1 and i.id = $2
                            and (i.digest = $3 or m.docker_manifest_digest = $3)) as "shown!""#,
        tenant.0,
        image.0,
        digest
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(shown)
}

pub async fn is_held(tx: &mut TenantTx, image: ImageId) -> Result<bool> {
    let tenant = tx.tenant_id();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from images where tenant_id = $1 and id = $2 and hold <> 'none') as "held!""#,
        tenant.0,
        image.0
    )
    .fetch_one(&mut **tx)
    .await?)
}

/// Deletes an image of which nothing is left, unless it is held or somebody has set who may see it: that must not be
/// undone by a delete and a push.
pub async fn delete_unless_kept(tx: &mut TenantTx, image: ImageId) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "delete from images i
         where i.tenant_id = $1 and i.id = $2 and i.hold = 'none' and i.visibility = 'tenant'
           and not exists (select from image_members m where m.tenant_id = $1 and m.image_id = i.id)",
        tenant.0,
        image.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

struct Row {
    id: Uuid,
    project_id: Uuid,
    name: String,
    repository: String,
    image_type: String,
    lifecycle: String,
    hold: String,
    visibility: String,
    version: i32,
    digest: String,
    tag: Option<String>,
    pushed_by: String,
    pushed_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    docker_manifest_digest: Option<String>,
    docker_config_digest: Option<String>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    os: Option<String>,
    architecture: Option<String>,
    total_layer_count: Option<i32>,
    compressed_size_bytes: Option<i64>,
    uncompressed_size_bytes: Option<i64>,
    entrypoint: Option<Value>,
    cmd: Option<Value>,
    env_vars: Option<Value>,
    working_dir: Option<String>,
    labels: Option<Value>,
    image_created_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Image {
    type Error = Error;

    fn try_from(r: Row) -> Result<Self> {
        let metadata = match (r.docker_manifest_digest, r.media_type) {
            (Some(docker_manifest_digest), Some(media_type)) => Some(ImageMetadata {
                docker_manifest_digest,
                docker_config_digest: r.docker_config_digest,
                media_type,
                artifact_type: r.artifact_type,
                os: r.os,
                architecture: r.architecture,
                total_layer_count: r.total_layer_count.unwrap_or_default(),
                compressed_size_bytes: r.compressed_size_bytes.unwrap_or_default(),
                uncompressed_size_bytes: r.uncompressed_size_bytes,
                entrypoint: r.entrypoint,
                cmd: r.cmd,
                env_vars: r.env_vars,
                working_dir: r.working_dir,
                labels: r.labels,
                image_created_at: r.image_created_at,
            }),
            _ => None,
        };
        Ok(Self {
            id: r.id.into(),
            project_id: r.project_id.into(),
            name: r.name,
            repository: r.repository,
            image_type: read(&r.image_type)?,
            lifecycle: read(&r.lifecycle)?,
            hold: read(&r.hold)?,
            visibility: read(&r.visibility)?,
            version: r.version,
            digest: r.digest,
            tag: r.tag,
            pushed_by: r.pushed_by,
            pushed_at: r.pushed_at,
            created_at: r.created_at,
            metadata,
        })
    }
}

fn read<T: FromStr<Err = Error>>(text: &str) -> Result<T> {
    text.parse().map_err(|e: Error| Error::internal("a stored image does not read back").with_source(e))
}

/// Reads images with their metadata; `$1` is the tenant.
macro_rules! images {
    ([$($part:literal)*], $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select i.id, i.project_id, i.name, i.repository, i.image_type, i.lifecycle, i.hold, i.visibility, i.version,
                      i.digest, i.tag, i.pushed_by, i.pushed_at, i.created_at,
                      m.docker_manifest_digest as "docker_manifest_digest?", m.docker_config_digest,
                      m.media_type as "media_type?", m.artifact_type, m.os, m.architecture,
                      m.total_layer_count as "total_layer_count?", m.compressed_size_bytes as "compressed_size_bytes?",
                      m.uncompressed_size_bytes, m.entrypoint, m.cmd, m.env_vars, m.working_dir, m.labels,
                      m.image_created_at
               from images i left join image_metadata m on m.tenant_id = $1 and m.image_id = i.id "# $(+ $part)*,
            $($argument),+
        )
    };
}
use images;

/// Sets who may see an image.
pub async fn set_visibility(tx: &mut TenantTx, image: &Image, visibility: Visibility) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "update images set visibility = $3, version = version + 1 where tenant_id = $1 and id = $2",
        tenant.0,
        image.id.0,
        visibility.as_str()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Locks an image until the transaction ends.
pub async fn lock(tx: &mut TenantTx, image: ImageId) -> Result<Option<Image>> {
    let tenant = tx.tenant_id();
    sqlx::query_scalar!("select id from images where tenant_id = $1 and id = $2 for no key update", tenant.0, image.0)
        .fetch_optional(&mut **tx)
        .await?;
    get(tx, image).await
}

pub async fn get(tx: &mut TenantTx, image: ImageId) -> Result<Option<Image>> {
    let tenant = tx.tenant_id();
    let row = images!(["where i.tenant_id = $1 and i.id = $2"], tenant.0, image.0).fetch_optional(&mut **tx).await?;
    row.map(Image::try_from).transpose()
}

/// Layers after `last`, lowest first.
pub async fn layers(tx: &mut TenantTx, image: ImageId, last: Option<i32>, limit: i64) -> Result<Vec<ImageLayer>> {
    let tenant = tx.tenant_id();
    Ok(sqlx::query_as!(
        ImageLayer,
        "select layer_number, layer_digest, media_type, layer_size_bytes, created_by from image_layers
         where tenant_id = $1 and image_id = $2 and ($3::int is null or layer_number > $3)
         order by layer_number limit $4",
        tenant.0,
        image.0,
        last,
        limit
    )
    .fetch_all(&mut **tx)
    .await?)
}
