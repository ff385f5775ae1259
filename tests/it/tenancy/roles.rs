//! Roles: what each may do through the API, and that `docs/reference/roles.md` says so.

use crate::support::TestApp;
use image_factory::tenancy::access::{Permission, SystemPermission, SystemRole, TenantRole};
use serde_json::json;
use std::fmt::Write;
use std::path::Path;

#[tokio::test]
async fn every_role_may_do_what_its_permissions_say_and_nothing_else() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    for role in TenantRole::ALL {
        let client = app.member(&acme, *role).await;
        let has = |p| role.permissions().has(p);
        let slug = format!("by-{}", role.as_str().replace('_', "-"));
        let replies = [
            (Permission::TenantRead, client.get("/tenants/acme").await),
            (Permission::TenantUpdate, client.patch("/tenants/acme", json!({"name": "Acme"})).await),
            (Permission::MemberRead, client.get("/tenants/acme/members").await),
            (
                Permission::MemberManage,
                client
                    .post("/tenants/acme/members", json!({"email": app.person(&[]).await.email, "role": "viewer"}))
                    .await,
            ),
            (Permission::ProjectRead, client.get("/projects/hello").await),
            (Permission::ProjectCreate, client.post("/projects", json!({"slug": slug})).await),
            (Permission::ProjectUpdate, client.patch("/projects/hello", json!({"name": "Hello"})).await),
            (
                Permission::SecretManage,
                client.put("/projects/hello/secrets/A", json!({"kind": "opaque", "value": "x"})).await,
            ),
            (Permission::AuditRead, client.get("/audit-events").await),
            (Permission::ApiKeyManage, client.get("/api-keys").await),
        ];
        for (permission, reply) in replies {
            if has(permission) {
                assert!(reply.status.is_success(), "{role:?} has {permission}: {reply:?}");
            } else {
                assert_eq!(reply.status, 403, "{role:?} has no {permission}: {reply:?}");
            }
        }
        for path in ["/users", "/tenants"] {
            client.get(path).await.refused(403, "access.denied");
        }
    }
}

#[tokio::test]
async fn an_auditor_reads_every_tenant_and_changes_nothing() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    app.member(&acme, TenantRole::Owner).await.post("/projects", json!({"slug": "hello"})).await.expect(201);
    let auditor = app.person(&[SystemRole::Auditor]).await;
    auditor.get("/tenants").await.expect(200);
    auditor.get("/users").await.expect(200);
    auditor.get("/audit-events?all_tenants=true").await.expect(200);
    let inside = auditor.in_tenant("acme");
    inside.get("/projects/hello").await.expect(200);
    inside.get("/audit-events").await.expect(200);
    inside.post("/projects", json!({"slug": "mine"})).await.refused(403, "access.denied");
    auditor.post("/tenants", json!({"slug": "mine", "name": "Mine"})).await.refused(403, "access.denied");
    // Whoever runs the machines does not see into tenants.
    let operator = app.person(&[SystemRole::PlatformOperator]).await;
    operator.get("/tenants").await.expect(200);
    operator.in_tenant("acme").get("/projects").await.refused(404, "not_found");
}

/// Set `UPDATE_DOCS=1` to write it anew.
#[test]
fn the_reference_of_roles_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/roles.md");
    let now = reference();
    #[expect(clippy::disallowed_methods, reason = "a switch of the developer, not of the product")]
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == now, "{} is not what the code says: run this test with UPDATE_DOCS=1", path.display());
}

fn reference() -> String {
    let mut out = String::from(
        "# Roles and permissions\n\n\
         Made from the source by the test `the_reference_of_roles_is_current`; run it with `UPDATE_DOCS=1` after a change.\n\n\
         A person has one role in each tenant they belong to, and may have a further role in single projects, which adds to\n\
         it, and on [single images](registry.md#who-may-do-what). An API key has the permissions among its scopes that its\n\
         owner has at the time of the request. Beyond a role, owners alone name and remove owners and add people who are new\n\
         to the installation.\n\n\
         ## In a tenant\n",
    );
    let columns: Vec<_> = TenantRole::ALL.iter().map(|r| (r.as_str(), r.permissions())).collect();
    table(
        &mut out,
        columns.iter().map(|(name, _)| *name),
        Permission::ALL.iter().map(|p| (p.as_str(), columns.iter().map(|(_, has)| has.has(*p)).collect())),
    );
    out.push_str("\n## In the whole installation\n");
    table(
        &mut out,
        SystemRole::ALL.iter().map(|r| r.as_str()),
        SystemPermission::ALL
            .iter()
            .map(|p| (p.as_str(), SystemRole::ALL.iter().map(|r| r.permissions().contains(p)).collect())),
    );
    out.push_str("\n## What a system role allows inside every tenant\n");
    table(
        &mut out,
        SystemRole::ALL.iter().map(|r| r.as_str()),
        Permission::ALL
            .iter()
            .map(|p| (p.as_str(), SystemRole::ALL.iter().map(|r| r.tenant_permissions().has(*p)).collect())),
    );
    out
}

fn table<'a>(out: &mut String, roles: impl Iterator<Item = &'a str>, rows: impl Iterator<Item = (&'a str, Vec<bool>)>) {
    let roles: Vec<_> = roles.map(|r| format!("`{r}`")).collect();
    let _ = writeln!(out, "\n| permission | {} |\n| --- |{}", roles.join(" | "), " --- |".repeat(roles.len()));
    for (permission, has) in rows {
        let marks: Vec<_> = has.into_iter().map(|h| if h { "yes" } else { "" }).collect();
        let _ = writeln!(out, "| `{permission}` | {} |", marks.join(" | "));
    }
}
