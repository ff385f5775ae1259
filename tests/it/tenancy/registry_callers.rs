//! What the registry asks of identity: basic credentials, and the present rights behind a token.

use crate::support::{PASSWORD, TestApp};
use image_factory::kernel::Actor;
use image_factory::tenancy::access::{Permission, RequestInfo, TenantRole};
use serde_json::json;

#[tokio::test]
async fn a_password_or_an_api_key_opens_the_tenant_that_is_named_and_theirs() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    app.tenant("umbrella").await;
    let person = app.member(&acme, TenantRole::Developer).await;
    let key = person.post("/api-keys", json!({"name": "ci", "scopes": ["image:pull"]})).await.expect(201);
    let key = key["key"].as_str().unwrap();
    let identity = &app.app.identity;
    let basic = async |name: &str, password: &str, tenant: Option<&str>| {
        identity.authenticate_basic(name, password, tenant, RequestInfo::default()).await
    };
    let caller = basic(&person.email, PASSWORD, Some("acme")).await.unwrap();
    assert_eq!(caller.actor, Actor::User(person.user_id.unwrap()));
    assert!(caller.has(Permission::ImagePush));
    let caller = basic("whatever", key, Some("acme")).await.unwrap();
    assert!(caller.has(Permission::ImagePull) && !caller.has(Permission::ImagePush), "the key's scopes");
    assert!(basic(&person.email, PASSWORD, Some("umbrella")).await.unwrap().tenant.is_none());
    assert!(basic("whatever", key, Some("umbrella")).await.unwrap().tenant.is_none());
    assert_eq!(basic(&person.email, PASSWORD, None).await.unwrap().tenant.unwrap().slug, "acme");
    assert_eq!(basic(&person.email, "wrong password", None).await.unwrap_err().code(), "auth.wrong_password");
    assert_eq!(basic("x", "ifk_no_no", None).await.unwrap_err().code(), "auth.invalid_key");
}

#[tokio::test]
async fn many_pulls_at_once_with_the_right_password_are_not_guesses() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let person = app.member(&acme, TenantRole::Developer).await;
    let pulls = (0..60).map(|_| app.app.identity.authenticate_basic(&person.email, PASSWORD, None, RequestInfo::default()));
    for caller in futures::future::join_all(pulls).await {
        assert!(caller.is_ok(), "{:?}", caller.unwrap_err());
    }
}

#[tokio::test]
async fn a_token_already_issued_follows_the_present_rights() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let person = app.member(&acme, TenantRole::Developer).await;
    let actor = Actor::User(person.user_id.unwrap());
    let identity = &app.app.identity;
    let rights = async || identity.caller_of(&actor, "acme").await.unwrap();
    assert!(rights().await.unwrap().has(Permission::ImagePush));
    let path = format!("/tenants/acme/members/{}", person.user_id.unwrap());
    owner.patch(&path, json!({"role": "viewer"})).await.expect(200);
    assert!(!rights().await.unwrap().has(Permission::ImagePush));
    owner.delete(&path).await.expect(204);
    assert!(rights().await.is_none());

    let key = owner.post("/api-keys", json!({"name": "ci", "scopes": ["image:pull"]})).await.expect(201);
    let id = key["api_key"]["id"].as_str().unwrap();
    let actor = Actor::ApiKey(id.parse().unwrap());
    assert!(identity.caller_of(&actor, "acme").await.unwrap().unwrap().has(Permission::ImagePull));
    owner.delete(&format!("/api-keys/{id}")).await.expect(204);
    assert!(identity.caller_of(&actor, "acme").await.unwrap().is_none());
    assert!(identity.caller_of(&Actor::Anonymous, "acme").await.unwrap().is_none());
}
