//! Tenants: members, owners, capabilities, quotas, status.

use crate::support::TestApp;
use image_factory::kernel::ids::UserId;
use image_factory::tenancy::access::{SystemRole, TenantRole};
use image_factory::tenancy::tenants::Capability;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_system_administrator_makes_a_tenant_and_gives_it_an_owner() {
    let app = TestApp::new().await;
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    admin.post("/tenants", json!({"slug": "acme", "name": "Acme"})).await.expect(201);
    admin.post("/tenants", json!({"slug": "acme", "name": "Acme"})).await.refused(409, "tenant.exists");
    for slug in ["a", "-acme", "acme-", "Acme", "ac_me", &"a".repeat(41)] {
        assert_eq!(admin.post("/tenants", json!({"slug": slug, "name": "x"})).await.status, 422, "{slug}");
    }
    let added =
        admin.post("/tenants/acme/members", json!({"email": "ann@example.com", "role": "owner"})).await.expect(201);
    assert!(added["one_time_password"].is_string());
    let listed = admin.get("/tenants/acme/members").await.expect(200);
    assert_eq!(listed["items"][0]["email"], "ann@example.com");
    assert_eq!(admin.get("/tenants").await.expect(200)["items"][0]["slug"], "acme");
}

#[tokio::test]
async fn a_tenant_is_not_called_as_an_address_of_the_server() {
    let app = TestApp::new().await;
    let root = app.person(&[SystemRole::SystemAdmin]).await;
    for slug in ["admin", "signin", "v2"] {
        let body = root.post("/tenants", json!({"slug": slug, "name": "No"})).await.expect(422);
        assert_eq!(
            (body["errors"][0]["pointer"].as_str(), body["errors"][0]["code"].as_str()),
            (Some("/slug"), Some("reserved"))
        );
    }
    root.post("/tenants", json!({"slug": "administration", "name": "Yes"})).await.expect(201);
}

#[tokio::test]
async fn only_owners_add_owners_and_people_new_to_the_installation() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let admin = app.member(&acme, TenantRole::Admin).await;
    let known = app.person(&[]).await;
    let add = |email: &str, role: &str| json!({"email": email, "role": role});
    let members = "/tenants/acme/members";
    admin.post(members, add(&known.email, "owner")).await.refused(403, "access.owners_only");
    assert_eq!(admin.post(members, add("new@example.com", "viewer")).await.faults(), ["/email unknown_user"]);
    admin.post(members, add(&known.email, "viewer")).await.expect(201);
    admin.post(members, add(&known.email, "viewer")).await.refused(409, "member.exists");
    owner.post(members, add("new@example.com", "owner")).await.expect(201);
    let path = |user: UserId| format!("{members}/{user}");
    admin.patch(&path(owner.user_id.unwrap()), json!({"role": "viewer"})).await.refused(403, "access.owners_only");
    admin.delete(&path(owner.user_id.unwrap())).await.refused(403, "access.owners_only");
    admin.patch(&path(admin.user_id.unwrap()), json!({"role": "owner"})).await.refused(403, "access.owners_only");
}

#[tokio::test]
async fn the_last_owner_stays_even_when_two_leave_at_once() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let (a, b) = (app.member(&acme, TenantRole::Owner).await, app.member(&acme, TenantRole::Owner).await);
    let leave = |c: &crate::support::Client| {
        let (c, path) = (c.clone(), format!("/tenants/acme/members/{}", c.user_id.unwrap()));
        async move { c.delete(&path).await }
    };
    let (x, y) = tokio::join!(leave(&a), leave(&b));
    let mut statuses = [x.status.as_u16(), y.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    let left = if x.status == 409 { a } else { b };
    let path = format!("/tenants/acme/members/{}", left.user_id.unwrap());
    left.patch(&path, json!({"role": "viewer"})).await.refused(409, "member.last_owner");
}

#[tokio::test]
async fn a_suspended_tenant_refuses_its_members_until_it_is_active_again() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    owner.patch("/tenants/acme", json!({"status": "suspended"})).await.refused(403, "access.denied");
    owner.patch("/tenants/acme", json!({"name": "Acme, Inc."})).await.expect(200);
    admin.patch("/tenants/acme", json!({"status": "suspended"})).await.expect(200);
    owner.in_tenant("acme").get("/projects").await.refused(403, "tenant.suspended");
    owner.get("/me").await.expect(200);
    assert!(app.app.tenants.slug_to_id("acme").await.unwrap().is_none());
    admin.in_tenant("acme").get("/projects").await.expect(200);
    admin.patch("/tenants/acme", json!({"status": "active"})).await.expect(200);
    owner.in_tenant("acme").get("/projects").await.expect(200);
}

#[tokio::test]
async fn a_tenant_without_a_capability_is_refused_with_an_entry_in_its_trail() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    let caller = TestApp::system(&acme);
    let require = async |capability| {
        let mut tx = app.app.db.tenant(acme.id).await.unwrap();
        app.app.tenants.require_capability(&mut tx, &caller, capability).await
    };
    require(Capability::Build).await.expect("building is on by default");
    assert_eq!(require(Capability::QuarantineRequest).await.unwrap_err().code(), "tenant_capability_not_entitled");

    let path = "/tenants/acme/capabilities/build";
    owner.put(path, json!({"entitled": false, "reason": "no"})).await.expect(422);
    owner.put(path, json!({"entitled": false, "reason": "we want"})).await.refused(403, "access.denied");
    admin.put(path, json!({"entitled": false, "reason": "unpaid"})).await.expect(200);
    assert_eq!(require(Capability::Build).await.unwrap_err().code(), "tenant_capability_not_entitled");
    let shown = owner.get("/tenants/acme/capabilities").await.expect(200);
    assert_eq!((&shown["items"][0]["entitled"], &shown["items"][0]["reason"]), (&json!(false), &json!("unpaid")));

    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    loop {
        let trail = owner.get("/audit-events?action=capability.refused").await.expect(200);
        if trail["items"].as_array().unwrap().len() == 2 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "both refusals are in the trail: {trail:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn quotas_are_set_by_system_administrators_from_what_they_read() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    let admin = app.person(&[SystemRole::SystemAdmin]).await;
    let reply = owner.get("/tenants/acme/quota").await;
    let tag = reply.header("etag").to_owned();
    let mut quota = reply.expect(200);
    quota["builds_running_max"] = json!(3);
    owner.put("/tenants/acme/quota", quota.clone()).await.refused(403, "access.denied");
    let put = |tag: &str, body| {
        admin.send(admin.request(reqwest::Method::PUT, "/tenants/acme/quota").header("If-Match", tag).json(&body))
    };
    put(&tag, quota.clone()).await.expect(200);
    put(&tag, quota.clone()).await.refused(412, "version.stale");
    assert_eq!(app.app.tenants.quota(acme.id).await.unwrap().builds_running_max, 3);
    quota["builds_running_max"] = json!(-1);
    quota["retention_days"] = json!(0);
    assert_eq!(
        admin.put("/tenants/acme/quota", quota).await.faults(),
        ["/builds_running_max too_small", "/retention_days too_small"]
    );
}

#[tokio::test]
async fn whoever_belongs_to_several_tenants_names_one_by_header_or_path() {
    let app = TestApp::new().await;
    let (acme, umbrella) = (app.tenant("acme").await, app.tenant("umbrella").await);
    let person = app.member(&acme, TenantRole::Viewer).await;
    person.get("/projects").await.expect(200);
    let new = image_factory::tenancy::tenants::NewMember {
        email: person.email.clone(),
        name: String::new(),
        role: TenantRole::Owner,
    };
    app.app.tenants.add_member(&TestApp::system(&umbrella), new).await.unwrap();
    assert_eq!(person.get("/projects").await.faults(), ["X-Tenant-ID required"]);
    person.in_tenant("acme").post("/projects", json!({"slug": "hello"})).await.refused(403, "access.denied");
    person.in_tenant(umbrella.id).post("/projects", json!({"slug": "hello"})).await.expect(201);
    assert_eq!(person.get("/tenants/umbrella").await.expect(200)["slug"], "umbrella");
    assert_eq!(person.get(&format!("/tenants/{}", acme.id)).await.expect(200)["slug"], "acme");
    person.in_tenant("acme").get("/tenants/umbrella").await.refused(404, "not_found");
    app.tenant("third").await;
    person.get("/tenants/third").await.refused(404, "not_found");
}
