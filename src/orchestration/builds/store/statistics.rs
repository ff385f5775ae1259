//! SQL that counts builds. Everything is bounded: by 30 days, and by [`AT_MOST`] where a queue may be long.

use crate::kernel::Result;
use crate::kernel::ids::{ProjectId, TenantId};
use crate::orchestration::builds::model::report::{DayStatistics, PeriodStatistics, Statistics};
use sqlx::PgConnection;
use uuid::Uuid;

/// No more are counted.
const AT_MOST: i64 = 10_000;

/// How the builds of these projects have been going; of all of the tenant when none are given.
pub async fn statistics(tx: &mut PgConnection, tenant: TenantId, projects: Option<&[ProjectId]>) -> Result<Statistics> {
    let projects: Option<Vec<Uuid>> = projects.map(|p| p.iter().map(|id| id.0).collect());
    let now = sqlx::query!(
        r#"select (select count(*) from (select from builds where tenant_id = $1 and status = 'running'
                   and ($2::uuid[] is null or project_id = any ($2)) limit $3) r) as "running!",
                  (select count(*) from (select from builds where tenant_id = $1 and status = 'queued'
                   and ($2::uuid[] is null or project_id = any ($2)) limit $3) q) as "queued!""#,
        tenant.0,
        projects.as_deref(),
        AT_MOST
    )
    .fetch_one(&mut *tx)
    .await?;
    let days = sqlx::query_as!(
        DayStatistics,
        r#"select (completed_at at time zone 'UTC')::date as "day!",
                  count(*) filter (where status = 'completed') as "completed!",
                  count(*) filter (where status = 'failed') as "failed!",
                  count(*) filter (where status = 'cancelled') as "cancelled!"
           from builds
           where tenant_id = $1 and completed_at >= now() - interval '30 days'
             and ($2::uuid[] is null or project_id = any ($2))
           group by 1 order by 1"#,
        tenant.0,
        projects.as_deref()
    )
    .fetch_all(&mut *tx)
    .await?;
    let periods = sqlx::query_as!(
        PeriodStatistics,
        r#"select p.days as "days!",
                  count(*) filter (where b.status = 'completed') as "completed!",
                  count(*) filter (where b.status = 'failed') as "failed!",
                  (1000 * percentile_disc(0.5) within group (order by extract(epoch from b.completed_at - b.started_at))
                      filter (where b.status = 'completed'))::bigint as median_ms
           from (values (7), (30)) p (days)
           left join builds b on b.tenant_id = $1 and b.completed_at >= now() - make_interval(days => p.days)
                             and ($2::uuid[] is null or b.project_id = any ($2))
           group by 1 order by 1"#,
        tenant.0,
        projects.as_deref()
    )
    .fetch_all(tx)
    .await?;
    Ok(Statistics { running: now.running, queued: now.queued, days, periods })
}
