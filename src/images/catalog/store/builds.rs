//! `image_builds`: which build made a manifest.

use crate::images::registry::Push;
use crate::kernel::ids::{BuildId, ImageId};
use crate::kernel::{Digest, Result};
use crate::platform::db::TenantTx;

/// Remembers which build made a manifest.
pub async fn set(tx: &mut TenantTx, push: &Push, build: BuildId) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "insert into image_builds (tenant_id, image_id, digest, build_id, built_at) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, image_id, digest) do update set build_id = excluded.build_id, built_at = excluded.built_at",
        tenant.0,
        push.image_id.0,
        push.digest.to_string(),
        build.0,
        push.at
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The build that made a manifest.
pub async fn of(tx: &mut TenantTx, image: ImageId, digest: &Digest) -> Result<Option<BuildId>> {
    let tenant = tx.tenant_id();
    let id = sqlx::query_scalar!(
        "select build_id from image_builds where tenant_id = $1 and image_id = $2 and digest = $3",
        tenant.0,
        image.0,
        digest.to_string()
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(id.map(Into::into))
}

/// Forgets which build made a manifest that is no more.
pub async fn forget(tx: &mut TenantTx, image: ImageId, digest: &Digest) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "delete from image_builds where tenant_id = $1 and image_id = $2 and digest = $3",
        tenant.0,
        image.0,
        digest.to_string()
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
