//! All SQL of this context.

use super::model::{Capability, CapabilityState, Membership, Quota, Tenant, TenantStatus};
use crate::kernel::ids::{TenantId, UserId};
use crate::kernel::{Error, Result};
use crate::platform::db::{PgConnection, is_unique_violation};
use crate::tenancy::access::TenantRole;
use chrono::{DateTime, Utc};
use uuid::Uuid;

struct TenantRow {
    id: Uuid,
    slug: String,
    name: String,
    status: String,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<TenantRow> for Tenant {
    type Error = Error;
    fn try_from(r: TenantRow) -> Result<Self> {
        Ok(Self {
            id: r.id.into(),
            slug: r.slug,
            name: r.name,
            status: r.status.parse()?,
            created_at: r.created_at,
            updated_at: r.updated_at,
            version: r.version,
        })
    }
}

pub(super) async fn insert(tx: &mut PgConnection, t: &Tenant) -> Result<()> {
    sqlx::query!(
        "with tenant as (
             insert into tenants (id, slug, name, status, version, created_at, updated_at)
             values ($1, $2, $3, $4, $5, $6, $6) returning id)
         insert into quotas (tenant_id, updated_at) select id, $6 from tenant",
        t.id.0,
        t.slug,
        t.name,
        t.status.as_str(),
        t.version,
        t.created_at
    )
    .execute(tx)
    .await
    .map_err(|e| {
        if is_unique_violation(&e, "tenants_slug_key") {
            Error::conflict("tenant.exists", "there is a tenant with this slug")
        } else {
            e.into()
        }
    })?;
    Ok(())
}

pub(super) async fn by_id(tx: &mut PgConnection, id: TenantId) -> Result<Option<Tenant>> {
    let row = sqlx::query_as!(
        TenantRow,
        "select id, slug, name, status, version, created_at, updated_at from tenants where id = $1",
        id.0
    )
    .fetch_optional(tx)
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// The same, locked until the transaction ends: changes to a tenant and its members follow one another.
pub(super) async fn lock(tx: &mut PgConnection, id: TenantId) -> Result<Tenant> {
    sqlx::query_as!(
        TenantRow,
        "select id, slug, name, status, version, created_at, updated_at from tenants where id = $1 for no key update",
        id.0
    )
    .fetch_optional(tx)
    .await?
    .ok_or_else(|| Error::not_found("tenant"))?
    .try_into()
}

/// By slug.
pub(super) async fn list(
    tx: &mut PgConnection,
    status: Option<TenantStatus>,
    after: Option<String>,
    limit: i64,
) -> Result<Vec<Tenant>> {
    sqlx::query_as!(
        TenantRow,
        "select id, slug, name, status, version, created_at, updated_at from tenants
         where ($1::text is null or status = $1) and ($2::text is null or slug > $2)
         order by slug limit $3",
        status.map(TenantStatus::as_str),
        after,
        limit
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

pub(super) async fn update(tx: &mut PgConnection, t: &Tenant) -> Result<()> {
    sqlx::query!(
        "update tenants set name = $2, status = $3, version = $4, updated_at = $5 where id = $1",
        t.id.0,
        t.name,
        t.status.as_str(),
        t.version,
        t.updated_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// By slug or id; what a person would be in it is not asked.
pub(super) async fn resolve(tx: &mut PgConnection, slug: &str, id: Option<Uuid>) -> Result<Option<Membership>> {
    let row = sqlx::query!(
        "select t.id, t.slug, t.name, t.status, q.requests_per_second
         from tenants t join quotas q on q.tenant_id = t.id where t.slug = $1 or t.id = $2",
        slug,
        id
    )
    .fetch_optional(tx)
    .await?;
    row.map(|r| {
        Ok(Membership {
            id: r.id.into(),
            slug: r.slug,
            name: r.name,
            status: r.status.parse()?,
            role: None,
            requests_per_second: r.requests_per_second,
        })
    })
    .transpose()
}

pub(super) async fn memberships(tx: &mut PgConnection, user: UserId) -> Result<Vec<Membership>> {
    sqlx::query!(
        "select t.id, t.slug, t.name, t.status, m.role, q.requests_per_second
         from tenant_members m join tenants t on t.id = m.tenant_id join quotas q on q.tenant_id = t.id
         where m.user_id = $1 order by t.slug",
        user.0
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(|r| {
        Ok(Membership {
            id: r.id.into(),
            slug: r.slug,
            name: r.name,
            status: r.status.parse()?,
            role: Some(r.role.parse()?),
            requests_per_second: r.requests_per_second,
        })
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
    tenant: TenantId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<MemberRow>> {
    sqlx::query!(
        "select user_id, role, added_at from tenant_members
         where tenant_id = $1 and ($2::uuid is null or user_id > $2) order by user_id limit $3",
        tenant.0,
        after,
        limit
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(|r| Ok(MemberRow { user_id: r.user_id.into(), role: r.role.parse()?, added_at: r.added_at }))
    .collect()
}

pub(super) async fn member(tx: &mut PgConnection, tenant: TenantId, user: UserId) -> Result<Option<MemberRow>> {
    sqlx::query!(
        "select user_id, role, added_at from tenant_members where tenant_id = $1 and user_id = $2",
        tenant.0,
        user.0
    )
    .fetch_optional(tx)
    .await?
    .map(|r| Ok(MemberRow { user_id: r.user_id.into(), role: r.role.parse()?, added_at: r.added_at }))
    .transpose()
}

pub(super) async fn add_member(
    tx: &mut PgConnection,
    tenant: TenantId,
    user: UserId,
    role: TenantRole,
    now: DateTime<Utc>,
) -> Result<()> {
    let done = sqlx::query!(
        "insert into tenant_members (tenant_id, user_id, role, added_at) values ($1, $2, $3, $4) on conflict do nothing",
        tenant.0,
        user.0,
        role.as_str(),
        now
    )
    .execute(tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::conflict("member.exists", "this person belongs to the tenant already"));
    }
    Ok(())
}

pub(super) async fn set_role(tx: &mut PgConnection, tenant: TenantId, user: UserId, role: TenantRole) -> Result<()> {
    sqlx::query!(
        "update tenant_members set role = $3 where tenant_id = $1 and user_id = $2",
        tenant.0,
        user.0,
        role.as_str()
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn remove_member(tx: &mut PgConnection, tenant: TenantId, user: UserId) -> Result<()> {
    sqlx::query!("delete from tenant_members where tenant_id = $1 and user_id = $2", tenant.0, user.0)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn owners(tx: &mut PgConnection, tenant: TenantId) -> Result<i64> {
    let n = sqlx::query_scalar!(
        r#"select count(*) as "n!" from tenant_members where tenant_id = $1 and role = 'owner'"#,
        tenant.0
    )
    .fetch_one(tx)
    .await?;
    Ok(n)
}

/// What was decided; capabilities that nobody decided are missing.
pub(super) async fn capabilities(tx: &mut PgConnection, tenant: TenantId) -> Result<Vec<CapabilityState>> {
    sqlx::query!(
        "select capability, entitled, reason, changed_by, changed_at from tenant_capabilities where tenant_id = $1",
        tenant.0
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(|r| {
        Ok(CapabilityState {
            capability: r.capability.parse()?,
            entitled: r.entitled,
            reason: Some(r.reason),
            changed_by: Some(r.changed_by),
            changed_at: Some(r.changed_at),
        })
    })
    .collect()
}

pub(super) async fn entitled(tx: &mut PgConnection, tenant: TenantId, c: Capability) -> Result<Option<bool>> {
    let entitled = sqlx::query_scalar!(
        "select entitled from tenant_capabilities where tenant_id = $1 and capability = $2",
        tenant.0,
        c.as_str()
    )
    .fetch_optional(tx)
    .await?;
    Ok(entitled)
}

pub(super) async fn set_capability(tx: &mut PgConnection, tenant: TenantId, c: &CapabilityState) -> Result<()> {
    sqlx::query!(
        "insert into tenant_capabilities (tenant_id, capability, entitled, reason, changed_by, changed_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, capability) do update
         set entitled = excluded.entitled, reason = excluded.reason, changed_by = excluded.changed_by,
             changed_at = excluded.changed_at",
        tenant.0,
        c.capability.as_str(),
        c.entitled,
        c.reason,
        c.changed_by,
        c.changed_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn quota(tx: &mut PgConnection, tenant: TenantId) -> Result<Option<Quota>> {
    let quota = sqlx::query_as!(
        Quota,
        "select builds_queued_max, builds_running_max, storage_bytes_max, requests_per_second, retention_days, version
         from quotas where tenant_id = $1",
        tenant.0
    )
    .fetch_optional(tx)
    .await?;
    Ok(quota)
}

pub(super) async fn set_quota(tx: &mut PgConnection, tenant: TenantId, q: &Quota, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update quotas set builds_queued_max = $2, builds_running_max = $3, storage_bytes_max = $4,
                           requests_per_second = $5, retention_days = $6, version = $7, updated_at = $8
         where tenant_id = $1",
        tenant.0,
        q.builds_queued_max,
        q.builds_running_max,
        q.storage_bytes_max,
        q.requests_per_second,
        q.retention_days,
        q.version,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}
