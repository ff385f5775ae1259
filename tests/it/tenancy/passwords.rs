//! Passwords: first ones, forced changes, own changes.

use crate::support::{PASSWORD, TestApp};
use image_factory::kernel::secret::Keyring;
use image_factory::tenancy::access::{SystemRole, TenantRole};
use serde_json::json;

const FIRST: &str = "first password of all";

#[tokio::test]
async fn the_first_administrator_comes_from_the_configuration_and_must_change_the_password() {
    let app = TestApp::with(|c| {
        c.identity.bootstrap_email = "Root@Example.com".into();
        c.identity.bootstrap_password = FIRST.into();
    })
    .await;
    let mut root = app.anonymous();
    root.email = "root@example.com".into();
    let session = root.login(FIRST).await.expect(200);
    assert_eq!(session["user"]["must_change_password"], true);
    let root = root.with_token(session["access_token"].as_str().unwrap());
    for path in ["/tenants", "/users", "/projects"] {
        root.get(path).await.refused(403, "password_change_required");
    }
    root.get("/me").await.expect(200);
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    let wrong = root.post("/me/password", change("not the password", PASSWORD)).await;
    assert_eq!(wrong.faults(), ["/current_password wrong_password"]);
    assert_eq!(root.post("/me/password", change(FIRST, FIRST)).await.faults(), ["/new_password unchanged"]);
    assert_eq!(root.post("/me/password", change(FIRST, "short")).await.faults(), ["/new_password too_short"]);
    root.post("/me/password", change(FIRST, PASSWORD)).await.expect(204);
    root.get("/tenants").await.expect(200);
    root.login(FIRST).await.refused(401, "auth.wrong_password");
    root.login(PASSWORD).await.expect(200);

    // A second start makes nobody new and leaves the password alone.
    app.app.identity.bootstrap().await.unwrap();
    root.login(PASSWORD).await.expect(200);
}

#[tokio::test]
async fn changing_the_password_ends_every_other_session() {
    let app = TestApp::new().await;
    let here = app.person(&[]).await;
    let elsewhere = here.with_token(here.login(PASSWORD).await.expect(200)["access_token"].as_str().unwrap());
    elsewhere.get("/me").await.expect(200);
    let body = json!({"current_password": PASSWORD, "new_password": "another long password"});
    here.post("/me/password", body).await.expect(204);
    here.get("/me").await.expect(200);
    elsewhere.get("/me").await.refused(401, "auth.session_over");
}

#[tokio::test]
async fn a_one_time_password_is_shown_once_and_opens_only_the_way_to_a_new_one() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let body = json!({"email": "New.Person@Example.com", "name": "New Person", "role": "developer"});
    let added = owner.post("/tenants/acme/members", body).await.expect(201);
    let password = added["one_time_password"].as_str().unwrap();
    let mut person = app.anonymous();
    person.email = "new.person@example.com".into();
    let session = person.login(password).await.expect(200);
    let person = person.with_token(session["access_token"].as_str().unwrap());
    person.get("/projects").await.refused(403, "password_change_required");
    let change = json!({"current_password": password, "new_password": PASSWORD});
    person.post("/me/password", change).await.expect(204);
    person.get("/projects").await.expect(200);

    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    let id = added["member"]["user_id"].as_str().unwrap();
    let reset = admin.post(&format!("/users/{id}/reset-password"), json!({})).await.expect(200);
    person.get("/projects").await.refused(401, "auth.session_over");
    person.login(PASSWORD).await.refused(401, "auth.wrong_password");
    person.login(reset["one_time_password"].as_str().unwrap()).await.expect(200);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_are_told_apart_by_nothing() {
    let app = TestApp::new().await;
    let person = app.person(&[]).await;
    let mut nobody = app.anonymous();
    nobody.email = "nobody@example.com".into();
    let mut unknown = nobody.login("a wrong password").await.refused(401, "auth.wrong_password");
    let mut wrong = person.login("a wrong password").await.refused(401, "auth.wrong_password");
    for body in [&mut unknown, &mut wrong] {
        body.as_object_mut().unwrap().remove("trace_id");
    }
    assert_eq!(unknown, wrong);
}

#[tokio::test]
async fn a_token_signed_with_another_key_is_refused() {
    let app = TestApp::new().await;
    let person = app.person(&[]).await;
    let token = person.token.clone().unwrap();
    let other = TestApp::with(|c| {
        c.database.url = app.database.url().to_owned();
        c.encryption_key = Keyring::generate_base64();
    })
    .await;
    other.anonymous().with_token(&token).get("/me").await.refused(401, "auth.invalid_token");
}
