//! Projects: who may do what with them, and what their settings and secrets promise.

use crate::support::TestApp;
use image_factory::tenancy::access::{SystemRole, TenantRole};
use reqwest::Method;
use secrecy::ExposeSecret;
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

#[tokio::test]
async fn the_projects_of_another_tenant_do_not_exist() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let umbrella = app.tenant("umbrella").await;
    let ours = app.member(&acme, TenantRole::Owner).await;
    let theirs = app.member(&umbrella, TenantRole::Owner).await;
    let made = ours.post("/projects", json!({"slug": "hello"})).await.expect(201);
    let path = format!("/projects/{}", made["id"].as_str().unwrap());
    theirs.get(&path).await.refused(404, "not_found");
    theirs.get("/projects/hello").await.refused(404, "not_found");
    theirs.patch(&path, json!({"name": "Mine now"})).await.refused(404, "not_found");
    theirs
        .put(&format!("{path}/secrets/TOKEN"), json!({"kind": "opaque", "value": "x"}))
        .await
        .refused(404, "not_found");
    assert_eq!(theirs.get("/projects").await.expect(200)["items"], json!([]));
    theirs.in_tenant("acme").get(&path).await.refused(404, "not_found");
    theirs.in_tenant(acme.id).get("/projects").await.refused(404, "not_found");
}

#[tokio::test]
async fn a_system_administrator_selects_any_tenant_and_lists_across_all() {
    let app = TestApp::new().await;
    for slug in ["acme", "umbrella"] {
        let tenant = app.tenant(slug).await;
        let owner = app.member(&tenant, TenantRole::Owner).await;
        owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    }
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    admin.in_tenant("acme").get("/projects/hello").await.expect(200);
    admin.in_tenant("nowhere").get("/projects").await.refused(404, "not_found");
    let body = admin.get("/projects").await.expect(422);
    assert_eq!(body["errors"][0]["pointer"], "X-Tenant-ID");
    let first = admin.get("/projects?all_tenants=true&limit=1").await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = admin.get(&format!("/projects?all_tenants=true&limit=1&cursor={cursor}")).await.expect(200);
    assert_ne!(first["items"][0]["tenant_id"], second["items"][0]["tenant_id"]);
    assert!(second["next_cursor"].is_null());
    let acme = app.member(&app.tenant("third").await, TenantRole::Owner).await;
    acme.get("/projects?all_tenants=true").await.refused(403, "access.denied");
}

#[tokio::test]
async fn a_change_made_from_a_stale_copy_is_refused() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    let first = owner.get("/projects/hello").await.header("etag").to_owned();
    let change = |tag: String, name: &'static str| {
        let request = owner.request(Method::PATCH, "/projects/hello").header("If-Match", tag);
        owner.send(request.json(&json!({"name": name})))
    };
    let reply = change(first.clone(), "First").await;
    let second = reply.header("etag").to_owned();
    assert_ne!(first, second);
    reply.expect(200);
    change(first, "Too late").await.refused(412, "version.stale");
    assert_eq!(owner.get("/projects/hello").await.expect(200)["name"], "First");
    change(second, "Second").await.expect(200);
    change("*".into(), "Third").await.expect(200);
}

#[tokio::test]
async fn an_archived_project_changes_only_by_being_restored() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    for _ in 0..2 {
        assert_eq!(owner.post("/projects/hello/archive", json!({})).await.expect(200)["status"], "archived");
    }
    owner.patch("/projects/hello", json!({"name": "New"})).await.refused(409, "project.archived");
    owner
        .put("/projects/hello/secrets/A", json!({"kind": "opaque", "value": "x"}))
        .await
        .refused(409, "project.archived");
    assert_eq!(owner.get("/projects?status=active").await.expect(200)["items"], json!([]));
    owner.post("/projects/hello/restore", json!({})).await.expect(200);
    owner.patch("/projects/hello", json!({"name": "New"})).await.expect(200);
}

#[tokio::test]
async fn the_value_of_a_secret_is_never_shown_and_only_opens_for_its_own_project() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let mut ids = Vec::new();
    for slug in ["one", "two"] {
        ids.push(owner.post("/projects", json!({"slug": slug})).await.expect(201)["id"].as_str().unwrap().to_owned());
    }
    let secret = json!({"kind": "git_token", "username": "ann", "value": "swordfish"});
    let shown = owner.put("/projects/one/secrets/TOKEN", secret).await.expect(200);
    assert_eq!((shown["kind"].as_str(), shown["username"].as_str()), (Some("git_token"), Some("ann")));
    for path in ["/projects/one/secrets", "/audit-events"] {
        let body = owner.get(path).await.expect(200).to_string();
        assert!(body.contains("TOKEN") && !body.contains("swordfish"), "{body}");
    }

    let (one, two) = (ids[0].parse().unwrap(), ids[1].parse().unwrap());
    let mut tx = app.app.db.tenant(acme.id).await.unwrap();
    let names = ["TOKEN".to_owned()];
    let values = app.app.projects.secret_values(&mut tx, one, &names).await.unwrap();
    assert_eq!(values["TOKEN"].expose_secret(), "swordfish");
    let missing = app.app.projects.secret_values(&mut tx, two, &names).await.unwrap_err();
    assert_eq!(
        (missing.fault_list()[0].pointer.as_str(), missing.fault_list()[0].code.as_str()),
        ("/secrets/TOKEN", "not_found")
    );
    drop(tx);
    // The ciphertext of one project, put into another by whoever holds the database, does not open there.
    let mut c = app.database.connect().await;
    sqlx::query("update project_secrets set project_id = $1").bind(two.0).execute(&mut c).await.unwrap();
    let mut tx = app.app.db.tenant(acme.id).await.unwrap();
    app.app.projects.secret_values(&mut tx, two, &names).await.unwrap_err();
    drop(tx);

    owner.delete("/projects/two/secrets/TOKEN").await.expect(204);
    owner.delete("/projects/two/secrets/TOKEN").await.refused(404, "not_found");
}

#[tokio::test]
async fn a_secret_that_cannot_work_is_refused() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    let put = async |name: &str, body| owner.put(&format!("/projects/hello/secrets/{name}"), body).await.faults();
    assert_eq!(put("KEY", json!({"kind": "ssh_key", "value": "ssh-ed25519 AAAA"})).await, ["/value wrong_format"]);
    assert_eq!(put("A", json!({"kind": "opaque", "username": "ann", "value": "x"})).await, ["/username not_allowed"]);
    assert_eq!(put("1A", json!({"kind": "opaque", "value": "x"})).await, ["name wrong_format"]);
    assert_eq!(put("A", json!({"kind": "opaque", "value": ""})).await, ["/value too_short"]);
}

#[tokio::test]
async fn a_further_role_in_a_project_holds_there_alone_and_goes_with_the_membership() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let viewer = app.member(&acme, TenantRole::Viewer).await;
    for slug in ["one", "two"] {
        owner.post("/projects", json!({"slug": slug})).await.expect(201);
    }
    let user = viewer.user_id.unwrap();
    owner.put(&format!("/projects/one/members/{user}"), json!({"role": "admin"})).await.expect(200);
    owner.put(&format!("/projects/one/members/{user}"), json!({"role": "owner"})).await.expect(422);
    viewer.patch("/projects/one", json!({"name": "Mine"})).await.expect(200);
    viewer.patch("/projects/two", json!({"name": "Mine"})).await.refused(403, "access.denied");
    let members = viewer.get("/projects/one/members").await.expect(200);
    assert_eq!(members["items"][0]["email"], viewer.email);

    owner.delete(&format!("/tenants/acme/members/{user}")).await.expect(204);
    viewer.in_tenant("acme").get("/projects/one").await.refused(404, "not_found");
    assert_eq!(owner.get("/projects/one/members").await.expect(200)["items"], json!([]));
    // Somebody from outside gets no role.
    let stranger = app.person(&[]).await.user_id.unwrap();
    owner.put(&format!("/projects/one/members/{stranger}"), json!({"role": "viewer"})).await.refused(404, "not_found");
}

#[tokio::test]
async fn credentials_for_other_registries_are_set_replaced_and_never_shown() {
    let app = TestApp::new().await;
    let tenant = app.tenant("acme").await;
    let owner = app.member(&tenant, TenantRole::Owner).await;
    owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    let path = "/projects/hello/registry-credentials";
    let login = |username: &str, password: &str| json!({"username": username, "password": password});
    owner.put(&format!("{path}/docker.io"), login("ann", "first-pass")).await.expect(200);
    let set = owner.put(&format!("{path}/docker.io"), login("bob", "second-pass")).await.expect(200);
    assert_eq!((set["registry"].as_str(), set["username"].as_str()), (Some("docker.io"), Some("bob")));
    owner.put(&format!("{path}/registry.example.com:5000"), login("ann", "third-pass")).await.expect(200);
    for bad in ["Docker.io", "a..b@c", "x:y"] {
        owner.put(&format!("{path}/{bad}"), login("ann", "x")).await.expect(422);
    }
    owner.put(&format!("{path}/docker.io"), login("a:b", "x")).await.expect(422);

    let listed = owner.get(path).await.expect(200);
    let registries: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|c| c["registry"].as_str().unwrap()).collect();
    assert_eq!(registries, ["docker.io", "registry.example.com:5000"]);
    let trail = owner.get("/audit-events").await.expect(200);
    assert!(trail.to_string().contains("registry_credential.set"));
    for shown in [&listed, &trail] {
        assert!(!shown.to_string().contains("-pass"), "{shown:#}");
    }
    let mut db = app.database.connect().await;
    let sealed: Vec<Vec<u8>> =
        sqlx::query_scalar("select sealed from project_registry_credentials").fetch_all(&mut db).await.unwrap();
    assert!(sealed.iter().all(|s| !String::from_utf8_lossy(s).contains("-pass")));

    let id = owner.get("/projects/hello").await.expect(200)["id"].as_str().unwrap().parse::<uuid::Uuid>().unwrap();
    let mut tx = app.app.db.tenant(tenant.id).await.unwrap();
    let logins = app.app.projects.registry_logins(&mut tx, id.into()).await.unwrap();
    assert_eq!((logins[0].username.as_str(), logins[0].password.expose_secret()), ("bob", "second-pass"));

    owner.delete(&format!("{path}/docker.io")).await.expect(204);
    owner.delete(&format!("{path}/docker.io")).await.expect(404);
    owner.post("/projects/hello/archive", json!({})).await.expect(200);
    owner.put(&format!("{path}/quay.io"), login("ann", "x")).await.refused(409, "project.archived");
}
