//! SQL of `sessions` and `refresh_tokens`.

use crate::kernel::Result;
use crate::kernel::ids::{SessionId, UserId};
use crate::platform::db::PgConnection;
use chrono::{DateTime, Utc};

/// A session, found by one of its refresh tokens.
pub(in super::super) struct Found {
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub revoked: bool,
    /// The token was used before.
    pub spent: bool,
}

pub(in super::super) async fn insert(
    tx: &mut PgConnection,
    id: SessionId,
    user: UserId,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    ip: Option<String>,
    user_agent: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "insert into sessions (id, user_id, created_at, refreshed_at, expires_at, ip, user_agent)
         values ($1, $2, $3, $3, $4, $5, $6)",
        id.0,
        user.0,
        now,
        expires_at,
        ip,
        user_agent
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(in super::super) async fn add_token(
    tx: &mut PgConnection,
    session: SessionId,
    fingerprint: &[u8],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into refresh_tokens (fingerprint, session_id, issued_at) values ($1, $2, $3)",
        fingerprint,
        session.0,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The session of a refresh token, both locked until the transaction ends.
pub(in super::super) async fn lock_by_token(tx: &mut PgConnection, fingerprint: &[u8]) -> Result<Option<Found>> {
    let row = sqlx::query!(
        r#"select s.id, s.user_id, s.created_at, s.expires_at, s.revoked_at is not null as "revoked!",
                  t.spent_at is not null as "spent!"
           from refresh_tokens t join sessions s on s.id = t.session_id
           where t.fingerprint = $1
           for update"#,
        fingerprint
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|r| Found {
        id: r.id.into(),
        user_id: r.user_id.into(),
        created_at: r.created_at,
        expires_at: r.expires_at,
        revoked: r.revoked,
        spent: r.spent,
    }))
}

pub(in super::super) async fn spend(tx: &mut PgConnection, fingerprint: &[u8], now: DateTime<Utc>) -> Result<()> {
    sqlx::query!("update refresh_tokens set spent_at = $2 where fingerprint = $1 and spent_at is null", fingerprint, now)
        .execute(tx)
        .await?;
    Ok(())
}

pub(in super::super) async fn extend(
    tx: &mut PgConnection,
    id: SessionId,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!("update sessions set refreshed_at = $2, expires_at = $3 where id = $1", id.0, now, expires_at)
        .execute(tx)
        .await?;
    Ok(())
}

/// The person of a session that is neither revoked nor over.
pub(in super::super) async fn live(tx: &mut PgConnection, id: SessionId, now: DateTime<Utc>) -> Result<Option<UserId>> {
    let user = sqlx::query_scalar!(
        "select user_id from sessions where id = $1 and revoked_at is null and expires_at > $2",
        id.0,
        now
    )
    .fetch_optional(tx)
    .await?;
    Ok(user.map(Into::into))
}

/// False when it had ended before.
pub(in super::super) async fn revoke(
    tx: &mut PgConnection,
    id: SessionId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "update sessions set revoked_at = $3, revoked_reason = $2 where id = $1 and revoked_at is null",
        id.0,
        reason,
        now
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// All sessions of a person, but perhaps one.
pub(in super::super) async fn revoke_all(
    tx: &mut PgConnection,
    user: UserId,
    except: Option<SessionId>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<u64> {
    let done = sqlx::query!(
        "update sessions set revoked_at = $4, revoked_reason = $3
         where user_id = $1 and revoked_at is null and ($2::uuid is null or id <> $2)",
        user.0,
        except.map(|s| s.0),
        reason,
        now
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// Whether the person has signed in from this address before, as far as sessions are kept.
pub(in super::super) async fn known_address(tx: &mut PgConnection, email: &str, ip: &str) -> Result<bool> {
    let known = sqlx::query_scalar!(
        r#"select exists (select from sessions s join users u on u.id = s.user_id where u.email = $1 and s.ip = $2)
           as "known!""#,
        email,
        ip
    )
    .fetch_one(tx)
    .await?;
    Ok(known)
}

/// Deletes sessions that ended before this time, with their tokens.
pub(in super::super) async fn purge(tx: &mut PgConnection, before: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query!(
        "delete from sessions where id in (select id from sessions where expires_at < $1 limit 1000)",
        before
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}
