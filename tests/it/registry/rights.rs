//! Who may do what with a repository: by role, by a role on it alone, by its visibility, as a robot, as nobody.

use crate::support::hub::{Client as Docker, header, refusal};
use crate::support::{Client, TestApp};
use chrono::Duration;
use image_factory::tenancy::access::{SystemRole, TenantRole};
use jsonwebtoken::dangerous::insecure_decode;
use reqwest::Method;
use serde_json::{Value, json};

const REPOSITORY: &str = "acme/hello/web";

/// What the token of a client opens: `p`ull, `w`rite, `d`elete, or that it gets none.
async fn rights(client: &Docker, repository: &str) -> String {
    let answer = client.try_token(&format!("repository:{repository}:pull,push,delete")).await;
    if answer.status() != 200 {
        return answer.status().as_str().to_owned();
    }
    let token = answer.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned();
    let mut found = String::new();
    for (letter, method, path, allowed) in [
        ('p', Method::GET, "manifests/v1", 200),
        ('w', Method::POST, "blobs/uploads/", 202),
        ('d', Method::DELETE, "manifests/no-such-tag", 404),
    ] {
        let path = format!("/v2/{repository}/{path}");
        let status = client.bearer(&token, method, &path).send().await.unwrap().status().as_u16();
        assert!(matches!(status, 401 | 403) || status == allowed, "{path}: {status}");
        found.push(if status == allowed { letter } else { '-' });
    }
    found
}

/// A tenant `acme` with an image and everybody who may want it.
struct Setup {
    app: TestApp,
    owner: Client,
    image: String,
    everybody: Vec<(&'static str, Docker)>,
}

impl Setup {
    async fn new() -> Self {
        let app = TestApp::with(|c| c.registry.anonymous_requests_per_second = 1000).await;
        let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
        let owner = app.member(&acme, TenantRole::Owner).await;
        owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
        app.docker(&owner).image(REPOSITORY, "v1", &[b"x"]).await;
        let image = owner.get("/images").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
        let mut everybody = vec![("anonymous", app.docker_nobody()), ("owner", app.docker(&owner))];
        everybody.push(("viewer", app.docker(&app.member(&acme, TenantRole::Viewer).await)));
        everybody.push(("developer", app.docker(&app.member(&acme, TenantRole::Developer).await)));
        everybody.push(("other tenant", app.docker(&app.member(&other, TenantRole::Owner).await)));
        everybody.push(("auditor", app.docker(&app.person(&[SystemRole::Auditor]).await)));
        let in_project = app.member(&acme, TenantRole::Viewer).await;
        let path = format!("/projects/hello/members/{}", in_project.user_id.unwrap());
        owner.put(&path, json!({"role": "developer"})).await.expect(200);
        everybody.push(("project member", app.docker(&in_project)));
        for role in ["reader", "writer", "maintainer"] {
            let person = app.member(&acme, TenantRole::Viewer).await;
            let path = format!("/images/{image}/members/{}", person.user_id.unwrap());
            owner.put(&path, json!({"role": role})).await.expect(200);
            everybody.push((role, app.docker(&person)));
            if role == "writer" {
                let key = json!({"name": "k", "scopes": ["image:pull"]});
                let key = person.post("/api-keys", key).await.expect(201)["key"].as_str().unwrap().to_owned();
                everybody.push(("writer's key to pull", app.docker_as("any", &key)));
            }
        }
        let soon = app.app.clock.now() + Duration::minutes(1);
        for (who, robot) in [
            ("robot", json!({"name": "all", "actions": ["pull", "push", "delete"]})),
            ("robot to pull", json!({"name": "pull", "actions": ["pull"], "repositories": ["hello/*"]})),
            ("robot of others", json!({"name": "else", "actions": ["pull", "push"], "repositories": ["other/*"]})),
            ("expired robot", json!({"name": "brief", "actions": ["pull"], "expires_at": soon})),
            ("disabled robot", json!({"name": "off", "actions": ["pull"]})),
        ] {
            let made = owner.post("/robot-accounts", robot).await.expect(201);
            let account = &made["robot_account"];
            everybody.push((who, app.docker_as(account["login"].as_str().unwrap(), made["secret"].as_str().unwrap())));
            if who == "disabled robot" {
                let path = format!("/robot-accounts/{}", account["id"].as_str().unwrap());
                owner.patch(&path, json!({"disabled": true})).await.expect(200);
            }
        }
        app.app.clock.advance(Duration::minutes(2));
        Self { app, owner, image, everybody }
    }

    async fn set_visibility(&self, visibility: &str) {
        self.owner.patch(&format!("/images/{}", self.image), json!({"visibility": visibility})).await.expect(200);
    }

    async fn all_rights(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        for (who, client) in &self.everybody {
            found.push((*who, rights(client, REPOSITORY).await));
        }
        found
    }
}

/// The rights of everybody: those without a role on the image as given, the others by their own.
fn expected(by_project: [&'static str; 7], elsewhere: &'static str) -> Vec<(&'static str, String)> {
    let [anonymous, owner, viewer, developer, other, auditor, member] = by_project;
    [
        ("anonymous", anonymous),
        ("owner", owner),
        ("viewer", viewer),
        ("developer", developer),
        ("other tenant", other),
        ("auditor", auditor),
        ("project member", member),
        ("reader", "p--"),
        ("writer", "pw-"),
        ("writer's key to pull", "p--"),
        ("maintainer", "pwd"),
        ("robot", "pwd"),
        ("robot to pull", "p--"),
        ("robot of others", elsewhere),
        ("expired robot", "401"),
        ("disabled robot", "401"),
    ]
    .map(|(who, rights)| (who, rights.to_owned()))
    .to_vec()
}

#[tokio::test]
async fn everybody_may_do_what_role_visibility_and_account_allow_and_nothing_else() {
    let setup = Box::pin(Setup::new()).await;
    let tenant = expected(["---", "pwd", "p--", "pw-", "---", "p--", "pw-"], "---");
    assert_eq!(setup.all_rights().await, tenant, "tenant");
    setup.set_visibility("project").await;
    let project = expected(["---", "pwd", "---", "---", "---", "p--", "pw-"], "---");
    assert_eq!(setup.all_rights().await, project, "project");
    setup.set_visibility("public").await;
    let public = expected(["p--", "pwd", "p--", "pw-", "p--", "p--", "pw-"], "p--");
    assert_eq!(setup.all_rights().await, public, "public");

    let mut c = setup.app.database.connect().await;
    sqlx::query("update projects set status = 'archived'").execute(&mut c).await.unwrap();
    for (who, found) in setup.all_rights().await {
        let closed = matches!(who, "expired robot" | "disabled robot");
        assert_eq!(found, if closed { "401" } else { "p--" }, "{who} in an archived project");
    }
    sqlx::query("update tenants set status = 'suspended' where slug = 'acme'").execute(&mut c).await.unwrap();
    setup.app.app.identity.users().rights_changed();
    for (who, found) in setup.all_rights().await {
        assert!(matches!(found.as_str(), "---" | "401" | "403"), "{who} in a suspended tenant: {found}");
    }
}

#[tokio::test]
async fn who_has_one_repository_sees_that_one_alone() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let viewer = app.member(&acme, TenantRole::Viewer).await;
    for slug in ["hello", "second"] {
        owner.post("/projects", json!({"slug": slug})).await.expect(201);
    }
    for name in ["hello/web", "hello/api", "second/web"] {
        app.docker(&owner).image(&format!("acme/{name}"), "v1", &[b"x"]).await;
    }
    let names = async |client: &Client, query: &str| {
        let page = client.get(&format!("/images{query}")).await.expect(200);
        let name = |image: &Value| image["repository"].as_str().unwrap().to_owned();
        page["items"].as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    let all = owner.get("/images").await.expect(200)["items"].clone();
    let ids: Vec<String> =
        all.as_array().unwrap().iter().map(|i| format!("/images/{}", i["id"].as_str().unwrap())).collect();
    assert_eq!(names(&viewer, "").await, ["acme/second/web", "acme/hello/api", "acme/hello/web"]);
    for path in &ids {
        owner.patch(path, json!({"visibility": "project"})).await.expect(200);
    }
    assert_eq!(names(&viewer, "").await, [""; 0]);
    let members = format!("{}/members", ids[2]);
    let member = format!("{members}/{}", viewer.user_id.unwrap());
    let set = owner.put(&member, json!({"role": "reader"})).await.expect(200);
    assert_eq!((set["email"].as_str(), set["role"].as_str()), (Some(viewer.email.as_str()), Some("reader")));
    assert_eq!(names(&viewer, "").await, ["acme/hello/web"]);
    assert_eq!(names(&viewer, "?project=hello").await, ["acme/hello/web"]);
    assert_eq!(names(&viewer, "?project=second").await, [""; 0]);
    let listed = async |docker: &Docker| -> Value {
        docker.get("/v2/_catalog?n=2").await.json::<Value>().await.unwrap()["repositories"].clone()
    };
    assert_eq!(listed(&app.docker(&viewer)).await, json!(["acme/hello/web"]));
    assert_eq!(listed(&app.docker(&owner)).await, json!(["acme/hello/api", "acme/hello/web"]));
    viewer.get(&ids[2]).await.expect(200);
    viewer.get(&format!("{}/tags", ids[2])).await.expect(200);
    for hidden in [&ids[0], &ids[1]] {
        viewer.get(hidden).await.refused(404, "not_found");
        viewer.get(&format!("{hidden}/tags")).await.refused(404, "not_found");
        viewer.get(&format!("{hidden}/members")).await.refused(404, "not_found");
    }
    // A key carries the role as far as its scopes and its project reach.
    let project = |slug: &str| format!("/projects/{slug}");
    for (slug, seen) in [("hello", 1), ("second", 0)] {
        let id = owner.get(&project(slug)).await.expect(200)["id"].clone();
        let body = json!({"name": slug, "scopes": ["image:pull", "project:read"], "project_id": id});
        let key = viewer.post("/api-keys", body).await.expect(201)["key"].as_str().unwrap().to_owned();
        assert_eq!(names(&viewer.with_token(&key), "").await.len(), seen, "{slug}");
    }
    assert_eq!(owner.get(&members).await.expect(200)["items"].as_array().unwrap().len(), 1);
    viewer.put(&member, json!({"role": "maintainer"})).await.refused(403, "access.denied");
    // The role counts in the catalogue as at the registry.
    let tag = format!("{}/tags/v1?dry_run=true", ids[2]);
    viewer.delete(&tag).await.refused(403, "access.denied");
    owner.put(&member, json!({"role": "maintainer"})).await.expect(200);
    viewer.delete(&tag).await.expect(200);
    let stranger = app.member(&app.tenant("other").await, TenantRole::Owner).await;
    let path = format!("{members}/{}", stranger.user_id.unwrap());
    owner.put(&path, json!({"role": "reader"})).await.refused(404, "not_found");
    owner.delete(&member).await.expect(204);
    owner.delete(&member).await.refused(404, "not_found");
    assert_eq!(names(&viewer, "").await, [""; 0]);
    let audited = owner.get("/audit-events").await.expect(200)["items"].to_string();
    for action in ["image.updated", "image_member.set", "image_member.removed"] {
        assert!(audited.contains(action), "{audited}");
    }
}

#[tokio::test]
async fn visibility_is_set_by_one_at_a_time_while_tenant_and_project_are_in_use() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let developer = app.member(&acme, TenantRole::Developer).await;
    owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    app.docker(&owner).image(REPOSITORY, "v1", &[b"x"]).await;
    let path = format!("/images/{}", owner.get("/images").await.expect(200)["items"][0]["id"].as_str().unwrap());
    developer.patch(&path, json!({"visibility": "public"})).await.refused(403, "access.denied");
    let read = owner.get(&path).await;
    let set = |visibility: &str| {
        let body = json!({"visibility": visibility});
        owner.request(Method::PATCH, &path).header("if-match", read.header("etag")).json(&body)
    };
    assert_eq!(owner.send(set("project")).await.expect(200)["visibility"], "project");
    owner.send(set("public")).await.refused(412, "version.stale");
    // What is closed stays closed, whatever is deleted and pushed again.
    let docker = app.docker(&owner);
    let digest = owner.get(&path).await.expect(200)["digest"].as_str().unwrap().to_owned();
    assert_eq!(docker.delete(&format!("/v2/{REPOSITORY}/manifests/{digest}")).await.status(), 202);
    docker.image(REPOSITORY, "v2", &[b"y"]).await;
    assert_eq!(owner.get(&path).await.expect(200)["visibility"], "project");

    owner.post("/projects/hello/archive", json!({})).await.expect(200);
    owner.patch(&path, json!({"visibility": "public"})).await.refused(409, "project.archived");
    owner.post("/projects/hello/restore", json!({})).await.expect(200);
    let admin = app.person(&[SystemRole::SystemAdmin]).await.in_tenant("acme");
    admin.patch("/tenants/acme", json!({"status": "suspended"})).await.expect(200);
    admin.patch(&path, json!({"visibility": "public"})).await.refused(409, "tenant.not_active");
}

#[tokio::test]
async fn nobody_learns_without_signing_in_what_is_not_public() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    app.docker(&owner).image(REPOSITORY, "v1", &[b"x"]).await;
    let nobody = app.docker_nobody();
    let mut answers = Vec::new();
    for repository in [REPOSITORY, "acme/hello/none", "acme/none/none", "none/none/none"] {
        let scope = format!("repository:{repository}:pull,push");
        let answer: Value = nobody.try_token(&scope).await.json().await.unwrap();
        let token = answer["token"].as_str().unwrap().to_owned();
        let claims = insecure_decode::<Value>(&token).unwrap().claims["access"].clone();
        let path = format!("/v2/{repository}/manifests/v1");
        let bare = nobody.get(&path).await;
        let challenge = header(&bare, "www-authenticate").replace(repository, "*");
        let with_token = nobody.bearer(&token, Method::GET, &path).send().await.unwrap();
        let text = with_token.text().await.unwrap();
        answers.push((claims.to_string().replace(repository, "*"), answer["scope"].clone(), challenge, text));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");

    let path = format!("/images/{}", owner.get("/images").await.expect(200)["items"][0]["id"].as_str().unwrap());
    owner.patch(&path, json!({"visibility": "public"})).await.expect(200);
    // A request without a token still asks for one: so clients learn where to get it.
    assert_eq!(refusal(nobody.get(&format!("/v2/{REPOSITORY}/manifests/v1")).await).await.0, 401);
    assert_eq!(rights(&nobody, REPOSITORY).await, "p--");
    owner.patch(&path, json!({"visibility": "tenant"})).await.expect(200);
    assert_eq!(rights(&nobody, REPOSITORY).await, "---");
}

#[tokio::test]
async fn an_address_that_has_not_signed_in_is_slowed_down_and_others_are_not() {
    let app = TestApp::with(|c| c.registry.anonymous_requests_per_second = 3).await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let nobody = app.docker_nobody();
    let mut last = nobody.get("/v2/token").await;
    for _ in 0..20 {
        if last.status() == 429 {
            break;
        }
        last = nobody.get("/v2/token").await;
    }
    assert!(!header(&last, "retry-after").is_empty());
    assert_eq!(refusal(last).await, (429, "TOOMANYREQUESTS".into()));
    assert_eq!(app.docker(&owner).get("/v2/").await.status(), 200);
}
