//! `repositories`.

use super::unsigned;
use crate::images::registry::model::RepositoryName;
use crate::kernel::ids::{ImageId, ProjectId};
use crate::kernel::{Digest, Result};
use crate::platform::db::{TenantConnection, TenantTx};
use chrono::{DateTime, Utc};

pub async fn find(tx: &mut impl TenantConnection, project: ProjectId, name: &str) -> Result<Option<ImageId>> {
    let tenant = tx.tenant_id();
    let id = sqlx::query_scalar!(
        "select id from repositories where tenant_id = $1 and project_id = $2 and name = $3",
        tenant.0,
        project.0,
        name
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(id.map(Into::into))
}

/// Whether the project has a repository.
pub async fn any(tx: &mut impl TenantConnection, project: ProjectId) -> Result<bool> {
    let tenant = tx.tenant_id();
    let found = sqlx::query_scalar!(
        r#"select exists (select from repositories where tenant_id = $1 and project_id = $2) as "any!""#,
        tenant.0,
        project.0
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(found)
}

/// Whether running builds keep their layer cache in a repository: tagged, and temporary.
pub async fn has_layer_cache(at: &mut impl TenantConnection, project: ProjectId, name: &str) -> Result<bool> {
    let tenant = at.tenant_id();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from repositories r
                          join image_manifests m on m.tenant_id = $1 and m.repository_id = r.id and m.temporary
                          join image_tags t on t.tenant_id = $1 and t.repository_id = r.id and t.manifest_id = m.id
                          where r.tenant_id = $1 and r.project_id = $2 and r.name = $3) as "has!""#,
        tenant.0,
        project.0,
        name
    )
    .fetch_one(&mut **at)
    .await?)
}

/// The repository's id; made when it is new.
pub async fn ensure(
    tx: &mut impl TenantConnection,
    project: ProjectId,
    name: &RepositoryName,
    now: DateTime<Utc>,
) -> Result<ImageId> {
    if let Some(id) = find(tx, project, name.image()).await? {
        return Ok(id);
    }
    let tenant = tx.tenant_id();
    // Updating nothing waits for, and then returns, the row of whoever was quicker.
    let id = sqlx::query_scalar!(
        "insert into repositories (id, tenant_id, project_id, name, full_name, created_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, project_id, name) do update set name = excluded.name
         returning id",
        ImageId::new().0,
        tenant.0,
        project.0,
        name.image(),
        name.as_str(),
        now
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(id.into())
}

/// Repositories of the tenant that serve a blob: at most one of each project, and at most 50.
pub async fn serving(tx: &mut TenantTx, blob: &Digest) -> Result<Vec<RepositoryName>> {
    let tenant = tx.tenant_id();
    let names = sqlx::query_scalar!(
        "select distinct on (r.project_id) r.full_name
         from (select repository_id from repository_blobs where tenant_id = $1 and digest = $2 limit 1000) as link
         join repositories r on r.tenant_id = $1 and r.id = link.repository_id
         order by r.project_id, r.full_name limit 50",
        tenant.0,
        blob.bytes()
    )
    .fetch_all(&mut **tx)
    .await?;
    names.iter().map(|name| name.parse()).collect()
}

/// What a repository holds, and what of it nothing else in the tenant needs.
pub struct Content {
    pub tags: Vec<String>,
    pub tag_count: u64,
    pub manifest_count: u64,
    pub own_bytes: u64,
}

/// Counts what a repository holds, and names some of its tags.
pub async fn content(tx: &mut TenantTx, repository: ImageId, named: i64) -> Result<Content> {
    let tenant = tx.tenant_id();
    let tags = super::tags::names(tx, repository, "", named).await?;
    let row = sqlx::query!(
        r#"select (select count(*) from image_tags where tenant_id = $1 and repository_id = $2) as "tags!",
                  (select count(*) from image_manifests where tenant_id = $1 and repository_id = $2) as "manifests!",
                  (select coalesce(sum(t.size_bytes), 0)::bigint from tenant_blobs t
                   where t.tenant_id = $1
                     and t.digest in (select l.digest from image_manifests m
                                      join image_layer_blobs l on l.tenant_id = $1 and l.manifest_id = m.id
                                      where m.tenant_id = $1 and m.repository_id = $2 and l.kind <> 'manifest')
                     and not exists (select from image_layer_blobs l
                                     join image_manifests m on m.tenant_id = $1 and m.id = l.manifest_id
                                     where l.tenant_id = $1 and l.digest = t.digest and l.kind <> 'manifest'
                                       and m.repository_id <> $2)) as "own_bytes!""#,
        tenant.0,
        repository.0
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Content {
        tags,
        tag_count: unsigned(row.tags),
        manifest_count: unsigned(row.manifests),
        own_bytes: unsigned(row.own_bytes),
    })
}

/// Deletes a repository with its links and uploads in progress, unless it has manifests. False when it has.
pub async fn delete_empty(tx: &mut TenantTx, repository: ImageId) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "delete from repositories r where tenant_id = $1 and id = $2
         and not exists (select from image_manifests m where m.tenant_id = $1 and m.repository_id = $2)",
        tenant.0,
        repository.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The name of a repository and its project.
pub async fn by_id(tx: &mut TenantTx, repository: ImageId) -> Result<Option<(ProjectId, RepositoryName)>> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        "select project_id, full_name from repositories where tenant_id = $1 and id = $2",
        tenant.0,
        repository.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|r| Ok((r.project_id.into(), r.full_name.parse()?))).transpose()
}

/// The repository's id and full name.
pub async fn named(tx: &mut TenantTx, project: ProjectId, name: &str) -> Result<Option<(ImageId, RepositoryName)>> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        "select id, full_name from repositories where tenant_id = $1 and project_id = $2 and name = $3",
        tenant.0,
        project.0,
        name
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|r| Ok((r.id.into(), r.full_name.parse()?))).transpose()
}
