//! API keys: never more than their scopes, never more than their owner.

use crate::support::{Client, TestApp};
use chrono::Duration;
use image_factory::tenancy::access::{SystemRole, TenantRole};
use serde_json::{Value, json};

async fn key(client: &Client, body: Value) -> (String, Client) {
    let made = client.post("/api-keys", body).await.expect(201);
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with(&format!("ifk_{}_", made["api_key"]["prefix"].as_str().unwrap())), "{key}");
    (made["api_key"]["id"].as_str().unwrap().to_owned(), client.with_token(key))
}

#[tokio::test]
async fn a_key_may_do_what_its_scopes_say_as_long_as_its_owner_may() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let admin = app.member(&acme, TenantRole::Admin).await;
    let (_, machine) = key(&admin, json!({"name": "ci", "scopes": ["project:read", "project:create"]})).await;
    machine.post("/projects", json!({"slug": "hello"})).await.expect(201);
    machine.get("/audit-events").await.refused(403, "access.denied");
    let me = machine.get("/me").await.expect(200);
    assert_eq!(me["tenant"]["permissions"], json!(["project:read", "project:create"]));

    let path = format!("/tenants/acme/members/{}", admin.user_id.unwrap());
    owner.patch(&path, json!({"role": "viewer"})).await.expect(200);
    machine.get("/projects/hello").await.expect(200);
    machine.post("/projects", json!({"slug": "other"})).await.refused(403, "access.denied");
    owner.delete(&path).await.expect(204);
    machine.get("/projects/hello").await.refused(401, "auth.invalid_key");
}

#[tokio::test]
async fn nobody_makes_a_key_that_may_more_than_themselves() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let viewer = app.member(&acme, TenantRole::Viewer).await;
    let faults = viewer.post("/api-keys", json!({"name": "x", "scopes": ["build:read", "build:create"]})).await.faults();
    assert_eq!(faults, ["/scopes/1 not_yours"]);
    let body = json!({"name": "x", "scopes": ["build:read"], "expires_at": "2001-01-01T00:00:00Z"});
    assert_eq!(viewer.post("/api-keys", body).await.faults(), ["/expires_at in_the_past"]);
    assert_eq!(viewer.post("/api-keys", json!({"name": "x", "scopes": ["build:dance"]})).await.status, 422);
    let body = json!({"name": "x", "scopes": ["build:read"], "project_id": uuid::Uuid::now_v7()});
    assert_eq!(viewer.post("/api-keys", body).await.faults(), ["/project_id not_found"]);
    // A key makes no keys, so an expiry cannot be escaped.
    let (_, machine) = key(&viewer, json!({"name": "ci", "scopes": ["api_key:manage"]})).await;
    machine.post("/api-keys", json!({"name": "y", "scopes": ["api_key:manage"]})).await.refused(403, "access.person_required");
}

#[tokio::test]
async fn a_key_of_one_project_sees_no_other() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let one = owner.post("/projects", json!({"slug": "one"})).await.expect(201)["id"].clone();
    owner.post("/projects", json!({"slug": "two"})).await.expect(201);
    let body = json!({"name": "ci", "scopes": ["project:read", "project:update"], "project_id": one});
    let (_, machine) = key(&owner, body).await;
    machine.patch("/projects/one", json!({"name": "One"})).await.expect(200);
    machine.get("/projects/two").await.refused(404, "not_found");
    let listed = machine.get("/projects").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    machine.get("/tenants/acme").await.refused(403, "access.denied");
}

#[tokio::test]
async fn a_key_ends_when_it_expires_or_is_revoked() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let viewer = app.member(&acme, TenantRole::Viewer).await;
    let (id, revoked) = key(&viewer, json!({"name": "a", "scopes": ["project:read"]})).await;
    revoked.get("/projects").await.expect(200);
    viewer.delete(&format!("/api-keys/{id}")).await.expect(204);
    viewer.delete(&format!("/api-keys/{id}")).await.expect(204);
    revoked.get("/projects").await.refused(401, "auth.invalid_key");

    let at = app.app.clock.now() + Duration::minutes(5);
    let (_, brief) = key(&viewer, json!({"name": "b", "scopes": ["project:read"], "expires_at": at})).await;
    app.app.clock.advance(Duration::minutes(6));
    brief.get("/projects").await.refused(401, "auth.invalid_key");
}

#[tokio::test]
async fn a_key_works_in_its_own_tenant_alone() {
    let app = TestApp::new().await;
    let (acme, umbrella) = (app.tenant("acme").await, app.tenant("umbrella").await);
    let both = app.member(&acme, TenantRole::Owner).await;
    let new = image_factory::tenancy::tenants::NewMember {
        email: both.email.clone(),
        name: String::new(),
        role: TenantRole::Owner,
    };
    app.app.tenants.add_member(&app.system(&umbrella), new).await.unwrap();
    let (_, machine) = key(&both.in_tenant("acme"), json!({"name": "ci", "scopes": ["project:read"]})).await;
    let machine = Client { tenant: None, ..machine };
    machine.get("/projects").await.expect(200);
    machine.in_tenant("acme").get("/projects").await.expect(200);
    machine.in_tenant("umbrella").get("/projects").await.refused(404, "not_found");
}

#[tokio::test]
async fn the_key_of_an_administrator_carries_no_system_role() {
    let app = TestApp::new().await;
    app.tenant("acme").await;
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    let (_, machine) = key(&admin.in_tenant("acme"), json!({"name": "ci", "scopes": ["project:create"]})).await;
    machine.post("/projects", json!({"slug": "hello"})).await.expect(201);
    machine.get("/users").await.refused(403, "access.denied");
    machine.get("/projects?all_tenants=true").await.refused(403, "access.denied");
}

#[tokio::test]
async fn people_see_their_own_keys_and_those_who_manage_members_see_all() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let (ann, bob) = (app.member(&acme, TenantRole::Viewer).await, app.member(&acme, TenantRole::Viewer).await);
    let (id, _) = key(&ann, json!({"name": "of ann", "scopes": ["project:read"]})).await;
    let path = format!("/api-keys/{id}");
    let names = async |client: &Client| client.get("/api-keys").await.expect(200)["items"].as_array().unwrap().len();
    assert_eq!((names(&ann).await, names(&bob).await, names(&owner).await), (1, 0, 1));
    bob.get(&path).await.refused(404, "not_found");
    bob.delete(&path).await.refused(404, "not_found");
    let shown = ann.get(&path).await.expect(200);
    assert!(shown.get("key").is_none() && shown.get("secret_fingerprint").is_none(), "{shown}");
    owner.delete(&path).await.expect(204);
}

#[tokio::test]
async fn the_last_use_is_noted_to_the_minute() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let viewer = app.member(&acme, TenantRole::Viewer).await;
    let (id, machine) = key(&viewer, json!({"name": "ci", "scopes": ["project:read"]})).await;
    let used = async || viewer.get(&format!("/api-keys/{id}")).await.expect(200)["last_used_at"].clone();
    assert!(used().await.is_null());
    machine.get("/projects").await.expect(200);
    let first = used().await;
    assert!(first.is_string());
    app.app.identity.users().rights_changed();
    machine.get("/projects").await.expect(200);
    assert_eq!(used().await, first, "not written again within the minute");
    app.app.clock.advance(Duration::seconds(61));
    app.app.identity.users().rights_changed();
    machine.get("/projects").await.expect(200);
    assert_ne!(used().await, first);
}
