//! SQL of `api_keys`.

use super::super::model::ApiKey;
use crate::kernel::ids::{ApiKeyId, TenantId, UserId};
use crate::kernel::{Error, Fault, Result};
use crate::platform::db::{PgConnection, violated_constraint};
use crate::tenancy::access::Permission;
use chrono::{DateTime, Utc};
use uuid::Uuid;

struct Row {
    id: Uuid,
    tenant_id: Uuid,
    user_id: Uuid,
    name: String,
    prefix: String,
    secret_fingerprint: Vec<u8>,
    scopes: Vec<String>,
    project_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl From<Row> for ApiKey {
    fn from(r: Row) -> Self {
        Self {
            id: r.id.into(),
            tenant_id: r.tenant_id.into(),
            user_id: r.user_id.into(),
            name: r.name,
            prefix: r.prefix,
            // A permission that this version no longer knows grants nothing.
            scopes: r.scopes.iter().filter_map(|s| s.parse::<Permission>().ok()).collect(),
            project_id: r.project_id.map(Into::into),
            created_at: r.created_at,
            expires_at: r.expires_at,
            last_used_at: r.last_used_at,
            revoked_at: r.revoked_at,
        }
    }
}

pub(in super::super) async fn insert(tx: &mut PgConnection, k: &ApiKey, secret_fingerprint: &[u8]) -> Result<()> {
    let scopes: Vec<String> = k.scopes.iter().map(|s| s.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into api_keys (id, tenant_id, user_id, name, prefix, secret_fingerprint, scopes, project_id, created_at,
                               expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        k.id.0,
        k.tenant_id.0,
        k.user_id.0,
        k.name,
        k.prefix,
        secret_fingerprint,
        &scopes,
        k.project_id.map(|p| p.0),
        k.created_at,
        k.expires_at
    )
    .execute(tx)
    .await
    .map_err(|e| {
        if violated_constraint(&e) == Some("api_keys_project") {
            Error::faults(vec![Fault::new("/project_id", "not_found", "the tenant has no such project")])
        } else {
            e.into()
        }
    })?;
    Ok(())
}

/// With the fingerprint of its secret; across tenants, because the key says which tenant it is for.
pub(in super::super) async fn by_prefix(tx: &mut PgConnection, prefix: &str) -> Result<Option<(ApiKey, Vec<u8>)>> {
    let row = sqlx::query_as!(
        Row,
        "select id, tenant_id, user_id, name, prefix, secret_fingerprint, scopes, project_id, created_at, expires_at,
                last_used_at, revoked_at
         from api_keys where prefix = $1",
        prefix
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|mut r| {
        let fingerprint = std::mem::take(&mut r.secret_fingerprint);
        (r.into(), fingerprint)
    }))
}

/// Across tenants, for tokens that name their key.
pub(in super::super) async fn by_id(tx: &mut PgConnection, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let row = sqlx::query_as!(
        Row,
        "select id, tenant_id, user_id, name, prefix, secret_fingerprint, scopes, project_id, created_at, expires_at,
                last_used_at, revoked_at
         from api_keys where id = $1",
        id.0
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(Into::into))
}

/// Keys of one person, or of all, in order of creation.
pub(in super::super) async fn list(
    tx: &mut PgConnection,
    tenant: TenantId,
    user: Option<UserId>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ApiKey>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, tenant_id, user_id, name, prefix, secret_fingerprint, scopes, project_id, created_at, expires_at,
                last_used_at, revoked_at
         from api_keys
         where tenant_id = $1 and ($2::uuid is null or user_id = $2) and ($3::uuid is null or id > $3)
         order by id limit $4",
        tenant.0,
        user.map(|u| u.0),
        after,
        limit
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// None when there is no such key of this person (or of anybody).
pub(in super::super) async fn find(
    tx: &mut PgConnection,
    tenant: TenantId,
    id: ApiKeyId,
    user: Option<UserId>,
) -> Result<Option<ApiKey>> {
    let row = sqlx::query_as!(
        Row,
        "select id, tenant_id, user_id, name, prefix, secret_fingerprint, scopes, project_id, created_at, expires_at,
                last_used_at, revoked_at
         from api_keys where tenant_id = $1 and id = $2 and ($3::uuid is null or user_id = $3)",
        tenant.0,
        id.0,
        user.map(|u| u.0)
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(Into::into))
}

/// False when it was revoked before.
pub(in super::super) async fn revoke(
    tx: &mut PgConnection,
    tenant: TenantId,
    id: ApiKeyId,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update api_keys set revoked_at = $3 where tenant_id = $1 and id = $2 and revoked_at is null",
        tenant.0,
        id.0,
        now
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Notes a use, at most once a minute for each key.
pub(in super::super) async fn touch(tx: &mut PgConnection, key: &ApiKey, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update api_keys set last_used_at = $3
         where tenant_id = $1 and id = $2 and (last_used_at is null or last_used_at < $3::timestamptz - interval '1 minute')",
        key.tenant_id.0,
        key.id.0,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}
