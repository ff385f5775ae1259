//! `retention_policies`, and what repositories hold.

use super::unsigned;
use crate::images::registry::model::{HeldManifest, HeldTag, Holdings, RepositoryName, RetentionPolicy};
use crate::kernel::ids::{ImageId, ProjectId, TenantId};
use crate::kernel::{Digest, Result};
use crate::platform::db::{SystemTx, TenantTx};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The policy of a project and its version; an empty one of version 0 where none was set.
pub async fn policy(tx: &mut TenantTx, project: ProjectId) -> Result<(RetentionPolicy, i32)> {
    let tenant = tx.tenant_id();
    let row = sqlx::query!(
        "select policy, version from retention_policies where tenant_id = $1 and project_id = $2",
        tenant.0,
        project.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(match row {
        Some(row) => (serde_json::from_value(row.policy)?, row.version),
        None => (RetentionPolicy::default(), 0),
    })
}

pub async fn set_policy(
    tx: &mut TenantTx,
    project: ProjectId,
    policy: &RetentionPolicy,
    version: i32,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant_id();
    sqlx::query!(
        "insert into retention_policies (tenant_id, project_id, policy, version, updated_at) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, project_id)
         do update set policy = excluded.policy, version = excluded.version, updated_at = excluded.updated_at",
        tenant.0,
        project.0,
        serde_json::to_value(policy)?,
        version,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A repository by the key that all are gone through in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryAt {
    pub tenant: TenantId,
    pub repository: ImageId,
}

/// A repository that retention looks at.
pub struct Retained {
    pub at: RepositoryAt,
    pub project: ProjectId,
    pub name: RepositoryName,
    pub policy: RetentionPolicy,
    /// Its project has a policy, or running builds left something in it before the given time.
    pub concerned: bool,
}

/// The next repositories of all tenants.
pub async fn repositories(
    tx: &mut SystemTx,
    after: Option<&RepositoryAt>,
    temporary_until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Retained>> {
    let rows = sqlx::query!(
        r#"select r.tenant_id, r.id, r.project_id, r.full_name, p.policy as "policy?",
                  (p.policy is not null
                   or exists (select from image_manifests m
                              where m.tenant_id = r.tenant_id and m.repository_id = r.id and m.temporary
                                and m.last_pushed_at < $3)) as "concerned!"
           from repositories r
           left join retention_policies p on p.tenant_id = r.tenant_id and p.project_id = r.project_id
           where (r.tenant_id, r.id) > ($1, $2) order by r.tenant_id, r.id limit $4"#,
        after.map_or(Uuid::nil(), |a| a.tenant.0),
        after.map_or(Uuid::nil(), |a| a.repository.0),
        temporary_until,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Retained {
                at: RepositoryAt { tenant: r.tenant_id.into(), repository: r.id.into() },
                project: r.project_id.into(),
                name: r.full_name.parse()?,
                policy: r.policy.map(serde_json::from_value).transpose()?.unwrap_or_default(),
                concerned: r.concerned,
            })
        })
        .collect()
}

/// The repositories of a project.
pub async fn of_project(tx: &mut TenantTx, project: ProjectId) -> Result<Vec<(ImageId, RepositoryName)>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        "select id, full_name from repositories where tenant_id = $1 and project_id = $2 order by name",
        tenant.0,
        project.0
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(|r| Ok((r.id.into(), r.full_name.parse()?))).collect()
}

/// What a repository holds.
pub async fn holdings(tx: &mut TenantTx, repository: ImageId, image: &str) -> Result<Holdings> {
    let tenant = tx.tenant_id();
    let manifests = sqlx::query!(
        r#"select m.digest, m.subject_digest, m.last_pushed_at, m.untagged_at, m.last_pulled_at, m.temporary,
                  array(select l.digest from image_layer_blobs l
                        where l.tenant_id = $1 and l.manifest_id = m.id and l.kind = 'manifest') as "children!"
           from image_manifests m where m.tenant_id = $1 and m.repository_id = $2"#,
        tenant.0,
        repository.0
    )
    .fetch_all(&mut **tx)
    .await?;
    let tags = sqlx::query!(
        "select t.name, t.moved_at, m.digest
         from image_tags t join image_manifests m on m.tenant_id = $1 and m.id = t.manifest_id
         where t.tenant_id = $1 and t.repository_id = $2 order by t.name",
        tenant.0,
        repository.0
    )
    .fetch_all(&mut **tx)
    .await?;
    let manifests = manifests.into_iter().map(|r| {
        Ok(HeldManifest {
            digest: Digest::stored(&r.digest)?,
            subject: r.subject_digest.as_deref().map(Digest::stored).transpose()?,
            children: r.children.iter().map(|d| Digest::stored(d)).collect::<Result<_>>()?,
            last_pushed_at: r.last_pushed_at,
            untagged_at: r.untagged_at,
            last_pulled_at: r.last_pulled_at,
            temporary: r.temporary,
        })
    });
    let tags = tags
        .into_iter()
        .map(|r| Ok(HeldTag { name: r.name, digest: Digest::stored(&r.digest)?, moved_at: r.moved_at }));
    Ok(Holdings {
        image: image.to_owned(),
        manifests: manifests.collect::<Result<_>>()?,
        tags: tags.collect::<Result<_>>()?,
    })
}

/// Bytes of the blobs that the tenant's manifests need no longer once these have gone.
pub async fn freed_bytes(tx: &mut TenantTx, manifests: &[(ImageId, Digest)]) -> Result<u64> {
    let tenant = tx.tenant_id();
    let repositories: Vec<Uuid> = manifests.iter().map(|(r, _)| r.0).collect();
    let digests: Vec<Vec<u8>> = manifests.iter().map(|(_, d)| d.bytes().to_vec()).collect();
    let bytes = sqlx::query_scalar!(
        r#"with gone as (
               select m.id from unnest($2::uuid[], $3::bytea[]) as named (repository_id, digest)
               join image_manifests m
                   on m.tenant_id = $1 and m.repository_id = named.repository_id and m.digest = named.digest)
           select coalesce(sum(t.size_bytes), 0)::bigint as "bytes!" from tenant_blobs t
           where t.tenant_id = $1
             and t.digest in (select l.digest from gone join image_layer_blobs l
                                  on l.tenant_id = $1 and l.manifest_id = gone.id and l.kind <> 'manifest')
             and not exists (select from image_layer_blobs l
                             where l.tenant_id = $1 and l.digest = t.digest and l.kind <> 'manifest'
                               and l.manifest_id not in (select id from gone))"#,
        tenant.0,
        &repositories,
        &digests
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(unsigned(bytes))
}
