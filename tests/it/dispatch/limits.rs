//! Two dispatchers on one database: no build runs twice at the same time, no limit is ever exceeded. Asserted from the
//! history that the executions leave, not from a counter.

use super::{app, dispatcher, new_build, tenant};
use crate::sim::executor::NoOp;
use crate::support::TestDb;
use chrono::{DateTime, Utc};
use image_factory::kernel::ids::{BuildId, TenantId};
use image_factory::orchestration::methods::Method;
use image_factory::platform::tasks::Tasks;
use image_factory::tenancy::access::Caller;
use sqlx::Row;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const TENANTS: usize = 20;
const BUILDS_PER_TENANT: usize = 10;

/// From when to when something ran, by what it was.
type Spans = BTreeMap<String, Vec<(DateTime<Utc>, DateTime<Utc>)>>;

/// The most intervals that hold at the same time; an end and a start at the same microsecond do not overlap.
fn most_at_once(intervals: &[(DateTime<Utc>, DateTime<Utc>)]) -> usize {
    let mut edges: Vec<(DateTime<Utc>, i32)> =
        intervals.iter().flat_map(|(from, to)| [(*from, 1), (*to, -1)]).collect();
    edges.sort();
    let (mut now, mut most) = (0, 0);
    for (_, step) in edges {
        now += step;
        most = most.max(now);
    }
    usize::try_from(most).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_dispatchers_run_every_build_once_and_never_exceed_a_limit() {
    let (db, tasks) = (TestDb::new().await, Tasks::default());
    let app = app(&db, &tasks).await;
    let mut tenants = Vec::new();
    for n in 0..TENANTS {
        let caller = tenant(&app, n).await;
        for b in 0..BUILDS_PER_TENANT {
            let method = if b % 3 == 0 { Method::Kaniko } else { Method::Docker };
            let project = if b % 2 == 0 { "one" } else { "two" };
            app.builds.create(&caller, project, BuildId::new(), new_build(method)).await.unwrap();
        }
        tenants.push(caller.tenant().unwrap().id);
    }
    let executor = Arc::new(NoOp::default());
    dispatcher(&app, &executor, &tasks);
    dispatcher(&app, &executor, &tasks);

    let mut watch = db.connect().await;
    let total = i64::try_from(TENANTS * BUILDS_PER_TENANT).unwrap();
    for _ in 0..1200 {
        let done: i64 = sqlx::query_scalar("select count(*) from builds where status = 'completed'")
            .fetch_one(&mut watch)
            .await
            .unwrap();
        if done == total {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(executor.started(), TENANTS * BUILDS_PER_TENANT, "every build was started once");
    assert!(tasks.shutdown(Duration::from_secs(20)).await);

    let rows = sqlx::query(
        "select b.tenant_id, b.project_id, b.build_method, b.id, e.status, e.started_at, e.finished_at, e.worker_id
         from build_executions e join builds b on b.id = e.build_id where b.status = 'completed'",
    )
    .fetch_all(&mut watch)
    .await
    .unwrap();
    assert_eq!(i64::try_from(rows.len()).unwrap(), total, "one execution each");
    let (mut by_tenant, mut by_project, mut by_method) = (Spans::new(), Spans::new(), Spans::new());
    for row in &rows {
        let uuid = |name: &str| row.get::<uuid::Uuid, _>(name).to_string();
        let span = (row.get("started_at"), row.get("finished_at"));
        assert_eq!(row.get::<String, _>("status"), "succeeded");
        by_tenant.entry(uuid("tenant_id")).or_default().push(span);
        by_project.entry(uuid("project_id")).or_default().push(span);
        if row.get::<String, _>("build_method") == "kaniko" {
            by_method.entry(uuid("tenant_id")).or_default().push(span);
        }
    }
    assert_eq!(by_tenant.len(), TENANTS);
    for (what, spans, limit) in [("tenant", &by_tenant, 2), ("project", &by_project, 1), ("method", &by_method, 1)] {
        for (id, spans) in spans {
            assert!(most_at_once(spans) <= limit, "{what} {id}: {} at once", most_at_once(spans));
        }
    }
    let workers: i64 = sqlx::query_scalar("select count(distinct worker_id) from build_executions")
        .fetch_one(&mut watch)
        .await
        .unwrap();
    assert_eq!(workers, 2, "both dispatchers took part");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_queue_of_one_tenant_does_not_hold_up_the_others() {
    let (db, tasks) = (TestDb::new().await, Tasks::default());
    let app = app(&db, &tasks).await;
    let big = tenant(&app, 0).await;
    for _ in 0..60 {
        app.builds.create(&big, "one", BuildId::new(), new_build(Method::Docker)).await.unwrap();
    }
    let small: Vec<Caller> = futures::future::join_all((1..6).map(|n| tenant(&app, n))).await;
    let mut last: Vec<(TenantId, image_factory::kernel::ids::BuildId)> = Vec::new();
    for caller in &small {
        let build = app.builds.create(caller, "one", BuildId::new(), new_build(Method::Docker)).await.unwrap();
        last.push((build.tenant_id, build.id));
    }
    let executor = Arc::new(NoOp::default());
    dispatcher(&app, &executor, &tasks);
    let mut watch = db.connect().await;
    for _ in 0..1200 {
        let left: i64 = sqlx::query_scalar("select count(*) from builds where status <> 'completed'")
            .fetch_one(&mut watch)
            .await
            .unwrap();
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(tasks.shutdown(Duration::from_secs(20)).await);
    let order: Vec<uuid::Uuid> = sqlx::query_scalar("select tenant_id from build_executions order by started_at")
        .fetch_all(&mut watch)
        .await
        .unwrap();
    assert_eq!(order.len(), 65);
    for (tenant, _) in &last {
        let place = order.iter().position(|t| *t == tenant.0).unwrap();
        assert!(place < 12, "tenant {tenant} was served at place {place}");
    }
}
