//! `storage_backends`.

use crate::kernel::Result;
use crate::platform::db::SystemTx;

/// Records what the storage is; true when it was another one.
pub async fn set_kind(tx: &mut SystemTx, kind: &str) -> Result<bool> {
    let done = sqlx::query!("update storage_backends set kind = $1 where name = 'default' and kind <> $1", kind)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether a blob is recorded at all.
pub async fn has_blobs(tx: &mut SystemTx) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select exists (select from image_blobs) as "any!""#).fetch_one(&mut **tx).await?)
}
