//! `registry_accesses` and `tenant_transfers`.

use super::{bytes, signed, unsigned};
use crate::images::registry::model::{AccessKind, ImageAccess, Transfer};
use crate::kernel::ids::{ImageId, ProjectId, TenantId};
use crate::kernel::{Digest, Result};
use crate::platform::db::{PgConnection, SystemTx, TenantTx};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// An access to be recorded.
#[derive(Debug, Clone)]
pub struct NewAccess {
    pub tenant_id: TenantId,
    pub project_id: ProjectId,
    pub image_id: ImageId,
    pub id: Uuid,
    pub occurred_at: DateTime<Utc>,
    pub actor: String,
    pub action: AccessKind,
    pub reference: String,
    pub digest: Digest,
    pub bytes: u64,
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

/// What a tenant has transferred on a day, to be added.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    pub pulls: u64,
    pub pushes: u64,
    pub pulled_bytes: u64,
    pub pushed_bytes: u64,
}

fn each<T>(all: &[NewAccess], of: impl Fn(&NewAccess) -> T) -> Vec<T> {
    all.iter().map(of).collect()
}

/// Records accesses, of any tenants that the transaction sees. Those that are recorded already are left.
pub async fn insert(tx: &mut PgConnection, all: &[NewAccess]) -> Result<()> {
    sqlx::query!(
        "insert into registry_accesses (tenant_id, project_id, image_id, id, occurred_at, actor, action, reference, digest,
                                        bytes, address, user_agent)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[],
                              $8::text[], $9::bytea[], $10::bigint[], $11::text[], $12::text[])
         on conflict do nothing",
        &each(all, |a| a.tenant_id.0),
        &each(all, |a| a.project_id.0),
        &each(all, |a| a.image_id.0),
        &each(all, |a| a.id),
        &each(all, |a| a.occurred_at),
        &each(all, |a| a.actor.clone()),
        &each(all, |a| a.action.as_str().to_owned()),
        &each(all, |a| a.reference.clone()),
        &bytes(&each(all, |a| a.digest)),
        &each(all, |a| signed(a.bytes)),
        &each(all, |a| a.address.clone()) as &[Option<String>],
        &each(all, |a| a.user_agent.clone()) as &[Option<String>]
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes when manifests were last pulled, to the hour. One that somebody else is changing is left to its next pull, so
/// that nobody waits for this.
pub async fn note_pulls(tx: &mut SystemTx, pulls: &[NewAccess]) -> Result<()> {
    sqlx::query!(
        "update image_manifests m set last_pulled_at = p.at
         from (select f.tenant_id, f.id, p.at
               from (select tenant, image, digest, max(at) as at
                     from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::timestamptz[]) as pull (tenant, image, digest, at)
                     group by tenant, image, digest) p
               join image_manifests f on f.tenant_id = p.tenant and f.repository_id = p.image and f.digest = p.digest
               where f.last_pulled_at is null or f.last_pulled_at < p.at - interval '1 hour'
               for no key update of f skip locked) p
         where m.tenant_id = p.tenant_id and m.id = p.id",
        &each(pulls, |a| a.tenant_id.0),
        &each(pulls, |a| a.image_id.0),
        &bytes(&each(pulls, |a| a.digest)),
        &each(pulls, |a| a.occurred_at)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Adds what was transferred. In the order of their keys, so that writers never wait for each other in a circle.
pub async fn add_transfers(tx: &mut SystemTx, sums: &[((TenantId, NaiveDate), Sums)]) -> Result<()> {
    let of = |get: fn(&Sums) -> u64| sums.iter().map(|(_, s)| signed(get(s))).collect::<Vec<_>>();
    sqlx::query!(
        "insert into tenant_transfers (tenant_id, day, pulls, pushes, pulled_bytes, pushed_bytes)
         select * from unnest($1::uuid[], $2::date[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
         on conflict (tenant_id, day) do update
         set pulls = tenant_transfers.pulls + excluded.pulls, pushes = tenant_transfers.pushes + excluded.pushes,
             pulled_bytes = tenant_transfers.pulled_bytes + excluded.pulled_bytes,
             pushed_bytes = tenant_transfers.pushed_bytes + excluded.pushed_bytes",
        &sums.iter().map(|((tenant, _), _)| tenant.0).collect::<Vec<_>>(),
        &sums.iter().map(|((_, day), _)| *day).collect::<Vec<_>>(),
        &of(|s| s.pulls),
        &of(|s| s.pushes),
        &of(|s| s.pulled_bytes),
        &of(|s| s.pushed_bytes)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Accesses of an image, newest first.
pub async fn list(tx: &mut TenantTx, image: ImageId, before: Option<Uuid>, limit: i64) -> Result<Vec<ImageAccess>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        "select id, occurred_at, actor, action, reference, digest, bytes, address, user_agent from registry_accesses
         where tenant_id = $1 and image_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4",
        tenant.0,
        image.0,
        before,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(ImageAccess {
                id: r.id,
                occurred_at: r.occurred_at,
                actor: r.actor,
                action: r.action.parse()?,
                reference: r.reference,
                digest: Digest::stored(&r.digest)?,
                bytes: unsigned(r.bytes),
                address: r.address,
                user_agent: r.user_agent,
            })
        })
        .collect()
}

/// What the tenant has transferred from one day to another, both included, after `after`.
pub async fn transfers(
    tx: &mut TenantTx,
    from: NaiveDate,
    to: NaiveDate,
    after: Option<NaiveDate>,
    limit: i64,
) -> Result<Vec<Transfer>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        "select day, pulls, pushes, pulled_bytes, pushed_bytes from tenant_transfers
         where tenant_id = $1 and day between $2 and $3 and ($4::date is null or day > $4) order by day limit $5",
        tenant.0,
        from,
        to,
        after,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    let transfer = |day, pulls, pushes, pulled, pushed| Transfer {
        day,
        pulls: unsigned(pulls),
        pushes: unsigned(pushes),
        pulled_bytes: unsigned(pulled),
        pushed_bytes: unsigned(pushed),
    };
    Ok(rows.into_iter().map(|r| transfer(r.day, r.pulls, r.pushes, r.pulled_bytes, r.pushed_bytes)).collect())
}

/// Makes the partition of a month where it is missing.
pub async fn make_partition(tx: &mut SystemTx, month: NaiveDate) -> Result<()> {
    sqlx::query_scalar!("select make_registry_access_partition($1)", month).fetch_one(&mut **tx).await?;
    Ok(())
}

/// Drops the partitions of months that ended by this day; how many.
pub async fn drop_partitions(tx: &mut SystemTx, ended_by: NaiveDate) -> Result<i32> {
    let dropped = sqlx::query_scalar!("select drop_registry_access_partitions($1)", ended_by);
    Ok(dropped.fetch_one(&mut **tx).await?.unwrap_or_default())
}
