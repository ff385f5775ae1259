//! The audit trail: complete, append-only, and telling when somebody touched it.

use crate::support::{TestApp, TestDb};
use image_factory::tenancy::access::{SystemRole, TenantRole};
use image_factory::tenancy::audit;
use serde_json::json;
use sqlx::PgConnection;

async fn with_history() -> TestApp {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    for slug in ["one", "two", "three"] {
        owner.post("/projects", json!({"slug": slug})).await.expect(201);
    }
    app
}

/// As the one who holds the database: past the trigger.
async fn tamper(database: &TestDb, sql: &'static str) {
    let mut c = database.connect().await;
    for statement in ["alter table audit_events disable trigger user", sql, "alter table audit_events enable trigger user"] {
        sqlx::query(statement).execute(&mut c).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
}

async fn faults(app: &TestApp) -> Vec<String> {
    let verification = audit::verify(&app.app.db).await.unwrap();
    assert_eq!(verification.is_intact(), verification.chains.iter().all(|c| c.fault.is_none()));
    verification.chains.iter().filter_map(|c| c.fault.as_ref().map(|f| f.what.to_owned())).collect()
}

#[tokio::test]
async fn an_untouched_trail_verifies() {
    let app = with_history().await;
    let verification = audit::verify(&app.app.db).await.unwrap();
    assert!(verification.is_intact(), "{verification}");
    assert_eq!(verification.chains.len(), 2, "the tenant's and the installation's: {verification}");
    assert!(verification.chains.iter().all(|c| c.events >= 2), "{verification}");
}

#[tokio::test]
async fn a_changed_row_shows() {
    let app = with_history().await;
    tamper(&app.database, "update audit_events set actor = 'user:somebody-else' where action = 'project.created' and after->>'slug' = 'two'").await;
    assert_eq!(faults(&app).await, ["the event was changed"]);
}

#[tokio::test]
async fn a_changed_detail_shows() {
    let app = with_history().await;
    tamper(&app.database, "update audit_events set after = after || '{\"name\": \"x\"}' where action = 'project.created' and after->>'slug' = 'one'").await;
    assert_eq!(faults(&app).await, ["the event was changed"]);
}

#[tokio::test]
async fn a_removed_row_shows() {
    let app = with_history().await;
    tamper(&app.database, "delete from audit_events where action = 'project.created' and after->>'slug' = 'two'").await;
    assert_eq!(faults(&app).await, ["the event is missing"]);
}

#[tokio::test]
async fn a_trail_cut_off_at_the_end_shows() {
    let app = with_history().await;
    tamper(&app.database, "delete from audit_events where action = 'project.created' and after->>'slug' = 'three'").await;
    assert_eq!(faults(&app).await, ["the event is missing"]);
}

#[tokio::test]
async fn a_chain_without_its_end_shows() {
    let app = with_history().await;
    tamper(&app.database, "delete from audit_chains where tenant_id <> '00000000-0000-0000-0000-000000000000'").await;
    assert_eq!(faults(&app).await, ["the recorded end of the chain is gone"]);
}

#[tokio::test]
async fn rows_are_append_only_even_for_the_owner_of_the_table() {
    let app = with_history().await;
    let mut c = app.database.connect().await;
    for statement in ["update audit_events set actor = 'x'", "delete from audit_events", "truncate audit_events"] {
        let refused = sqlx::query(statement).execute(&mut c).await.expect_err(statement);
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
    for role in ["image_factory_tenant", "image_factory_system"] {
        let may: bool = sqlx::query_scalar("select has_table_privilege($1, 'audit_events', 'update, delete, truncate')")
            .bind(role)
            .fetch_one(&mut c)
            .await
            .unwrap();
        assert!(!may, "{role}");
    }
}

#[tokio::test]
async fn changes_at_the_same_time_leave_one_chain_without_gaps() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let makes = (0..20).map(|n| {
        let owner = owner.clone();
        async move { owner.post("/projects", json!({"slug": format!("p{n:02}")})).await.expect(201) }
    });
    futures::future::join_all(makes).await;
    let verification = audit::verify(&app.app.db).await.unwrap();
    assert!(verification.is_intact(), "{verification}");
}

#[tokio::test]
async fn the_trail_says_who_did_what_from_where_and_what_changed() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let made = owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    let reply = owner.patch("/projects/hello", json!({"name": "Hello, world"})).await;
    let request = reply.header("x-request-id").to_owned();
    reply.expect(200);
    let trail = owner.get("/audit-events?action=project.updated").await.expect(200);
    let event = &trail["items"][0];
    assert_eq!(event["actor"], format!("user:{}", owner.user_id.unwrap()));
    assert_eq!(event["resource"], format!("project:{}", made["id"].as_str().unwrap()));
    assert_eq!((event["before"]["name"].as_str(), event["after"]["name"].as_str()), (Some("hello"), Some("Hello, world")));
    assert_eq!((event["ip"].as_str(), event["request_id"].as_str()), (Some("127.0.0.1"), Some(request.as_str())));

    let all = owner.get("/audit-events").await.expect(200);
    let sequences: Vec<_> = all["items"].as_array().unwrap().iter().map(|e| e["sequence"].as_i64().unwrap()).collect();
    assert!(sequences.windows(2).all(|w| w[0] == w[1] + 1), "newest first, without gaps: {sequences:?}");
    let filter = format!("/audit-events?actor=user:{}&limit=1", owner.user_id.unwrap());
    assert!(owner.get(&filter).await.expect(200)["next_cursor"].is_string());
    let admin = app.person(&[SystemRole::Auditor]).await;
    let across = admin.get("/audit-events?all_tenants=true&action=session.created").await.expect(200);
    assert_eq!(across["items"].as_array().unwrap().len(), 2);
    assert!(across["items"][0]["tenant_id"].is_null());
}

#[tokio::test]
async fn facts_are_published_in_the_transaction_that_makes_them_true() {
    let app = with_history().await;
    let mut c: PgConnection = app.database.connect().await;
    let kinds: Vec<String> =
        sqlx::query_scalar("select type from events order by transaction_id, id").fetch_all(&mut c).await.unwrap();
    assert_eq!(kinds.iter().filter(|k| *k == "project.created").count(), 3, "{kinds:?}");
    for kind in ["tenant.created", "user.created", "member.added"] {
        assert!(kinds.iter().any(|k| k == kind), "{kind}: {kinds:?}");
    }
    let before = kinds.len();
    let tenant = app.app.tenants.slug_to_id("acme").await.unwrap().unwrap();
    let caller = image_factory::tenancy::access::Caller::system("test", Some((tenant, "acme".into())));
    let new = image_factory::tenancy::projects::NewProject { slug: "one".into(), name: String::new(), description: String::new() };
    app.app.projects.create(&caller, new).await.expect_err("the slug is taken");
    let after: i64 = sqlx::query_scalar("select count(*) from events").fetch_one(&mut c).await.unwrap();
    assert_eq!(usize::try_from(after).unwrap(), before);
}
