//! SQL of uploaded contexts.

use crate::kernel::Result;
use crate::kernel::ids::{ContextId, ProjectId, TenantId};
use crate::platform::storage::Key;
use sqlx::PgConnection;
use uuid::Uuid;

/// An uploaded context.
pub struct Context {
    /// Its id.
    pub id: ContextId,
    /// Compressed size.
    pub size_bytes: i64,
    /// SHA-256 of the archive.
    pub digest: String,
}

/// Records an upload before its first byte, so that what a crash leaves is purged with the unused.
pub async fn insert(
    tx: &mut PgConnection,
    (tenant, project, id): (TenantId, ProjectId, ContextId),
    key: &Key,
    by: &str,
) -> Result<()> {
    sqlx::query!(
        "insert into build_contexts (id, tenant_id, project_id, storage_key, created_by) values ($1, $2, $3, $4, $5)",
        id.0,
        tenant.0,
        project.0,
        key.as_str(),
        by
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes an upload usable: it is whole and harmless.
pub async fn complete(tx: &mut PgConnection, tenant: TenantId, c: &Context) -> Result<()> {
    sqlx::query!(
        "update build_contexts set size_bytes = $3, digest = $4 where tenant_id = $1 and id = $2",
        tenant.0,
        c.id.0,
        c.size_bytes,
        c.digest
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets an upload.
pub async fn delete(tx: &mut PgConnection, tenant: TenantId, id: ContextId) -> Result<()> {
    sqlx::query!("delete from build_contexts where tenant_id = $1 and id = $2", tenant.0, id.0).execute(tx).await?;
    Ok(())
}

/// The key of a project's context; marks it as used, so that it is kept for retries.
pub async fn use_context(
    tx: &mut PgConnection,
    tenant: TenantId,
    project: ProjectId,
    id: ContextId,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "update build_contexts set last_used_at = now() 
         where tenant_id = $1 and project_id = $2 and id = $3 and digest is not null
         returning storage_key",
        tenant.0,
        project.0,
        id.0
    )
    .fetch_optional(tx)
    .await?)
}

/// Makes contexts unused for so long unusable, over all tenants; gives their ids and keys.
pub async fn retire(tx: &mut PgConnection, older_than_hours: i32, limit: i64) -> Result<Vec<(Uuid, String)>> {
    let rows = sqlx::query!(
        "update build_contexts set digest = null where id in (
             select c.id from build_contexts c
             where c.last_used_at < now() - make_interval(hours => $1)
               and not exists (select from builds b where b.tenant_id = c.tenant_id and b.project_id = c.project_id
                                 and b.status in ('pending', 'queued', 'running')
                                 and b.source ->> 'context_id' = c.id::text)
             limit $2 for update of c skip locked)
         returning id, storage_key",
        older_than_hours,
        limit
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|r| (r.id, r.storage_key)).collect())
}

/// Deletes the rows of contexts whose objects are gone, over all tenants.
pub async fn forget(tx: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query!("delete from build_contexts where id = any ($1)", ids).execute(tx).await?;
    Ok(())
}
