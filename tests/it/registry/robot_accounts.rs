//! Robot accounts: machines of a tenant with rights of their own.

use crate::support::hub::{Client as Docker, refusal};
use crate::support::{Client, Tenant, TestApp};
use chrono::Duration;
use image_factory::kernel::Digest;
use image_factory::tenancy::access::TenantRole;
use reqwest::{Method, Response};
use serde_json::{Value, json};

const REPOSITORY: &str = "acme/hello/web";

/// A tenant with an image, its owner, and a robot account of it.
struct Setup {
    app: TestApp,
    acme: Tenant,
    owner: Client,
    id: String,
    robot: Docker,
}

impl Setup {
    async fn with(robot: Value) -> Self {
        let app = TestApp::new().await;
        let acme = app.tenant("acme").await;
        let owner = app.member(&acme, TenantRole::Owner).await;
        for slug in ["hello", "second"] {
            owner.post("/projects", json!({"slug": slug})).await.expect(201);
        }
        app.docker(&owner).image(REPOSITORY, "v1", &[b"x"]).await;
        let (id, robot) = made(&app, &owner.post("/robot-accounts", robot).await.expect(201));
        Self { app, acme, owner, id, robot }
    }

    fn path(&self) -> String {
        format!("/robot-accounts/{}", self.id)
    }
}

/// The id of a robot that was just made, and its client.
fn made(app: &TestApp, answer: &Value) -> (String, Docker) {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let account = &answer["robot_account"];
    (text(&account["id"]), app.docker_as(&text(&account["login"]), &text(&answer["secret"])))
}

async fn upload(token: &str, client: &Docker) -> Response {
    let path = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={}", Digest::of(b"y"));
    client.bearer(token, Method::POST, &path).body("y").send().await.unwrap()
}

#[tokio::test]
async fn a_robot_signs_in_with_its_login_name_and_does_what_it_may_where_it_may() {
    let robot = json!({"name": "ci", "repositories": ["hello/*"], "actions": ["push", "pull"]});
    let setup = Setup::with(robot).await;
    let (robot, owner) = (&setup.robot, &setup.owner);
    assert_eq!(robot.credentials.as_ref().unwrap().0, "acme+ci");
    assert_eq!(robot.get("/v2/").await.status(), 200);
    robot.image("acme/hello/api", "v1", &[b"y"]).await;
    let manifest = format!("/v2/{REPOSITORY}/manifests/v1");
    assert_eq!(robot.get(&manifest).await.status(), 200);
    assert_eq!(refusal(robot.delete(&manifest).await).await, (403, "DENIED".into()));
    for elsewhere in ["acme/second/web", "acme/none/web", "other/hello/web"] {
        assert_eq!(refusal(robot.try_blob(elsewhere, &b"z"[..]).await).await, (403, "DENIED".into()), "{elsewhere}");
    }
    // As clients with a token of their own do: the secret is as good as one.
    let secret = robot.credentials.clone().unwrap().1;
    let form = format!("grant_type=refresh_token&service=x&refresh_token={secret}&scope=repository:{REPOSITORY}:pull");
    let answer = setup.app.docker_nobody().request(Method::POST, "/v2/token").body(form).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["scope"], format!("repository:{REPOSITORY}:pull"), "{answer}");
    // The name counts, too.
    for name in ["acme+other", "other+ci", "ci"] {
        let wrong = setup.app.docker_as(name, &secret);
        assert_eq!(refusal(wrong.get("/v2/").await).await, (401, "UNAUTHORIZED".into()), "{name}");
    }
    let shown = owner.get(&setup.path()).await.expect(200);
    assert_eq!((&shown["login"], &shown["actions"]), (&json!("acme+ci"), &json!(["pull", "push"])));
    assert!(shown["last_used_at"].is_string() && !shown.to_string().contains(&secret), "{shown}");
    // What it pushed says so.
    let images = owner.get("/images?name=api").await.expect(200);
    assert_eq!(images["items"][0]["pushed_by"], format!("robot:{}", setup.id));
}

#[tokio::test]
async fn a_robot_mounts_only_from_where_it_may_pull() {
    let setup = Setup::with(json!({"name": "ci", "repositories": ["second/*"], "actions": ["pull", "push"]})).await;
    let digest = Digest::of(b"x");
    let mount = |from: &str| format!("/v2/acme/second/web/blobs/uploads/?mount={digest}&from={from}");
    let token = setup.robot.token("repository:acme/second/web:pull,push").await;
    let ask = async |from: &str| setup.robot.bearer(&token, Method::POST, &mount(from)).send().await.unwrap().status();
    assert_eq!(ask(REPOSITORY).await, 202, "not among its repositories");
    setup.owner.patch(&setup.path(), json!({"repositories": ["second/*", "hello/web"]})).await.expect(200);
    assert_eq!(ask(REPOSITORY).await, 201);
}

#[tokio::test]
async fn a_robot_that_is_disabled_expired_or_deleted_writes_no_more_and_pulls_as_long_as_its_token_lives() {
    let setup = Setup::with(json!({"name": "ci", "actions": ["pull", "push"]})).await;
    let (app, owner, robot) = (&setup.app, &setup.owner, &setup.robot);
    let manifest = format!("/v2/{REPOSITORY}/manifests/v1");
    let token = robot.token(&format!("repository:{REPOSITORY}:pull,push")).await;
    let pull = async || robot.bearer(&token, Method::GET, &manifest).send().await.unwrap().status().as_u16();
    let written = async || upload(&token, robot).await.status().as_u16();
    assert_eq!((pull().await, written().await), (200, 201));

    owner.patch(&setup.path(), json!({"disabled": true})).await.expect(200);
    assert_eq!((pull().await, written().await), (200, 403));
    assert_eq!(refusal(robot.get("/v2/token").await).await, (401, "UNAUTHORIZED".into()));
    owner.patch(&setup.path(), json!({"disabled": false, "actions": ["pull"]})).await.expect(200);
    assert_eq!((pull().await, written().await), (200, 403), "the right is gone");
    let soon = app.app.clock.now() + Duration::minutes(2);
    owner.patch(&setup.path(), json!({"actions": ["pull", "push"], "expires_at": soon})).await.expect(200);
    assert_eq!((pull().await, written().await), (200, 201));
    app.app.clock.advance(Duration::minutes(3));
    assert_eq!((pull().await, written().await), (200, 403), "it has expired");
    owner.patch(&setup.path(), json!({"expires_at": null})).await.expect(200);
    assert_eq!(written().await, 201);
    // A new secret ends what the old one opened.
    let rotated = owner.post(&format!("{}/rotate-secret", setup.path()), json!({})).await.expect(200);
    assert_eq!((pull().await, written().await), (200, 403));
    assert_eq!(robot.get("/v2/").await.status(), 401);
    let (_, renewed) = made(app, &rotated);
    assert_eq!(renewed.try_blob(REPOSITORY, &b"z"[..]).await.status(), 201);
    let token = renewed.token(&format!("repository:{REPOSITORY}:pull,push")).await;
    owner.delete(&setup.path()).await.expect(204);
    assert_eq!(upload(&token, robot).await.status(), 403);
    owner.get(&setup.path()).await.refused(404, "not_found");
    app.app.clock.advance(Duration::minutes(5));
    assert_eq!(pull().await, 401, "the token is over");
    let audited = owner.get("/audit-events").await.expect(200)["items"].to_string();
    for action in ["created", "updated", "secret_rotated", "deleted"] {
        assert!(audited.contains(&format!("robot_account.{action}")), "{audited}");
    }
}

#[tokio::test]
async fn nobody_makes_a_robot_that_may_more_than_themselves() {
    let setup = Setup::with(json!({"name": "ci", "actions": ["pull", "push"]})).await;
    let body = json!({"name": "key", "scopes": ["member:manage", "image:pull"]});
    let key = setup.owner.post("/api-keys", body).await.expect(201)["key"].as_str().unwrap().to_owned();
    let machine = setup.owner.with_token(&key);
    machine.post("/robot-accounts", json!({"name": "a", "actions": ["pull"]})).await.expect(201);
    machine
        .post("/robot-accounts", json!({"name": "b", "actions": ["pull", "push"]}))
        .await
        .refused(403, "access.denied");
    machine.post(&format!("{}/rotate-secret", setup.path()), json!({})).await.refused(403, "access.denied");
    machine.patch(&setup.path(), json!({"repositories": ["*"]})).await.refused(403, "access.denied");
    // To stop one takes nothing.
    machine.patch(&setup.path(), json!({"disabled": true})).await.expect(200);
    machine.patch(&setup.path(), json!({"disabled": false})).await.refused(403, "access.denied");
}

#[tokio::test]
async fn an_administrator_of_a_project_manages_the_robots_of_that_project() {
    let setup = Setup::with(json!({"name": "ci", "actions": ["pull"]})).await;
    let viewer = setup.app.member(&setup.acme, TenantRole::Viewer).await;
    viewer.get("/robot-accounts").await.refused(403, "access.denied");
    let path = format!("/projects/hello/members/{}", viewer.user_id.unwrap());
    setup.owner.put(&path, json!({"role": "admin"})).await.expect(200);
    let project = viewer.get("/projects/hello").await.expect(200)["id"].clone();
    viewer.get(&setup.path()).await.refused(404, "not_found");
    viewer.post("/robot-accounts", json!({"name": "b", "actions": ["pull"]})).await.refused(403, "access.denied");
    let body = json!({"name": "own", "actions": ["pull", "push"], "project_id": project});
    let (_, robot) = made(&setup.app, &viewer.post("/robot-accounts", body).await.expect(201));
    let listed = viewer.get("/robot-accounts").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(robot.try_blob(REPOSITORY, &b"z"[..]).await.status(), 201);
    assert_eq!(robot.try_blob("acme/second/web", &b"z"[..]).await.status(), 403);
}

#[tokio::test]
async fn a_robot_account_is_checked_and_changed_by_one_at_a_time() {
    let setup = Setup::with(json!({"name": "ci", "actions": ["pull"]})).await;
    let owner = &setup.owner;
    let body = json!({"name": "x", "actions": ["push"], "repositories": ["hello/*", "Hello"], "expires_at": "2001-01-01T00:00:00Z"});
    let faults = ["/actions needs_pull", "/expires_at in_the_past", "/repositories/1 wrong_format"];
    assert_eq!(owner.post("/robot-accounts", body).await.faults(), faults);
    let body = json!({"name": "x", "actions": ["pull"], "project_id": uuid::Uuid::now_v7()});
    assert_eq!(owner.post("/robot-accounts", body).await.faults(), ["/project_id not_found"]);
    let again = json!({"name": "ci", "actions": ["pull"]});
    owner.post("/robot-accounts", again).await.refused(409, "robot_account.exists");
    let change = |tag: &str| {
        owner.request(Method::PATCH, &setup.path()).header("if-match", tag).json(&json!({"description": "new"}))
    };
    let read = owner.get(&setup.path()).await;
    let changed = owner.send(change(read.header("etag"))).await;
    assert_ne!(changed.header("etag"), read.header("etag"));
    assert_eq!(changed.expect(200)["description"], "new");
    owner.send(change(read.header("etag"))).await.refused(412, "version.stale");
    // Another tenant has names of its own, and none of these.
    let stranger = setup.app.member(&setup.app.tenant("other").await, TenantRole::Owner).await;
    stranger.get(&setup.path()).await.refused(404, "not_found");
    stranger.post("/robot-accounts", json!({"name": "ci", "actions": ["pull"]})).await.expect(201);
}
