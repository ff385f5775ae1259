//! The people of the installation, governed by system administrators.

use crate::support::{PASSWORD, TestApp};
use image_factory::tenancy::access::{SystemRole, TenantRole};
use serde_json::json;

#[tokio::test]
async fn addresses_are_unique_in_any_case() {
    let app = TestApp::new().await;
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    let made = admin.post("/users", json!({"email": "Ann@Example.com", "name": "Ann"})).await.expect(201);
    assert_eq!(made["user"]["email"], "ann@example.com");
    admin.post("/users", json!({"email": "ANN@example.com", "name": "Ann"})).await.refused(409, "user.exists");
    let found = admin.get("/users?email=ANN@EXAMPLE.COM").await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(admin.post("/users", json!({"email": "ann", "name": ""})).await.faults(), ["/email wrong_format", "/name too_short"]);
}

#[tokio::test]
async fn disabling_a_person_ends_sessions_and_keys_at_once() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    let person = app.member(&acme, TenantRole::Developer).await;
    let key = person.post("/api-keys", json!({"name": "ci", "scopes": ["project:read"]})).await.expect(201);
    let machine = person.with_token(key["key"].as_str().unwrap());
    machine.get("/projects").await.expect(200);
    let path = format!("/users/{}", person.user_id.unwrap());
    assert_eq!(admin.patch(&path, json!({"status": "disabled"})).await.expect(200)["status"], "disabled");
    person.get("/me").await.refused(401, "auth.session_over");
    machine.get("/projects").await.refused(401, "auth.user_disabled");
    person.login(PASSWORD).await.refused(401, "auth.wrong_password");
    admin.patch(&path, json!({"status": "active"})).await.expect(200);
    person.login(PASSWORD).await.expect(200);
    machine.get("/projects").await.expect(200);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let app = TestApp::new().await;
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    let path = format!("/users/{}", admin.user_id.unwrap());
    admin.patch(&path, json!({"status": "disabled"})).await.refused(409, "user.last_administrator");
    admin.patch(&path, json!({"system_roles": ["auditor"]})).await.refused(409, "user.last_administrator");
    app.person(&[SystemRole::SystemAdmin]).await;
    admin.patch(&path, json!({"system_roles": ["auditor"]})).await.expect(200);
    admin.patch(&path, json!({"name": "x"})).await.refused(403, "access.denied");
}

#[tokio::test]
async fn an_administrator_signs_others_out_and_others_do_not() {
    let app = TestApp::new().await;
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    let (ann, bob) = (app.person(&[]).await, app.person(&[]).await);
    let path = format!("/users/{}/sessions", ann.user_id.unwrap());
    bob.delete(&path).await.refused(403, "access.denied");
    admin.delete(&path).await.expect(204);
    ann.get("/me").await.refused(401, "auth.session_over");
    admin.get("/users/nonsense").await.refused(404, "not_found");
    admin.get(&format!("/users/{}", uuid::Uuid::now_v7())).await.refused(404, "not_found");
}
