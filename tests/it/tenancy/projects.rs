//! Projects: who may do what with them, and what their settings and secrets promise.

use crate::support::TestApp;
use image_factory::tenancy::access::TenantRole;
use serde_json::json;

#[tokio::test]
async fn an_owner_makes_a_project_and_a_viewer_sees_it() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let viewer = app.member(&acme, TenantRole::Viewer).await;
    let reply = owner.post("/projects", json!({"slug": "hello", "description": "Says hello"})).await;
    assert!(reply.header("location").starts_with("/api/v1/projects/"), "{reply:?}");
    let made = reply.expect(201);
    assert_eq!(made["name"], "hello", "the slug is the name of a project without one");
    for id in [made["id"].as_str().unwrap(), "hello"] {
        assert_eq!(viewer.get(&format!("/projects/{id}")).await.expect(200), made);
    }
    viewer.post("/projects", json!({"slug": "other"})).await.refused(403, "access.denied");
    owner.post("/projects", json!({"slug": "hello"})).await.refused(409, "project.exists");
}
