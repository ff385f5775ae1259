//! All SQL of robot accounts.

use super::model::RobotAccount;
use crate::images::registry::Action;
use crate::kernel::ids::{ProjectId, RobotId, TenantId};
use crate::kernel::{Error, Fault, Result};
use crate::platform::db::{SystemTx, TenantConnection, TenantTx, violated_constraint};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A robot account as stored.
pub struct Row {
    pub id: RobotId,
    name: String,
    description: String,
    project_id: Option<Uuid>,
    repositories: Vec<String>,
    actions: Vec<String>,
    disabled: bool,
    version: i32,
    pub secret_version: i32,
    created_by: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl Row {
    /// The account, in the tenant of this slug.
    pub fn account(self, tenant_slug: &str) -> RobotAccount {
        RobotAccount {
            id: self.id,
            login: format!("{tenant_slug}+{}", self.name),
            name: self.name,
            description: self.description,
            project_id: self.project_id.map(Into::into),
            repositories: self.repositories,
            actions: Action::ALL.into_iter().filter(|a| self.actions.iter().any(|text| text == a.as_str())).collect(),
            disabled: self.disabled,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
            created_by: self.created_by,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        }
    }
}

fn texts(actions: &[Action]) -> Vec<String> {
    actions.iter().map(|a| a.as_str().to_owned()).collect()
}

pub async fn insert(tx: &mut TenantTx, r: &RobotAccount, secret_fingerprint: &[u8]) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "insert into robot_accounts (id, tenant_id, name, description, project_id, repositories, actions,
                                     secret_fingerprint, created_by, created_at, updated_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)",
        r.id.0,
        tenant.0,
        r.name,
        r.description,
        r.project_id.map(|p| p.0),
        &r.repositories,
        &texts(&r.actions),
        secret_fingerprint,
        r.created_by,
        r.created_at,
        r.expires_at
    )
    .execute(&mut **tx)
    .await
    .map_err(|e| match violated_constraint(&e) {
        Some("robot_accounts_name_key") => {
            Error::conflict("robot_account.exists", "the tenant has a robot account of this name")
        }
        Some("robot_accounts_project") => {
            Error::faults(vec![Fault::new("/project_id", "not_found", "the tenant has no such project")])
        }
        _ => e.into(),
    })?;
    Ok(())
}

/// Of these projects alone, or all; in order of creation.
pub async fn list(
    tx: &mut TenantTx,
    projects: Option<&[ProjectId]>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Row>> {
    let tenant = tx.tenant_id();
    let projects: Option<Vec<Uuid>> = projects.map(|list| list.iter().map(|p| p.0).collect());
    Ok(sqlx::query_as!(
        Row,
        "select id, name, description, project_id, repositories, actions, disabled, version, secret_version, created_by,
                created_at, updated_at, expires_at, last_used_at
         from robot_accounts
         where tenant_id = $1 and ($2::uuid[] is null or project_id = any ($2)) and ($3::uuid is null or id > $3)
         order by id limit $4",
        tenant.0,
        projects.as_deref(),
        after,
        limit
    )
    .fetch_all(&mut **tx)
    .await?)
}

pub async fn find(at: &mut impl TenantConnection, id: RobotId) -> Result<Option<Row>> {
    let tenant = at.tenant_id();
    Ok(sqlx::query_as!(
        Row,
        "select id, name, description, project_id, repositories, actions, disabled, version, secret_version, created_by,
                created_at, updated_at, expires_at, last_used_at
         from robot_accounts where tenant_id = $1 and id = $2",
        tenant.0,
        id.0
    )
    .fetch_optional(&mut **at)
    .await?)
}

/// Locked until the transaction ends.
pub async fn lock(tx: &mut TenantTx, id: RobotId) -> Result<Option<Row>> {
    let tenant = tx.tenant_id();
    sqlx::query_scalar!("select id from robot_accounts where tenant_id = $1 and id = $2 for update", tenant.0, id.0)
        .fetch_optional(&mut **tx)
        .await?;
    find(tx, id).await
}

/// By the fingerprint of its secret; across tenants, because the secret says whose it is.
pub async fn by_secret(tx: &mut SystemTx, secret_fingerprint: &[u8]) -> Result<Option<(TenantId, Row)>> {
    let found =
        sqlx::query!("select tenant_id, id from robot_accounts where secret_fingerprint = $1", secret_fingerprint)
            .fetch_optional(&mut **tx)
            .await?;
    let Some(found) = found else { return Ok(None) };
    let row = sqlx::query_as!(
        Row,
        "select id, name, description, project_id, repositories, actions, disabled, version, secret_version, created_by,
                created_at, updated_at, expires_at, last_used_at
         from robot_accounts where tenant_id = $1 and id = $2",
        found.tenant_id,
        found.id
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|r| (found.tenant_id.into(), r)))
}

pub async fn update(tx: &mut TenantTx, r: &RobotAccount) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "update robot_accounts set description = $3, repositories = $4, actions = $5, disabled = $6, expires_at = $7,
                                   version = $8, updated_at = $9
         where tenant_id = $1 and id = $2",
        tenant.0,
        r.id.0,
        r.description,
        &r.repositories,
        &texts(&r.actions),
        r.disabled,
        r.expires_at,
        r.version,
        r.updated_at
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn set_secret(tx: &mut TenantTx, id: RobotId, secret_fingerprint: &[u8]) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "update robot_accounts set secret_fingerprint = $3, secret_version = secret_version + 1
         where tenant_id = $1 and id = $2",
        tenant.0,
        id.0,
        secret_fingerprint
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut TenantTx, id: RobotId) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!("delete from robot_accounts where tenant_id = $1 and id = $2", tenant.0, id.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Notes a use, at most once a minute for each robot.
pub async fn touch(tx: &mut SystemTx, tenant: TenantId, id: RobotId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update robot_accounts set last_used_at = $3
         where tenant_id = $1 and id = $2
           and (last_used_at is null or last_used_at < $3::timestamptz - interval '1 minute')",
        tenant.0,
        id.0,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
