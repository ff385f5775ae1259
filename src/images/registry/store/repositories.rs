//! `repositories`.

use crate::images::registry::model::RepositoryName;
use crate::kernel::Result;
use crate::kernel::ids::{ImageId, ProjectId};
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
