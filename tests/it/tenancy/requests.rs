//! What every request of the API may rely on: all faults at once, unknown parameters, idempotency, limits.

use crate::support::TestApp;
use image_factory::tenancy::access::{SystemRole, TenantRole};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn all_faults_of_a_body_are_told_at_once() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let body = json!({"slug": "-No-", "name": 7, "nmae": "x", "description": "x".repeat(2001)});
    assert_eq!(
        owner.post("/projects", body).await.faults(),
        ["/description too_long", "/name wrong_type", "/nmae unknown_field", "/slug wrong_format"]
    );
    owner.post("/projects", json!({})).await.faults().iter().for_each(|f| assert_eq!(f, "/slug required"));
    let broken = owner.request(Method::POST, "/projects").header("content-type", "application/json").body("{");
    owner.send(broken).await.refused(400, "request.json");
    let form = owner.request(Method::POST, "/projects").body("slug=a");
    owner.send(form).await.refused(415, "request.media_type");
    owner.post("/projects", json!({"slug": "hello", "description": "a\u{0}b"})).await.expect(422);
    let huge = owner.request(Method::POST, "/projects").header("content-type", "application/json");
    owner.send(huge.body("x".repeat(2 * 1024 * 1024))).await.refused(413, "request.too_large");
}

#[tokio::test]
async fn unknown_query_parameters_are_refused() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    owner.get("/projects?limit=5").await.expect(200);
    for query in ["colour=blue", "limit=0", "limit=201", "limit=x", "cursor=%25", "status=lost"] {
        owner.get(&format!("/projects?{query}")).await.expect(422);
    }
    owner.get("/audit-events?from=yesterday").await.expect(422);
}

#[tokio::test]
async fn the_same_key_and_body_give_the_first_answer_again() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let other = app.member(&acme, TenantRole::Admin).await;
    let create = async |client: &crate::support::Client, slug: &str| {
        let request = client.request(Method::POST, "/projects").header("Idempotency-Key", "once");
        client.send(request.json(&json!({"slug": slug}))).await
    };
    let first = create(&owner, "hello").await;
    let again = create(&owner, "hello").await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!((first.header("location"), first.header("etag")), (again.header("location"), again.header("etag")));
    assert_eq!(first.expect(201), again.expect(201));
    create(&owner, "other").await.refused(422, "idempotency.mismatch");
    // Somebody else's key of the same text is another key.
    create(&other, "hello").await.refused(409, "project.exists");
    let items = owner.get("/projects").await.expect(200)["items"].as_array().unwrap().len();
    assert_eq!(items, 1);
}

#[tokio::test]
async fn one_person_may_use_one_key_in_two_tenants() {
    let app = TestApp::new().await;
    for slug in ["acme", "umbrella"] {
        app.tenant(slug).await;
    }
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    let mut ids = Vec::new();
    for slug in ["acme", "umbrella"] {
        let client = admin.in_tenant(slug);
        let request = client.request(Method::POST, "/projects").header("Idempotency-Key", "once");
        ids.push(client.send(request.json(&json!({"slug": "hello"}))).await.expect(201)["id"].clone());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_kept_answer_is_not_readable_in_the_database() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let body = json!({"name": "ci", "scopes": ["build:read"]});
    let create = || owner.send(owner.request(Method::POST, "/api-keys").header("Idempotency-Key", "k").json(&body));
    let key = create().await.expect(201)["key"].as_str().unwrap().to_owned();
    assert_eq!(create().await.expect(201)["key"], key);
    let mut c = app.database.connect().await;
    let kept: Vec<u8> =
        sqlx::query_scalar("select body from idempotency_keys where key = 'k'").fetch_one(&mut c).await.unwrap();
    assert!(!kept.windows(key.len()).any(|w| w == key.as_bytes()), "the key is encrypted");
}

#[tokio::test]
async fn a_tenant_that_asks_too_often_is_told_when_to_come_back_and_disturbs_nobody() {
    let app = TestApp::new().await;
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    let (busy, quiet) = (app.tenant("busy").await, app.tenant("quiet").await);
    let mut quota = admin.get("/tenants/busy/quota").await.expect(200);
    quota["requests_per_second"] = json!(1);
    admin.put("/tenants/busy/quota", quota).await.expect(200);
    let loud = app.member(&busy, TenantRole::Viewer).await;
    let calm = app.member(&quiet, TenantRole::Viewer).await;
    let mut refused = None;
    for _ in 0..20 {
        let reply = loud.get("/projects").await;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
    }
    let reply = refused.expect("the twentieth request in a row is over the limit");
    assert!(reply.header("retry-after").parse::<u32>().unwrap() >= 1);
    reply.refused(429, "rate_limited");
    calm.get("/projects").await.expect(200);
}

#[tokio::test]
async fn requests_without_credentials_reach_public_routes_alone() {
    let app = TestApp::new().await;
    let nobody = app.anonymous();
    let reply = nobody.get("/projects").await;
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    assert!(!reply.header("x-request-id").is_empty());
    reply.refused(401, "auth.required");
    nobody.with_token("nonsense").get("/projects").await.refused(401, "auth.invalid_token");
    nobody.with_token("ifk_abc_def").get("/projects").await.refused(401, "auth.invalid_key");
    let basic = nobody.request(Method::GET, "/projects").basic_auth("a", Some("b"));
    nobody.send(basic).await.refused(401, "auth.scheme");
    nobody.get("/openapi.json").await.expect(200);
    nobody.get("/nothing").await.refused(404, "not_found");
}
