//! Every operation of the API refuses those who may not: nobody, another tenant, a role without the permission.
//!
//! Whoever adds an operation declares its rule (`extensions(("x-access" = json!("build:create")))`: `public`,
//! `authenticated`, or a permission) and, where this test says so, adds a line to [`path_value`] or [`body`].

use crate::support::{Client, TestApp};
use image_factory::kernel::ids::TenantId;
use image_factory::tenancy::access::{Permission, SystemPermission, SystemRole, TenantRole};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use uuid::Uuid;

/// What the attackers aim at: one of everything, in a tenant called `victim`.
struct Victim {
    owner: Client,
    member: Client,
    project: String,
    api_key: String,
    robot: String,
    rule: String,
    run: String,
    build: String,
    image: String,
}

impl Victim {
    async fn new(app: &TestApp) -> Self {
        let tenant = app.tenant("victim").await;
        let owner = app.member(&tenant, TenantRole::Owner).await;
        let member = app.member(&tenant, TenantRole::Viewer).await;
        let id = |v: &Value| v["id"].as_str().expect("an id").to_owned();
        let project = id(&owner.post("/projects", json!({"slug": "hello"})).await.expect(201));
        owner.put("/projects/hello/secrets/TOKEN", json!({"kind": "opaque", "value": "x"})).await.expect(200);
        let login = json!({"username": "ann", "password": "x"});
        owner.put("/projects/hello/registry-credentials/docker.io", login).await.expect(200);
        owner.put("/projects/hello/upstream", json_of("set_upstream")).await.expect(200);
        let path = format!("/projects/hello/members/{}", member.user_id.unwrap());
        owner.put(&path, json!({"role": "developer"})).await.expect(200);
        let made = owner.post("/api-keys", json!({"name": "ci", "scopes": ["project:read"]})).await.expect(201);
        let api_key = id(&made["api_key"]);
        let made = owner.post("/robot-accounts", json_of("create_robot_account")).await.expect(201);
        let robot = id(&made["robot_account"]);
        let rules = "/projects/hello/replication-rules";
        let rule = id(&owner.post(rules, json_of("create_replication_rule")).await.expect(201));
        let run = id(&owner.post(&format!("{rules}/{rule}/run"), json!({})).await.expect(202));
        let build = id(&owner.post("/builds", json_of("create_build")).await.expect(202));
        let image = image(app, tenant.id, &project).await;
        let path = format!("/images/{image}/members/{}", member.user_id.unwrap());
        owner.put(&path, json!({"role": "reader"})).await.expect(200);
        Self { owner, member, project, api_key, robot, rule, run, build, image }
    }
}

/// An image without content, straight into the tables: what matters is whose it is.
async fn image(app: &TestApp, tenant: TenantId, project: &str) -> String {
    let id = Uuid::now_v7();
    let mut c = app.database.connect().await;
    for insert in [
        "insert into repositories (id, tenant_id, project_id, name, full_name, created_at)
         values ($1, $2, $3::uuid, 'app', 'victim/hello/app', now())",
        "insert into images (id, tenant_id, project_id, name, repository, image_type, digest, pushed_by, pushed_at, created_at)
         values ($1, $2, $3::uuid, 'app', 'victim/hello/app', 'container', 'sha256:' || repeat('0', 64), 'system:test', now(), now())",
    ] {
        sqlx::query(insert).bind(id).bind(tenant.0).bind(project).execute(&mut c).await.unwrap();
    }
    id.to_string()
}

/// What stands for a parameter in a path: something of the victim's. By the first word of the path and the name.
fn path_value(victim: &Victim, collection: &str, name: &str) -> Option<String> {
    Some(match (collection, name) {
        ("tenants", "id") => "victim".into(),
        ("tenants", "capability") => "build".into(),
        ("tenants" | "projects" | "images", "user_id") | ("users", "id") => victim.member.user_id.unwrap().to_string(),
        ("projects", "id") => victim.project.clone(),
        ("projects", "name") => "TOKEN".into(),
        ("projects", "rule_id") => victim.rule.clone(),
        ("projects", "run_id") => victim.run.clone(),
        ("projects", "registry") => "docker.io".into(),
        ("api-keys", "id") => victim.api_key.clone(),
        ("robot-accounts", "id") => victim.robot.clone(),
        ("builds", "id") => victim.build.clone(),
        ("images", "id") => victim.image.clone(),
        ("images", "reference") => format!("sha256:{}", "0".repeat(64)),
        ("images", "tag") => "v1".into(),
        ("system", "id") => Uuid::nil().to_string(),
        _ => return None,
    })
}

/// A JSON body that would be accepted. By operation id.
fn body(operation: &str) -> Option<Value> {
    Some(match operation {
        "create_build" => json!({
            "project": "hello", "method": "docker", "source": {"dockerfile": "FROM scratch\n"}, "start": false
        }),
        "pause_dispatcher" | "drain_dispatcher" | "resume_dispatcher" => json!({"reason": "for this test"}),
        "replace_concurrency_policy" => json!({
            "max_concurrent_builds": 2, "max_concurrent_per_project": 2, "docker_max_concurrent": 2,
            "container_max_concurrent": 2, "kaniko_max_concurrent": 2, "priority_dispatch_enabled": true,
            "max_queued_wait_minutes": 60
        }),
        "login" => json!({"email": "nobody@example.com", "password": "not the password"}),
        "refresh_session" | "logout" => json!({"refresh_token": "none"}),
        "change_password" => json!({"current_password": "not the password", "new_password": "another long password"}),
        "create_user" => json!({"email": "new@example.com", "name": "New"}),
        "create_tenant" => json!({"slug": "new-tenant", "name": "New"}),
        "add_member" => json!({"email": "newer@example.com", "role": "viewer"}),
        "update_member" => json!({"role": "developer"}),
        "set_capability" => json!({"entitled": true, "reason": "for this test"}),
        "set_quota" => json!({
            "builds_queued_max": 9, "builds_running_max": 9, "storage_bytes_max": 9_000_000, "retention_days": 9
        }),
        "start_storage_run" => json!({"kind": "collect", "dry_run": true}),
        "replace_retention_policy" | "preview_retention_policy" => json!({"untagged_after_days": 30}),
        "create_api_key" => json!({"name": "other", "scopes": ["project:read"]}),
        "create_project" => json!({"slug": "other"}),
        "create_replication_rule" => json!({
            "name": "mirror", "direction": "push", "url": "https://registry.example.com", "images": ["web"]
        }),
        "update_replication_rule" => json!({"enabled": false}),
        "create_robot_account" => json!({"name": "ci", "actions": ["pull"]}),
        "update_robot_account" => json!({"description": "for this test"}),
        "update_image" => json!({"visibility": "project"}),
        "set_image_member" => json!({"role": "writer"}),
        "update_user" | "update_tenant" | "update_project" => json!({"name": "Other"}),
        "set_project_member" => json!({"role": "viewer"}),
        "set_registry_credential" => json!({"username": "bob", "password": "y"}),
        "set_upstream" => json!({"url": "https://registry.example.com"}),
        "set_secret" => json!({"kind": "opaque", "value": "y"}),
        _ => return None,
    })
}

/// What those who may call it do not find on a fresh installation.
const MISSING: &[(&str, &str)] = &[
    ("get_build_metrics", "a build that has not run has none"),
    ("get_storage_run", "no run has this id"),
    ("get_image_manifest", "the image is without content"),
    ("delete_image_manifest", "the image is without content"),
    ("delete_image_tag", "the image is without content"),
];

/// A body of another media type that would be accepted. By operation id.
fn other_body(operation: &str) -> Option<(&'static str, Vec<u8>)> {
    match operation {
        "upload_context" => {
            let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
            let mut header = tar::Header::new_gnu();
            header.set_size(13);
            archive.append_data(&mut header, "Dockerfile", &b"FROM scratch\n"[..]).unwrap();
            Some(("application/gzip", archive.into_inner().unwrap().finish().unwrap()))
        }
        _ => None,
    }
}

fn json_of(operation: &str) -> Value {
    body(operation).unwrap()
}

/// Who may call an operation.
#[derive(Clone, Copy)]
enum Access {
    Public,
    Authenticated,
    Tenant(Permission),
    System(SystemPermission),
}

struct Operation {
    id: String,
    method: Method,
    /// Filled in.
    path: String,
    body: Option<(&'static str, Vec<u8>)>,
    /// The path names something of the victim's.
    aims: bool,
    access: Access,
}

impl Operation {
    /// Status and code of the answer; an endless one is not read.
    async fn call(&self, client: &Client) -> (StatusCode, String) {
        let mut request = client.request(self.method.clone(), &self.path);
        if let Some((media, body)) = &self.body {
            request = request.header("content-type", *media).body(body.clone());
        }
        let response = client.http.execute(request.build().unwrap()).await.unwrap();
        let status = response.status();
        if status.is_success() {
            return (status, String::new());
        }
        let body: Value = response.json().await.unwrap_or_default();
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    }
}

fn operations(document: &Value, victim: &Victim, faults: &mut Vec<String>) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let Some(id) = described["operationId"].as_str() else {
                faults.push(format!("{method} {path} has no operation id"));
                continue;
            };
            let access = match described["x-access"].as_str() {
                Some("public") => Access::Public,
                Some("authenticated") => Access::Authenticated,
                Some(text) if text.parse::<Permission>().is_ok() => Access::Tenant(text.parse().unwrap()),
                Some(text) if text.parse::<SystemPermission>().is_ok() => Access::System(text.parse().unwrap()),
                other => {
                    faults.push(format!("{id}: x-access is {other:?}; declare public, authenticated or a permission"));
                    continue;
                }
            };
            let collection = path.trim_start_matches('/').split('/').next().unwrap();
            let mut filled = path.clone();
            let mut complete = true;
            for name in path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}')) {
                if let Some(value) = path_value(victim, collection, name) {
                    filled = filled.replace(&format!("{{{name}}}"), &value);
                } else {
                    complete = false;
                    faults.push(format!(
                        "{id}: say in `path_value` (tests/it/house/access.rs) what stands for {name} in {path}"
                    ));
                }
            }
            let mut sent = None;
            if let Some(content) = described["requestBody"]["content"].as_object() {
                let json = body(id).filter(|_| content.contains_key("application/json"));
                sent = json.map(|j| ("application/json", j.to_string().into_bytes())).or_else(|| other_body(id));
                if sent.is_none() {
                    complete = false;
                    faults.push(format!("{id}: give a valid body in `body` (tests/it/house/access.rs)"));
                }
            }
            if complete {
                let (id, aims) = (id.to_owned(), path.contains('{'));
                operations.push(Operation { id, method, path: filled, body: sent, aims, access });
            }
        }
    }
    operations
}

/// A key of the victim's owner with every permission but one.
async fn all_but(victim: &Victim, missing: Permission) -> Client {
    let scopes: Vec<_> = Permission::ALL.iter().filter(|p| **p != missing).collect();
    let made = victim.owner.post("/api-keys", json!({"name": "all but one", "scopes": scopes})).await.expect(201);
    victim.owner.with_token(made["key"].as_str().unwrap())
}

#[tokio::test]
async fn every_operation_refuses_those_who_may_not() {
    let app = TestApp::with(|c| c.server.requests_per_second = 100_000).await;
    let victim = Victim::new(&app).await;
    let mut faults = Vec::new();
    let document = app.anonymous().get("/openapi.json").await.expect(200);
    let operations = operations(&document, &victim, &mut faults);
    assert!(operations.len() > 20, "the document has the operations");

    let refused = |status: StatusCode| matches!(status.as_u16(), 403 | 404);
    let nobody = app.anonymous();
    let stranger = app.member(&app.tenant("stranger").await, TenantRole::Owner).await;
    let mut roles = BTreeMap::new();
    for role in TenantRole::ALL {
        let tenant = crate::support::Tenant {
            id: app.app.tenants.slug_to_id("victim").await.unwrap().unwrap(),
            slug: "victim".into(),
        };
        roles.insert(*role, app.member(&tenant, *role).await);
    }
    let mut system_roles = BTreeMap::new();
    for role in SystemRole::ALL {
        system_roles.insert(*role, app.person(&[*role]).await.in_tenant("victim"));
    }
    let mut keys = BTreeMap::new();

    for operation in &operations {
        let id = &operation.id;
        let mut expect = |who: &str, ok: bool, answer: (StatusCode, String)| {
            if !ok {
                faults.push(format!("{id}: {who} gets {} {}", answer.0, answer.1));
            }
        };
        let answer = operation.call(&nobody).await;
        if matches!(operation.access, Access::Public) {
            expect("somebody without a token", answer.1 != "auth.required", answer);
            continue;
        }
        expect("somebody without a token", answer.0 == 401 && answer.1 == "auth.required", answer);
        let answer = operation.call(&nobody.with_token("forged")).await;
        expect("somebody with a forged token", answer.0 == 401, answer);
        let answer = operation.call(&stranger.in_tenant("victim")).await;
        expect("an owner of another tenant who names this one", refused(answer.0), answer);
        if operation.aims {
            let answer = operation.call(&stranger).await;
            expect("an owner of another tenant with ids of this one", refused(answer.0), answer);
        }
        match operation.access {
            Access::Public | Access::Authenticated => {}
            Access::Tenant(permission) => {
                if let Entry::Vacant(missing) = keys.entry(permission) {
                    missing.insert(all_but(&victim, permission).await);
                }
                let answer = operation.call(&keys[&permission]).await;
                expect(&format!("a key with everything but {permission}"), refused(answer.0), answer);
                for (role, client) in roles.iter().filter(|(r, _)| !r.permissions().has(permission)) {
                    let answer = operation.call(client).await;
                    expect(&format!("a member with the role {role:?}"), refused(answer.0), answer);
                }
                for (role, client) in system_roles.iter().filter(|(r, _)| !r.tenant_permissions().has(permission)) {
                    let answer = operation.call(client).await;
                    expect(&format!("somebody with the system role {role:?}"), refused(answer.0), answer);
                }
            }
            Access::System(permission) => {
                let answer = operation.call(&victim.owner).await;
                expect("an owner of the tenant", refused(answer.0), answer);
                for (role, client) in system_roles.iter().filter(|(r, _)| !r.permissions().contains(&permission)) {
                    let answer = operation.call(client).await;
                    expect(&format!("somebody with the system role {role:?}"), refused(answer.0), answer);
                }
            }
        }
    }

    // And those who may are let in: else the refusals above prove nothing.
    let order = |o: &&Operation| match o.method {
        Method::GET => 0,
        Method::DELETE => 2,
        _ => 1,
    };
    let mut allowed: Vec<_> = operations.iter().collect();
    // What is inside something is deleted before it.
    allowed.sort_by_key(|o| (order(o), std::cmp::Reverse(o.path.matches('/').count())));
    for operation in allowed {
        let client = match operation.access {
            Access::Public | Access::Authenticated => continue,
            Access::Tenant(_) => &victim.owner,
            Access::System(_) => &system_roles[&SystemRole::SystemAdmin],
        };
        let (status, code) = operation.call(client).await;
        let missing = status == 404 && MISSING.iter().any(|(id, _)| *id == operation.id);
        if !(status.is_success() || status == 409 || missing) {
            faults.push(format!(
                "{}: those who may call it get {status} {code}: correct its line in tests/it/house/access.rs",
                operation.id
            ));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
