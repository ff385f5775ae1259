//! Sessions: access and refresh tokens, cookies, signing out.

use crate::support::{Client, PASSWORD, Reply, TestApp};
use chrono::Duration;
use image_factory::tenancy::access::{SystemRole, TenantRole};
use reqwest::Method;
use serde_json::{Value, json};

async fn session(client: &Client) -> Value {
    client.login(PASSWORD).await.expect(200)
}

async fn refresh(client: &Client, token: &Value) -> Reply {
    client.post("/auth/refresh", json!({"refresh_token": token})).await
}

fn bearing(client: &Client, session: &Value) -> Client {
    client.with_token(session["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_and_the_old_access_token_still_lives() {
    let app = TestApp::new().await;
    let person = app.person(&[]).await;
    let first = session(&person).await;
    let second = refresh(&person, &first["refresh_token"]).await.expect(200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    for session in [&first, &second] {
        let me = bearing(&person, session).get("/me").await.expect(200);
        assert_eq!(me["registry"], app.url.trim_start_matches("http://"));
    }
    refresh(&person, &second["refresh_token"]).await.expect(200);
}

#[tokio::test]
async fn using_a_refresh_token_twice_ends_the_whole_family() {
    let app = TestApp::new().await;
    let person = app.person(&[]).await;
    let first = session(&person).await;
    let elsewhere = session(&person).await;
    let second = refresh(&person, &first["refresh_token"]).await.expect(200);
    refresh(&person, &first["refresh_token"]).await.refused(401, "auth.token_reused");
    refresh(&person, &second["refresh_token"]).await.refused(401, "auth.session_over");
    bearing(&person, &second).get("/me").await.refused(401, "auth.session_over");
    // Another session of the same person is another family.
    refresh(&person, &elsewhere["refresh_token"]).await.expect(200);
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    let trail = admin.get("/audit-events?all_tenants=true&action=session.token_reused").await.expect(200);
    assert_eq!(trail["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn of_two_refreshes_at_once_only_one_succeeds() {
    let app = TestApp::new().await;
    let person = app.person(&[]).await;
    let first = session(&person).await;
    let (a, b) = tokio::join!(refresh(&person, &first["refresh_token"]), refresh(&person, &first["refresh_token"]));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn tokens_end_with_their_time() {
    let app = TestApp::new().await;
    let person = app.person(&[]).await;
    let first = session(&person).await;
    app.app.clock.advance(Duration::minutes(16));
    bearing(&person, &first).get("/me").await.refused(401, "auth.expired_token");
    let second = refresh(&person, &first["refresh_token"]).await.expect(200);
    bearing(&person, &second).get("/me").await.expect(200);
    app.app.clock.advance(Duration::days(15));
    refresh(&person, &second["refresh_token"]).await.refused(401, "auth.session_over");
}

#[tokio::test]
async fn a_session_ends_at_its_greatest_age_however_often_it_is_refreshed() {
    let app = TestApp::new().await;
    let person = app.person(&[]).await;
    let mut last = session(&person).await;
    for _ in 0..9 {
        app.app.clock.advance(Duration::days(9));
        last = refresh(&person, &last["refresh_token"]).await.expect(200);
    }
    app.app.clock.advance(Duration::days(9) + Duration::seconds(1));
    refresh(&person, &last["refresh_token"]).await.refused(401, "auth.session_over");
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once() {
    let app = TestApp::new().await;
    let person = app.person(&[]).await;
    let first = session(&person).await;
    bearing(&person, &first).get("/me").await.expect(200);
    person.post("/auth/logout", json!({"refresh_token": first["refresh_token"]})).await.expect(204);
    bearing(&person, &first).get("/me").await.refused(401, "auth.session_over");
    refresh(&person, &first["refresh_token"]).await.refused(401, "auth.session_over");
    person.post("/auth/logout", json!({"refresh_token": first["refresh_token"]})).await.expect(204);
    // By the access token alone.
    person.post("/auth/logout", json!({})).await.expect(204);
    person.get("/me").await.refused(401, "auth.session_over");
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session() {
    let app = TestApp::new().await;
    let person = app.person(&[]).await;
    let sessions = [session(&person).await, session(&person).await];
    bearing(&person, &sessions[0]).delete("/me/sessions").await.expect(204);
    for session in &sessions {
        bearing(&person, session).get("/me").await.refused(401, "auth.session_over");
        refresh(&person, &session["refresh_token"]).await.refused(401, "auth.session_over");
    }
}

#[tokio::test]
async fn a_browser_keeps_its_tokens_in_cookies_and_proves_that_it_sent_the_request() {
    let app = TestApp::new().await;
    let person = app.person(&[]).await;
    let reply = app.anonymous().post("/auth/login", json!({"email": person.email, "password": PASSWORD})).await;
    let cookies = cookies(&reply);
    let body = reply.expect(200);
    assert!(body["refresh_token"].is_null() && body["access_token"].is_null(), "scripts do not see them");
    let hidden = |name: &str| {
        let cookie = cookies.iter().find(|c| c.starts_with(name)).unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        cookie.split(';').next().unwrap().to_owned()
    };
    let (access, cookie) = (hidden("image_factory_access="), hidden("image_factory_refresh="));
    let csrf = body["csrf_token"].as_str().unwrap().to_owned();
    assert!(cookies.iter().any(|c| c.starts_with(&format!("image_factory_csrf={csrf};"))), "{cookies:?}");

    let nobody = app.anonymous();
    let send = async |path: &str, cookie: &str, csrf: Option<&str>| {
        let mut request = nobody.request(Method::POST, path).header("cookie", cookie).json(&json!({}));
        if let Some(csrf) = csrf {
            request = request.header("x-csrf-token", csrf);
        }
        nobody.send(request).await
    };
    send("/auth/refresh", &cookie, None).await.refused(403, "auth.csrf");
    send("/auth/refresh", &cookie, Some("forged")).await.refused(403, "auth.csrf");
    send("/auth/logout", &cookie, None).await.refused(403, "auth.csrf");
    let reply = send("/auth/refresh", &cookie, Some(&csrf)).await;
    let next = self::cookies(&reply).into_iter().find(|c| c.starts_with("image_factory_refresh=")).unwrap();
    let next = next.split(';').next().unwrap().to_owned();
    reply.expect(200);
    assert_ne!(cookie, next);
    let reply = send("/auth/logout", &next, Some(&csrf)).await;
    assert!(reply.headers.get_all("set-cookie").iter().all(|c| c.to_str().unwrap().contains("Max-Age=0")));
    reply.expect(204);
    send("/auth/refresh", &next, Some(&csrf)).await.refused(401, "auth.session_over");
    nobody.post("/auth/refresh", json!({})).await.refused(401, "auth.no_refresh_token");
    let me = nobody.request(Method::GET, "/me").header("cookie", &access);
    nobody.send(me).await.refused(401, "auth.session_over");
}

#[tokio::test]
async fn an_access_cookie_counts_for_pages_of_this_server_alone() {
    let app = TestApp::new().await;
    let tenant = app.tenant("cookies").await;
    let person = app.member(&tenant, TenantRole::Owner).await;
    let reply = app.anonymous().post("/auth/login", json!({"email": person.email, "password": PASSWORD})).await;
    let cookie = cookies(&reply).into_iter().find(|c| c.starts_with("image_factory_access=")).unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let csrf = reply.expect(200)["csrf_token"].as_str().unwrap().to_owned();

    let nobody = app.anonymous();
    let with = |method: Method, path: &str| nobody.request(method, path).header("cookie", &cookie);
    nobody.send(with(Method::GET, "/me")).await.expect(200);
    let project = json!({"slug": "by-cookie", "name": "By cookie"});
    let create = || with(Method::POST, "/projects").json(&project);
    nobody.send(create()).await.refused(403, "auth.csrf");
    nobody.send(create().header("x-csrf-token", "forged")).await.refused(403, "auth.csrf");
    nobody.send(create().header("x-csrf-token", &csrf).header("origin", "https://elsewhere.example")).await.expect(401);
    nobody.send(create().header("x-csrf-token", &csrf).header("origin", &app.url)).await.expect(201);

    // Links and streams of browsers bear no headers.
    let named = format!("/projects?tenant={}&limit=1", tenant.slug);
    nobody.send(with(Method::GET, &named)).await.expect(200);
    nobody.send(with(Method::GET, &named).header("origin", "null")).await.expect(401);
    nobody.send(with(Method::GET, "/projects?tenant=another")).await.expect(404);
}

fn cookies(reply: &Reply) -> Vec<String> {
    reply.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn me_tells_who_one_is_and_what_one_may_do() {
    use image_factory::tenancy::access::TenantRole;
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let viewer = app.member(&acme, TenantRole::Viewer).await;
    let me = viewer.get("/me").await.expect(200);
    assert_eq!((&me["user"]["email"], &me["tenants"][0]["role"]), (&json!(viewer.email), &json!("viewer")));
    assert!(me["tenant"]["permissions"].as_array().unwrap().contains(&json!("project:read")));
    assert_eq!(me["system_permissions"], json!([]));
    assert!(me["user"].get("password_hash").is_none());
}
