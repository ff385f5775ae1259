//! SQL of `users`.

use super::super::model::{User, UserStatus};
use crate::kernel::ids::UserId;
use crate::kernel::{Error, Result};
use crate::platform::db::{PgConnection, is_unique_violation};
use crate::tenancy::access::SystemRole;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A person with the hash that proves who they are.
pub(in super::super) struct Record {
    pub user: User,
    pub password_hash: String,
}

struct Row {
    id: Uuid,
    email: String,
    name: String,
    password_hash: String,
    status: String,
    system_roles: Vec<String>,
    must_change_password: bool,
    created_at: DateTime<Utc>,
    last_login_at: Option<DateTime<Utc>>,
}

impl Row {
    fn record(self) -> Result<Record> {
        Ok(Record {
            user: User {
                id: self.id.into(),
                email: self.email,
                name: self.name,
                status: self.status.parse()?,
                system_roles: self.system_roles.iter().map(|r| r.parse()).collect::<Result<_>>()?,
                must_change_password: self.must_change_password,
                created_at: self.created_at,
                last_login_at: self.last_login_at,
            },
            password_hash: self.password_hash,
        })
    }
}

fn texts(roles: &[SystemRole]) -> Vec<String> {
    roles.iter().map(|r| r.as_str().to_owned()).collect()
}

pub(in super::super) async fn insert(tx: &mut PgConnection, u: &User, password_hash: &str) -> Result<()> {
    sqlx::query!(
        "insert into users (id, email, name, password_hash, password_changed_at, must_change_password, status,
                            system_roles, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $5, $5)",
        u.id.0,
        u.email,
        u.name,
        password_hash,
        u.created_at,
        u.must_change_password,
        u.status.as_str(),
        &texts(&u.system_roles),
    )
    .execute(tx)
    .await
    .map_err(|e| {
        if is_unique_violation(&e, "users_email") {
            Error::conflict("user.exists", "there is a user with this address")
        } else {
            e.into()
        }
    })?;
    Ok(())
}

pub(in super::super) async fn by_id(tx: &mut PgConnection, id: UserId) -> Result<Option<Record>> {
    sqlx::query_as!(
        Row,
        "select id, email, name, password_hash, status, system_roles, must_change_password, created_at, last_login_at
         from users where id = $1",
        id.0
    )
    .fetch_optional(tx)
    .await?
    .map(Row::record)
    .transpose()
}

/// The same, locked until the transaction ends.
pub(in super::super) async fn lock(tx: &mut PgConnection, id: UserId) -> Result<Option<Record>> {
    sqlx::query_as!(
        Row,
        "select id, email, name, password_hash, status, system_roles, must_change_password, created_at, last_login_at
         from users where id = $1 for update",
        id.0
    )
    .fetch_optional(tx)
    .await?
    .map(Row::record)
    .transpose()
}

pub(in super::super) async fn by_email(tx: &mut PgConnection, email: &str) -> Result<Option<Record>> {
    sqlx::query_as!(
        Row,
        "select id, email, name, password_hash, status, system_roles, must_change_password, created_at, last_login_at
         from users where email = $1",
        email
    )
    .fetch_optional(tx)
    .await?
    .map(Row::record)
    .transpose()
}

pub(in super::super) async fn by_ids(tx: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<User>> {
    sqlx::query_as!(
        Row,
        "select id, email, name, password_hash, status, system_roles, must_change_password, created_at, last_login_at
         from users where id = any($1)",
        ids
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(|r| r.record().map(|r| r.user))
    .collect()
}

/// In order of creation.
pub(in super::super) async fn list(
    tx: &mut PgConnection,
    email: Option<&str>,
    status: Option<UserStatus>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<User>> {
    sqlx::query_as!(
        Row,
        "select id, email, name, password_hash, status, system_roles, must_change_password, created_at, last_login_at
         from users
         where ($1::text is null or email = $1) and ($2::text is null or status = $2) and ($3::uuid is null or id > $3)
         order by id limit $4",
        email,
        status.map(UserStatus::as_str),
        after,
        limit
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(|r| r.record().map(|r| r.user))
    .collect()
}

pub(in super::super) async fn update(tx: &mut PgConnection, u: &User, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update users set name = $2, status = $3, system_roles = $4, updated_at = $5 where id = $1",
        u.id.0,
        u.name,
        u.status.as_str(),
        &texts(&u.system_roles),
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(in super::super) async fn set_password(
    tx: &mut PgConnection,
    id: UserId,
    hash: &str,
    must_change: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update users set password_hash = $2, must_change_password = $3, password_changed_at = $4, updated_at = $4
         where id = $1",
        id.0,
        hash,
        must_change,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(in super::super) async fn touch_login(tx: &mut PgConnection, id: UserId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!("update users set last_login_at = $2 where id = $1", id.0, now).execute(tx).await?;
    Ok(())
}

/// Active system administrators, locked so that two of them cannot remove each other at the same time.
pub(in super::super) async fn lock_administrators(tx: &mut PgConnection) -> Result<Vec<UserId>> {
    let ids = sqlx::query_scalar!(
        "select id from users where status = 'active' and 'system_admin' = any(system_roles) order by id for update"
    )
    .fetch_all(tx)
    .await?;
    Ok(ids.into_iter().map(Into::into).collect())
}
