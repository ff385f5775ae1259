//! `image_terms`: where images are found.

use crate::kernel::Result;
use crate::kernel::ids::ImageId;
use crate::platform::db::TenantTx;

/// Where the image is found from now on.
pub async fn set(tx: &mut TenantTx, image: ImageId, terms: &[String]) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "with gone as (delete from image_terms where tenant_id = $1 and image_id = $2 and term <> all ($3))
         insert into image_terms (tenant_id, image_id, term)
         select $1, $2, term from unnest($3::text[]) as term on conflict do nothing",
        tenant.0,
        image.0,
        terms
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether the image is found anywhere.
pub async fn has(tx: &mut TenantTx, image: ImageId) -> Result<bool> {
    let tenant = tx.tenant_id();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from image_terms where tenant_id = $1 and image_id = $2) as "has!""#,
        tenant.0,
        image.0
    )
    .fetch_one(&mut **tx)
    .await?)
}

/// Images with a term from `low` up to `high`, by term: at most `limit`, and again for each of their terms.
pub async fn find(tx: &mut TenantTx, low: &str, high: &str, limit: i64) -> Result<Vec<ImageId>> {
    let tenant = tx.tenant_id();
    let ids = sqlx::query_scalar!(
        "select image_id from image_terms where tenant_id = $1 and term >= $2 and term < $3
         order by term limit $4",
        tenant.0,
        low,
        high,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids.into_iter().map(Into::into).collect())
}
