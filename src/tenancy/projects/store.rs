//! All SQL of this context.

use super::model::{Project, ProjectFilters, ProjectGrant, ProjectStatus, RegistryCredential, SecretInfo};
use crate::kernel::ids::{ProjectId, SecretId, TenantId, UserId};
use crate::kernel::{Error, Result};
use crate::platform::db::{PgConnection, is_unique_violation, violated_constraint};
use crate::tenancy::access::TenantRole;
use chrono::{DateTime, Utc};
use uuid::Uuid;

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    slug: String,
    name: String,
    description: String,
    status: String,
    version: i32,
    created_by: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Project {
    type Error = Error;
    fn try_from(r: Row) -> Result<Self> {
        Ok(Self {
            id: r.id.into(),
            tenant_id: r.tenant_id.into(),
            slug: r.slug,
            name: r.name,
            description: r.description,
            status: r.status.parse()?,
            created_by: r.created_by,
            created_at: r.created_at,
            updated_at: r.updated_at,
            version: r.version,
        })
    }
}

pub(super) async fn insert(tx: &mut PgConnection, p: &Project) -> Result<()> {
    sqlx::query!(
        "insert into projects (id, tenant_id, slug, name, description, status, version, created_by, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        p.id.0,
        p.tenant_id.0,
        p.slug,
        p.name,
        p.description,
        p.status.as_str(),
        p.version,
        p.created_by,
        p.created_at
    )
    .execute(tx)
    .await
    .map_err(|e| {
        if is_unique_violation(&e, "projects_slug_key") {
            Error::conflict("project.exists", "the tenant has a project with this slug")
        } else {
            e.into()
        }
    })?;
    Ok(())
}

/// By id or slug.
pub(super) async fn find(
    tx: &mut PgConnection,
    tenant: TenantId,
    id: Option<ProjectId>,
    slug: &str,
) -> Result<Option<Project>> {
    sqlx::query_as!(
        Row,
        "select id, tenant_id, slug, name, description, status, version, created_by, created_at, updated_at
         from projects where tenant_id = $1 and (id = $2 or slug = $3)",
        tenant.0,
        id.map(|id| id.0),
        slug
    )
    .fetch_optional(tx)
    .await?
    .map(TryInto::try_into)
    .transpose()
}

/// Locked until the transaction ends.
pub(super) async fn lock(tx: &mut PgConnection, tenant: TenantId, id: ProjectId) -> Result<Project> {
    sqlx::query_as!(
        Row,
        "select id, tenant_id, slug, name, description, status, version, created_by, created_at, updated_at
         from projects where tenant_id = $1 and id = $2 for no key update",
        tenant.0,
        id.0
    )
    .fetch_optional(tx)
    .await?
    .ok_or_else(|| Error::not_found("project"))?
    .try_into()
}

/// Of one tenant or of all; all projects or some; by tenant and slug.
pub(super) async fn list(
    tx: &mut PgConnection,
    tenant: Option<TenantId>,
    only: Option<Vec<ProjectId>>,
    f: &ProjectFilters,
    after: Option<(Uuid, String)>,
    limit: i64,
) -> Result<Vec<Project>> {
    let only: Option<Vec<Uuid>> = only.map(|ids| ids.into_iter().map(|p| p.0).collect());
    let (after_tenant, after_slug) = after.unzip();
    sqlx::query_as!(
        Row,
        "select id, tenant_id, slug, name, description, status, version, created_by, created_at, updated_at
         from projects
         where ($1::uuid is null or tenant_id = $1)
           and ($2::uuid[] is null or id = any($2))
           and ($3::text is null or slug = $3)
           and ($4::text is null or status = $4)
           and ($5::uuid is null or (tenant_id, slug) > ($5, $6))
         order by tenant_id, slug limit $7",
        tenant.map(|t| t.0),
        only.as_deref(),
        f.slug,
        f.status.map(ProjectStatus::as_str),
        after_tenant,
        after_slug,
        limit
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

pub(super) async fn update(tx: &mut PgConnection, p: &Project) -> Result<()> {
    sqlx::query!(
        "update projects set name = $3, description = $4, status = $5, version = $6, updated_at = $7
         where tenant_id = $1 and id = $2",
        p.tenant_id.0,
        p.id.0,
        p.name,
        p.description,
        p.status.as_str(),
        p.version,
        p.updated_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn grants(tx: &mut PgConnection, user: UserId) -> Result<Vec<ProjectGrant>> {
    sqlx::query!("select tenant_id, project_id, role from project_members where user_id = $1", user.0)
        .fetch_all(tx)
        .await?
        .into_iter()
        .map(|r| {
            Ok(ProjectGrant { tenant_id: r.tenant_id.into(), project_id: r.project_id.into(), role: r.role.parse()? })
        })
        .collect()
}

/// A member without what the directory of people knows.
pub(super) struct MemberRow {
    pub user_id: UserId,
    pub role: TenantRole,
    pub added_at: DateTime<Utc>,
}

pub(super) async fn members(
    tx: &mut PgConnection,
    p: &Project,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<MemberRow>> {
    sqlx::query!(
        "select user_id, role, added_at from project_members
         where tenant_id = $1 and project_id = $2 and ($3::uuid is null or user_id > $3) order by user_id limit $4",
        p.tenant_id.0,
        p.id.0,
        after,
        limit
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(|r| Ok(MemberRow { user_id: r.user_id.into(), role: r.role.parse()?, added_at: r.added_at }))
    .collect()
}

/// The time since when; false when the person does not belong to the tenant.
pub(super) async fn set_member(
    tx: &mut PgConnection,
    p: &Project,
    user: UserId,
    role: TenantRole,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let added = sqlx::query_scalar!(
        "insert into project_members (tenant_id, project_id, user_id, role, added_at) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, project_id, user_id) do update set role = excluded.role
         returning added_at",
        p.tenant_id.0,
        p.id.0,
        user.0,
        role.as_str(),
        now
    )
    .fetch_one(tx)
    .await;
    match added {
        Ok(added) => Ok(Some(added)),
        Err(e) if violated_constraint(&e) == Some("project_members_member") => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// False when there was none.
pub(super) async fn remove_member(tx: &mut PgConnection, p: &Project, user: UserId) -> Result<bool> {
    let done = sqlx::query!(
        "delete from project_members where tenant_id = $1 and project_id = $2 and user_id = $3",
        p.tenant_id.0,
        p.id.0,
        user.0
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// A secret as stored.
pub(super) struct SecretRow {
    pub info: SecretInfo,
    pub sealed: Vec<u8>,
}

pub(super) async fn set_secret(tx: &mut PgConnection, p: &Project, s: &SecretRow) -> Result<DateTime<Utc>> {
    let created = sqlx::query_scalar!(
        "insert into project_secrets (id, tenant_id, project_id, name, kind, username, sealed, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         on conflict (tenant_id, project_id, name) do update
         set kind = excluded.kind, username = excluded.username, sealed = excluded.sealed, updated_at = excluded.updated_at
         returning created_at",
        SecretId::new().0,
        p.tenant_id.0,
        p.id.0,
        s.info.name,
        s.info.kind.as_str(),
        s.info.username,
        s.sealed,
        s.info.updated_at
    )
    .fetch_one(tx)
    .await?;
    Ok(created)
}

/// All secrets of a project by name, or those of these names.
pub(super) async fn secrets(
    tx: &mut PgConnection,
    tenant: TenantId,
    project: ProjectId,
    names: Option<&[String]>,
) -> Result<Vec<SecretRow>> {
    sqlx::query!(
        "select name, kind, username, sealed, created_at, updated_at from project_secrets
         where tenant_id = $1 and project_id = $2 and ($3::text[] is null or name = any($3)) order by name",
        tenant.0,
        project.0,
        names
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(|r| {
        Ok(SecretRow {
            info: SecretInfo {
                name: r.name,
                kind: r.kind.parse()?,
                username: r.username,
                created_at: r.created_at,
                updated_at: r.updated_at,
            },
            sealed: r.sealed,
        })
    })
    .collect()
}

/// False when there was none.
pub(super) async fn delete_secret(tx: &mut PgConnection, p: &Project, name: &str) -> Result<bool> {
    let done = sqlx::query!(
        "delete from project_secrets where tenant_id = $1 and project_id = $2 and name = $3",
        p.tenant_id.0,
        p.id.0,
        name
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// A credential as stored.
pub(super) struct RegistryCredentialRow {
    pub info: RegistryCredential,
    pub sealed: Vec<u8>,
}

pub(super) async fn set_registry_credential(
    tx: &mut PgConnection,
    p: &Project,
    c: &RegistryCredentialRow,
) -> Result<DateTime<Utc>> {
    let created = sqlx::query_scalar!(
        "insert into project_registry_credentials
             (id, tenant_id, project_id, registry, username, sealed, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)
         on conflict (tenant_id, project_id, registry) do update
         set username = excluded.username, sealed = excluded.sealed, updated_at = excluded.updated_at
         returning created_at",
        SecretId::new().0,
        p.tenant_id.0,
        p.id.0,
        c.info.registry,
        c.info.username,
        c.sealed,
        c.info.updated_at
    )
    .fetch_one(tx)
    .await?;
    Ok(created)
}

/// All of a project, by registry.
pub(super) async fn registry_credentials(
    tx: &mut PgConnection,
    tenant: TenantId,
    project: ProjectId,
) -> Result<Vec<RegistryCredentialRow>> {
    let rows = sqlx::query!(
        "select registry, username, sealed, created_at, updated_at from project_registry_credentials
         where tenant_id = $1 and project_id = $2 order by registry",
        tenant.0,
        project.0
    )
    .fetch_all(tx)
    .await?;
    let row = |registry, username, created_at, updated_at, sealed| RegistryCredentialRow {
        info: RegistryCredential { registry, username, created_at, updated_at },
        sealed,
    };
    Ok(rows.into_iter().map(|r| row(r.registry, r.username, r.created_at, r.updated_at, r.sealed)).collect())
}

/// False when there was none.
pub(super) async fn delete_registry_credential(tx: &mut PgConnection, p: &Project, registry: &str) -> Result<bool> {
    let done = sqlx::query!(
        "delete from project_registry_credentials where tenant_id = $1 and project_id = $2 and registry = $3",
        p.tenant_id.0,
        p.id.0,
        registry
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() > 0)
}
