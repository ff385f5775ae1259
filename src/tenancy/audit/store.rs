//! SQL of the audit trail.

use super::model::{AuditEvent, FIRST, Filters, Link};
use crate::kernel::Result;
use crate::kernel::ids::TenantId;
use crate::platform::db::PgConnection;
use uuid::Uuid;

/// The key of a chain: the tenant, or nil for the installation.
fn key(tenant: Option<TenantId>) -> Uuid {
    tenant.map_or(Uuid::nil(), |t| t.0)
}

fn tenant(key: Uuid) -> Option<TenantId> {
    (!key.is_nil()).then_some(TenantId(key))
}

/// The end of a chain, locked until the transaction ends.
pub(super) async fn lock_head(tx: &mut PgConnection, chain: Option<TenantId>) -> Result<(i64, Vec<u8>)> {
    loop {
        let head = sqlx::query!("select sequence, hash from audit_chains where tenant_id = $1 for update", key(chain))
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(head) = head {
            return Ok((head.sequence, head.hash));
        }
        sqlx::query!(
            "insert into audit_chains (tenant_id, sequence, hash) values ($1, 0, $2) on conflict do nothing",
            key(chain),
            &FIRST[..]
        )
        .execute(&mut *tx)
        .await?;
    }
}

pub(super) async fn append(tx: &mut PgConnection, link: &Link) -> Result<()> {
    let e = &link.event;
    sqlx::query!(
        "with head as (update audit_chains set sequence = $2, hash = $14 where tenant_id = $1)
         insert into audit_events (tenant_id, sequence, id, occurred_at, actor, user_id, action, resource, before,
                                   after, ip, user_agent, request_id, hash, previous_hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        key(e.tenant_id),
        e.sequence,
        e.id,
        e.occurred_at,
        e.actor,
        e.user_id.map(|u| u.0),
        e.action,
        e.resource,
        e.before,
        e.after,
        e.ip,
        e.user_agent,
        e.request_id,
        link.hash,
        link.previous_hash,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Newest first; of one tenant, or of all and the installation.
pub(super) async fn list(
    tx: &mut PgConnection,
    of: Option<TenantId>,
    f: &Filters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<AuditEvent>> {
    let rows = sqlx::query!(
        "select tenant_id, sequence, id, occurred_at, actor, user_id, action, resource, before, after, ip, user_agent,
                request_id
         from audit_events
         where ($1::uuid is null or tenant_id = $1)
           and ($2::uuid is null or id < $2)
           and ($3::text is null or action = $3)
           and ($4::text is null or actor = $4)
           and ($5::text is null or resource = $5)
           and ($6::timestamptz is null or occurred_at >= $6)
           and ($7::timestamptz is null or occurred_at < $7)
         order by id desc
         limit $8",
        of.map(|t| t.0),
        before,
        f.action,
        f.actor,
        f.resource,
        f.from,
        f.to,
        limit,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| AuditEvent {
            id: r.id,
            tenant_id: tenant(r.tenant_id),
            sequence: r.sequence,
            occurred_at: r.occurred_at,
            actor: r.actor,
            user_id: r.user_id.map(Into::into),
            action: r.action,
            resource: r.resource,
            before: r.before,
            after: r.after,
            ip: r.ip,
            user_agent: r.user_agent,
            request_id: r.request_id,
        })
        .collect())
}

/// Every chain with its recorded end; a chain that lost its end has none.
pub(super) async fn chains(tx: &mut PgConnection) -> Result<Vec<(Option<TenantId>, Option<(i64, Vec<u8>)>)>> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", c.sequence as "sequence?", c.hash as "hash?"
           from (select tenant_id from audit_chains union select distinct tenant_id from audit_events) as known
           left join audit_chains c using (tenant_id)
           order by 1"#
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|r| (tenant(r.tenant_id), r.sequence.zip(r.hash))).collect())
}

/// The next links of a chain in order.
pub(super) async fn links(tx: &mut PgConnection, of: Option<TenantId>, after: i64, limit: i64) -> Result<Vec<Link>> {
    let rows = sqlx::query!(
        "select tenant_id, sequence, id, occurred_at, actor, user_id, action, resource, before, after, ip, user_agent,
                request_id, previous_hash, hash
         from audit_events where tenant_id = $1 and sequence > $2 order by sequence limit $3",
        key(of),
        after,
        limit
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Link {
            event: AuditEvent {
                id: r.id,
                tenant_id: tenant(r.tenant_id),
                sequence: r.sequence,
                occurred_at: r.occurred_at,
                actor: r.actor,
                user_id: r.user_id.map(Into::into),
                action: r.action,
                resource: r.resource,
                before: r.before,
                after: r.after,
                ip: r.ip,
                user_agent: r.user_agent,
                request_id: r.request_id,
            },
            previous_hash: r.previous_hash,
            hash: r.hash,
        })
        .collect())
}
