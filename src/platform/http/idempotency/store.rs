//! SQL of idempotency keys.

use super::Answer;
use crate::kernel::{Digest, Result};
use crate::platform::db::Db;
use uuid::Uuid;

pub(super) enum Begun {
    /// Whoever asks is to run it, with this id.
    First(Uuid),
    InFlight,
    OtherRequest,
    Done(Answer),
}

/// Takes the key, or tells what became of the request that took it. A request whose process died may be repeated after
/// a minute, with its id.
pub(super) async fn begin(db: &Db, caller: &str, key: &str, digest: &Digest) -> Result<Begun> {
    let mut tx = db.system("idempotency key").await?;
    let taken = sqlx::query!(
        "insert into idempotency_keys as k (caller, key, request_digest, new_id) values ($1, $2, $3, $4)
         on conflict (caller, key) do update
         set request_digest = excluded.request_digest, created_at = now(), status = null, headers = null, body = null,
             new_id = case when k.request_digest = excluded.request_digest and k.status is null
                           then k.new_id else excluded.new_id end
         where (k.status is null and k.created_at < now() - interval '1 minute')
            or k.created_at < now() - interval '24 hours'
         returning new_id",
        caller,
        key,
        &digest.bytes()[..],
        Uuid::now_v7()
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(taken) = taken {
        tx.commit().await?;
        return Ok(Begun::First(taken.new_id));
    }
    let row = sqlx::query!(
        "select request_digest, status, headers, body from idempotency_keys where caller = $1 and key = $2",
        caller,
        key
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(if row.request_digest != digest.bytes() {
        Begun::OtherRequest
    } else if let Some(status) = row.status {
        Begun::Done(Answer {
            status: u16::try_from(status).unwrap_or(500),
            headers: row.headers.map(serde_json::from_value).transpose()?.unwrap_or_default(),
            body: row.body.unwrap_or_default(),
        })
    } else {
        Begun::InFlight
    })
}

pub(super) async fn finish(db: &Db, caller: &str, key: &str, answer: &Answer) -> Result<()> {
    let mut tx = db.system("idempotency key").await?;
    sqlx::query!(
        "update idempotency_keys set status = $3, headers = $4, body = $5 where caller = $1 and key = $2",
        caller,
        key,
        i32::from(answer.status),
        serde_json::to_value(&answer.headers)?,
        answer.body
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

/// Lets the request be repeated at once: it failed for a reason that may pass.
pub(super) async fn release(db: &Db, caller: &str, key: &str) -> Result<()> {
    let mut tx = db.system("idempotency key").await?;
    sqlx::query!(
        "update idempotency_keys set created_at = now() - interval '2 minutes' where caller = $1 and key = $2",
        caller,
        key
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await
}

pub(super) async fn purge(db: &Db) -> Result<()> {
    let mut tx = db.system("purge idempotency keys").await?;
    sqlx::query!("delete from idempotency_keys where created_at < now() - interval '24 hours'")
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}
