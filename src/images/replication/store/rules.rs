//! `replication_rules`.

use crate::images::replication::model::ReplicationRule;
use crate::kernel::ids::{ProjectId, ReplicationRuleId, TenantId};
use crate::kernel::{Error, Result};
use crate::platform::db::{SystemTx, TenantConnection, TenantTx, violated_constraint};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A rule with its encrypted password.
#[derive(Debug, Clone)]
pub struct RuleRow {
    pub rule: ReplicationRule,
    /// `<tenant>/<project>`.
    pub place: String,
    pub sealed: Option<Vec<u8>>,
}

struct Row {
    id: Uuid,
    project_id: Uuid,
    place: String,
    name: String,
    direction: String,
    url: String,
    username: Option<String>,
    sealed: Option<Vec<u8>>,
    images: Vec<String>,
    tags: Vec<String>,
    overwrite: bool,
    enabled: bool,
    on_push: bool,
    every_minutes: Option<i32>,
    next_run_at: Option<DateTime<Utc>>,
    version: i32,
    created_by: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for RuleRow {
    type Error = Error;

    fn try_from(r: Row) -> Result<Self> {
        let rule = ReplicationRule {
            id: r.id.into(),
            project_id: r.project_id.into(),
            name: r.name,
            direction: r.direction.parse()?,
            url: r.url,
            username: r.username,
            images: r.images,
            tags: r.tags,
            overwrite: r.overwrite,
            enabled: r.enabled,
            on_push: r.on_push,
            every_minutes: r.every_minutes,
            next_run_at: r.next_run_at,
            last_run: None,
            created_by: r.created_by,
            created_at: r.created_at,
            updated_at: r.updated_at,
            version: r.version,
        };
        Ok(Self { rule, place: r.place, sealed: r.sealed })
    }
}

/// Reads rules; `$1` is the tenant.
macro_rules! rules {
    ($rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            "select id, project_id, place, name, direction, url, username, sealed, images, tags, overwrite, enabled, on_push,
                    every_minutes, next_run_at, version, created_by, created_at, updated_at
             from replication_rules where tenant_id = $1 " + $rest,
            $($argument),+
        )
    };
}

/// At most `limit` rules of a project after one, in order of creation.
pub async fn list(
    tx: &mut impl TenantConnection,
    project: ProjectId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<RuleRow>> {
    let tenant = tx.tenant_id();
    rules!(
        "and project_id = $2 and ($3::uuid is null or id > $3) order by id limit $4",
        tenant.0,
        project.0,
        after,
        limit
    )
    .fetch_all(&mut **tx)
    .await?
    .into_iter()
    .map(TryInto::try_into)
    .collect()
}

pub async fn find(tx: &mut impl TenantConnection, id: ReplicationRuleId) -> Result<Option<RuleRow>> {
    let tenant = tx.tenant_id();
    rules!("and id = $2", tenant.0, id.0).fetch_optional(&mut **tx).await?.map(TryInto::try_into).transpose()
}

/// Those of a project that follow its pushes.
pub async fn on_push(tx: &mut TenantTx, project: ProjectId) -> Result<Vec<RuleRow>> {
    let tenant = tx.tenant_id();
    rules!("and project_id = $2 and on_push and enabled order by id", tenant.0, project.0)
        .fetch_all(&mut **tx)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
}

pub async fn count(tx: &mut TenantTx, project: ProjectId) -> Result<i64> {
    let tenant = tx.tenant_id();
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from replication_rules where tenant_id = $1 and project_id = $2"#,
        tenant.0,
        project.0
    )
    .fetch_one(&mut **tx)
    .await?)
}

pub async fn insert(tx: &mut TenantTx, row: &RuleRow) -> Result<()> {
    let (tenant, r) = (tx.tenant_id(), &row.rule);
    sqlx::query!(
        "insert into replication_rules
             (id, tenant_id, project_id, place, name, direction, url, username, sealed, images, tags, overwrite, enabled,
              on_push, every_minutes, next_run_at, version, created_by, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19)",
        r.id.0,
        tenant.0,
        r.project_id.0,
        row.place,
        r.name,
        r.direction.as_str(),
        r.url,
        r.username,
        row.sealed,
        &r.images,
        &r.tags,
        r.overwrite,
        r.enabled,
        r.on_push,
        r.every_minutes,
        r.next_run_at,
        r.version,
        r.created_by,
        r.created_at
    )
    .execute(&mut **tx)
    .await
    .map_err(exists)?;
    Ok(())
}

/// Writes a rule that was read at the version before. Stale when another was quicker.
pub async fn update(tx: &mut TenantTx, row: &RuleRow) -> Result<()> {
    let (tenant, r) = (tx.tenant_id(), &row.rule);
    let done = sqlx::query!(
        "update replication_rules
         set name = $3, url = $4, username = $5, sealed = $6, images = $7, tags = $8, overwrite = $9, enabled = $10,
             on_push = $11, every_minutes = $12, next_run_at = $13, version = $14, updated_at = $15
         where tenant_id = $1 and id = $2 and version = $14 - 1",
        tenant.0,
        r.id.0,
        r.name,
        r.url,
        r.username,
        row.sealed,
        &r.images,
        &r.tags,
        r.overwrite,
        r.enabled,
        r.on_push,
        r.every_minutes,
        r.next_run_at,
        r.version,
        r.updated_at
    )
    .execute(&mut **tx)
    .await
    .map_err(exists)?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::conflict("replication_rule.changed", "somebody else has just changed the rule; repeat the change"))
    }
}

fn exists(error: sqlx::Error) -> Error {
    match violated_constraint(&error) {
        Some("replication_rules_name_key") => {
            Error::conflict("replication_rule.exists", "the project has a replication rule of this name")
        }
        _ => error.into(),
    }
}

pub async fn delete(tx: &mut TenantTx, id: ReplicationRuleId) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!("delete from replication_rules where tenant_id = $1 and id = $2", tenant.0, id.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Rules of all tenants whose time has come.
pub async fn due(tx: &mut SystemTx, now: DateTime<Utc>, limit: i64) -> Result<Vec<(TenantId, ReplicationRuleId)>> {
    let rows = sqlx::query!(
        "select tenant_id, id from replication_rules where next_run_at <= $1 order by next_run_at limit $2",
        now,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|r| (r.tenant_id.into(), r.id.into())).collect())
}

/// Takes the turn of a rule whose time has come, and sets the next. False when another was quicker.
pub async fn take_turn(tx: &mut TenantTx, id: ReplicationRuleId, now: DateTime<Utc>) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "update replication_rules set next_run_at = $3::timestamptz + make_interval(mins => every_minutes)
         where tenant_id = $1 and id = $2 and next_run_at <= $3",
        tenant.0,
        id.0,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
