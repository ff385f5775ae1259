//! SQL of `login_throttles`.

use super::super::throttle::{Counter, OnSuccess};
use crate::kernel::Result;
use crate::platform::db::PgConnection;

/// Counts an attempt as a failure; none when it may go on, else the seconds to wait. Where it must wait, the caller
/// rolls back, so attempts while blocked count for nothing. What is not blocked is so since ever: `now()` of one transaction
/// lies before that of another one which began later and committed first.
pub(in super::super) async fn count(tx: &mut PgConnection, c: &Counter) -> Result<Option<f64>> {
    let counted = sqlx::query_scalar!(
        "insert into login_throttles as t (key, failures, blocked_until) values ($1, 1, '-infinity')
         on conflict (key) do update
         set failures = case when t.updated_at < now() - interval '1 hour' then 1 else t.failures + 1 end,
             blocked_until = case
                 when t.updated_at < now() - interval '1 hour' or t.failures < $2 then '-infinity'
                 else now() + make_interval(secs => least($3, power(2::float8, least(t.failures - $2, 30))))
             end,
             updated_at = now()
         where t.blocked_until <= now()
         returning failures",
        c.key,
        c.free,
        f64::from(c.max_seconds)
    )
    .fetch_optional(&mut *tx)
    .await?;
    if counted.is_some() {
        return Ok(None);
    }
    let seconds = sqlx::query_scalar!(
        r#"select extract(epoch from greatest(blocked_until, now()) - now())::float8 as "seconds!"
           from login_throttles where key = $1"#,
        c.key
    )
    .fetch_optional(&mut *tx)
    .await?;
    // A right password has cleared it meanwhile.
    Ok(Some(seconds.unwrap_or_default()))
}

/// The attempt was a success after all.
pub(in super::super) async fn succeeded(tx: &mut PgConnection, c: &Counter) -> Result<()> {
    match c.on_success {
        OnSuccess::Clear => sqlx::query!("delete from login_throttles where key = $1", c.key).execute(tx).await?,
        OnSuccess::TakeBack => {
            sqlx::query!(
                "update login_throttles set failures = greatest(failures - 1, 0), blocked_until = '-infinity' where key = $1",
                c.key
            )
            .execute(tx)
            .await?
        }
    };
    Ok(())
}

pub(in super::super) async fn purge(tx: &mut PgConnection) -> Result<u64> {
    let done =
        sqlx::query!("delete from login_throttles where updated_at < now() - interval '1 day'").execute(tx).await?;
    Ok(done.rows_affected())
}
