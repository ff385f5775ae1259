//! How builds have been going, in numbers.

use crate::support::TestApp;
use image_factory::tenancy::access::TenantRole;
use serde_json::{Value, json};

#[tokio::test]
async fn statistics_count_days_and_periods_of_the_projects_that_the_caller_sees() {
    let app = TestApp::new().await;
    let tenant = app.tenant("acme").await;
    let owner = app.member(&tenant, TenantRole::Owner).await;
    for slug in ["one", "two"] {
        owner.post("/projects", json!({"slug": slug, "name": slug})).await.expect(201);
    }
    let mut db = app.database.connect().await;
    // Each day back: one that took n + 1 seconds, and in the first week one that failed; today one is queued.
    sqlx::query(
        "insert into builds (id, tenant_id, project_id, build_number, status, build_method, priority, image_name, image_tags,
                             source, timeout_seconds, created_at, queued_at, started_at, completed_at)
         select gen_random_uuid(), p.tenant_id, p.id, n * 2 + x, x.status, 'docker', 0, 'i', '{}', '{\"dockerfile\": \"FROM scratch\"}',
                60, t, t, case when x.status <> 'queued' then t end,
                case when x.status <> 'queued' then t + make_interval(secs => n + 1) end
         from projects p cross join generate_series(0, 59) n
         cross join lateral (values (0, 'completed'), (1, 'failed'), (500, 'queued')) x (x, status)
         cross join lateral (select now() - make_interval(days => n, secs => 120) as t) t
         where x.status = 'completed' or (x.status = 'failed' and n < 7) or (x.status = 'queued' and n = 0)",
    )
    .execute(&mut db)
    .await
    .unwrap();
    let period = |of: &Value, days: i64| {
        let periods = of["periods"].as_array().unwrap();
        let found = periods.iter().find(|p| p["days"] == days).unwrap();
        (found["completed"].as_i64().unwrap(), found["failed"].as_i64().unwrap(), found["median_ms"].as_i64())
    };
    let both = owner.get("/builds/statistics").await.expect(200);
    assert_eq!((both["running"].as_i64(), both["queued"].as_i64()), (Some(0), Some(2)));
    assert_eq!(period(&both, 7), (14, 14, Some(4000)));
    assert_eq!(period(&both, 30), (60, 14, Some(15_000)));
    assert!((30..=31).contains(&both["days"].as_array().unwrap().len()));
    let one = owner.get("/builds/statistics?project=one").await.expect(200);
    assert_eq!(period(&one, 7), (7, 7, Some(4000)));
    owner.get("/builds/statistics?project=three").await.expect(404);
    owner.get("/builds/statistics?status=failed").await.expect(422);

    let guest = app.member(&tenant, TenantRole::Viewer).await;
    guest.get("/builds/statistics").await.expect(200);
    let stranger = app.tenant("other").await;
    let nothing = app.member(&stranger, TenantRole::Owner).await.get("/builds/statistics").await.expect(200);
    assert_eq!((period(&nothing, 30), nothing["queued"].as_i64()), ((0, 0, None), Some(0)));
}
