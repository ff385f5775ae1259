//! Bad input is refused in full before anything is stored.

use crate::support::api::{archive, busybox};
use crate::support::server::ServerProcess;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_gets_all_its_faults_at_once() {
    let (server, api) = ServerProcess::start(&[]).await;
    let body = json!({
        "project": "hello", "method": "docker", "extra": 1, "priority": 101, "tags": ["ok", "_no"], "image": "NO",
        "source": {"git": {"url": "https://example.com/x.git", "ref": "main", "branch": "x"}},
    });
    assert_eq!(
        api.post("/builds", &body).await.faults(),
        ["/extra unknown_field", "/priority too_large", "/source/git/branch unknown_field"],
        "shape first"
    );
    let body = json!({
        "project": "hello", "method": "docker", "tags": ["ok", "_no"], "image": "NO", "timeout_seconds": 999_999,
        "source": {"git": {"url": "file:///etc", "ref": "-x", "credential": "nope"}, "dockerfile": "FROM scratch"},
        "config": {"secrets": [{"id": "a", "secret": "GONE"}]},
    });
    let faults = api.post("/builds", &body).await.faults();
    for pointer in [
        "/source ",
        "/source/git/url",
        "/source/git/ref",
        "/source/git/credential",
        "/tags/1",
        "/image",
        "/timeout_seconds",
        "/config/secrets",
    ] {
        assert!(faults.iter().any(|f| f.starts_with(pointer)), "{pointer} in {faults:#?}");
    }
    let body = json!({"project": "hello", "method": "docker", "source": {"dockerfile": "FROM scratch"}, "config": {"nope": 1, "build_args": 3}});
    let faults = api.post("/builds", &body).await.faults();
    assert_eq!(faults, ["/config/build_args wrong_type", "/config/nope unknown_field"]);
    let body =
        json!({"project": "hello", "method": "docker", "source": {"dockerfile": "FROM scratch"}, "image": "cache"});
    assert_eq!(api.post("/builds", &body).await.faults(), ["/config/cache_repo is_image"]);
    assert_eq!(api.get("/builds").await.expect(200)["items"], json!([]), "nothing was stored");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_oversized_bodies_get_a_clear_answer() {
    let (_server, api) = ServerProcess::start(&[("IMAGE_FACTORY_BUILDS__MAX_CONTEXT_BYTES", "100000")]).await;
    let send = |body: &'static str, kind: &'static str| {
        api.raw(Method::POST, "/builds").header("content-type", kind).body(body)
    };
    assert_eq!(send("{", "application/json").send().await.unwrap().status(), 400);
    assert_eq!(send("{}", "text/plain").send().await.unwrap().status(), 415);
    assert_eq!(api.post("/projects/hello/contexts", &json!({})).await.problem(415), "context.media_type");
    assert_eq!(api.post("/projects/none/contexts", &json!({})).await.problem(404), "not_found");
    assert_eq!(api.upload_bytes("none", archive(&[("a", b"x", 0o644)])).await.problem(404), "not_found");
    assert_eq!(api.upload_bytes("hello", b"hello".to_vec()).await.problem(422), "context.invalid");
    let noise: Vec<u8> = rand::RngExt::random_iter(rand::rng()).take(200_000).collect();
    assert_eq!(api.upload_bytes("hello", archive(&[("noise", &noise, 0o644)])).await.problem(413), "storage.too_large");
    assert_eq!(api.upload_bytes("hello", traversal()).await.problem(422), "context.invalid");
    assert_eq!(api.upload_bytes("hello", archive(&[("busybox", &busybox()[..1000], 0o755)])).await.status, 201);
    let huge = format!("{{\"project\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let answer = api.raw(Method::POST, "/builds").header("content-type", "application/json").body(huge).send().await;
    // The server may answer and close before all is sent.
    if let Ok(answer) = answer {
        assert_eq!(answer.status(), 413);
    }
}

/// An archive with `../evil`, which no honest packer writes.
fn traversal() -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..7].copy_from_slice(b"../evil");
    header.set_size(1);
    header.set_mode(0o644);
    header.set_cksum();
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    tar.append(&header, &b"x"[..]).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_git_host_in_a_private_network_is_refused() {
    let (_server, api) = ServerProcess::start(&[]).await;
    for url in ["http://127.0.0.1:1/x.git", "https://169.254.169.254/latest", "git://10.0.0.1/x", "ssh://git@[::1]/x"] {
        let body = json!({"project": "hello", "method": "docker", "source": {"git": {"url": url}}});
        assert_eq!(api.post("/builds", &body).await.faults(), ["/source/git/url egress.private_address"], "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_build_waits_for_its_start_and_can_be_cancelled() {
    let (_server, api) = ServerProcess::start(&[("IMAGE_FACTORY_DISPATCH__ENABLED", "false")]).await;
    let body =
        json!({"project": "hello", "method": "docker", "source": {"dockerfile": "FROM scratch"}, "start": false});
    let id = api.submit(&body).await;
    assert_eq!(api.get(&format!("/builds/{id}")).await.expect(200)["status"], "pending");
    let build = api.post(&format!("/builds/{id}/start"), &json!({})).await.expect(202);
    assert_eq!(build["status"], "queued");
    assert_eq!(build["waiting"][0]["code"], "no_worker", "{build:#}");
    assert_eq!(api.post(&format!("/builds/{id}/start"), &json!({})).await.problem(409), "build.not_pending");
    assert_eq!(api.post(&format!("/builds/{id}/retry"), &json!({})).await.problem(409), "build.not_final");
    let second =
        api.submit(&json!({"project": "hello", "method": "docker", "source": {"dockerfile": "FROM scratch"}})).await;
    let second = api.get(&format!("/builds/{second}")).await.expect(200);
    assert_eq!(second["number"], 2);
    assert!(second["waiting"].as_array().unwrap().iter().any(|w| w["code"] == "queue"), "{second:#}");
    let build = api.post(&format!("/builds/{id}/cancel"), &json!({})).await.expect(202);
    assert_eq!((build["status"].as_str(), build["result"]["status"].as_str()), (Some("cancelled"), Some("cancelled")));
    let history = api.get(&format!("/builds/{id}/history")).await.expect(200);
    let path: Vec<_> = history["items"].as_array().unwrap().iter().map(|h| h["to_status"].as_str().unwrap()).collect();
    assert_eq!(path, ["pending", "queued", "cancelled"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_waits_is_started_only_while_its_tenant_and_project_may_build() {
    let (server, api) = ServerProcess::start(&[("IMAGE_FACTORY_DISPATCH__ENABLED", "false")]).await;
    let admin = crate::support::api::Api::login(&server.url(), "admin@example.test", ServerProcess::password())
        .await
        .in_tenant("acme");
    let body = json!({
        "project": "hello", "method": "docker", "source": {"dockerfile": "FROM scratch"}, "start": false,
    });
    let pending = api.submit(&body).await;
    let ended = api.submit(&body).await;
    api.post(&format!("/builds/{ended}/cancel"), &json!({})).await.expect(202);
    let refused = async |code: &str| {
        for path in [format!("/builds/{pending}/start"), format!("/builds/{ended}/retry")] {
            let answer = api.post(&path, &json!({})).await;
            assert_eq!(answer.body["code"], code, "{path}: {:#}", answer.body);
        }
    };
    let allow = async |entitled: bool| {
        let body = json!({"entitled": entitled, "reason": "a test"});
        admin.put("/tenants/acme/capabilities/build", &body).await.expect_success();
    };
    allow(false).await;
    refused("tenant_capability_not_entitled").await;
    allow(true).await;
    api.post("/projects/hello/archive", &json!({})).await.expect_success();
    refused("project.archived").await;
    api.post("/projects/hello/restore", &json!({})).await.expect_success();
    api.post(&format!("/builds/{pending}/start"), &json!({})).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_quota_and_idempotency_hold() {
    let (server, api) = ServerProcess::start(&[("IMAGE_FACTORY_DISPATCH__ENABLED", "false")]).await;
    let admin = crate::support::api::Api::login(&server.url(), "admin@example.test", ServerProcess::password())
        .await
        .in_tenant("acme");
    let mut quota = admin.get("/tenants/acme/quota").await.expect(200);
    quota["builds_queued_max"] = json!(2);
    admin.put("/tenants/acme/quota", &quota).await.expect_success();
    let body = json!({"project": "hello", "method": "docker", "source": {"dockerfile": "FROM scratch"}});
    let send = |key: &'static str| api.raw(Method::POST, "/builds").header("idempotency-key", key).json(&body).send();
    let first: Value = send("one").await.unwrap().json().await.unwrap();
    let again = send("one").await.unwrap();
    assert_eq!((again.status().as_u16(), again.headers()["idempotency-replayed"].to_str().unwrap()), (202, "true"));
    assert_eq!(again.json::<Value>().await.unwrap()["id"], first["id"]);
    api.submit(&body).await;
    let full = api.post("/builds", &body).await;
    assert_eq!(full.problem(429), "quota.builds_queued");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_repeated_after_a_crash_or_a_broken_connection_makes_one_build() {
    let (server, api) = ServerProcess::start(&[("IMAGE_FACTORY_DISPATCH__ENABLED", "false")]).await;
    let body = json!({"project": "hello", "method": "docker", "source": {"dockerfile": "FROM scratch"}});
    let send = |path: &str, key: &str| api.raw(Method::POST, path).header("idempotency-key", key).json(&body);
    let mut db = server.db().connect().await;

    // As a process leaves it that died between the commit of the build and the record of its answer.
    let first: Value = send("/builds", "crash").send().await.unwrap().json().await.unwrap();
    let died = "update idempotency_keys set status = null, headers = null, body = null,
                                            created_at = now() - interval '2 minutes'";
    sqlx::query(died).execute(&mut db).await.unwrap();
    let again: Value = send("/builds", "crash").send().await.unwrap().json().await.unwrap();
    assert_eq!(again["id"], first["id"]);
    api.post(&format!("/builds/{}/cancel", first["id"].as_str().unwrap()), &json!({})).await.expect(202);
    let retry = format!("/builds/{}/retry", first["id"].as_str().unwrap());
    let first: Value = send(&retry, "retry").send().await.unwrap().json().await.unwrap();
    sqlx::query(died).execute(&mut db).await.unwrap();
    let again: Value = send(&retry, "retry").send().await.unwrap().json().await.unwrap();
    assert_eq!(again["id"], first["id"]);

    // The client hangs up while the request waits for the database.
    let mut lock = db.begin().await.unwrap();
    sqlx::query("lock table builds in exclusive mode").execute(&mut *lock).await.unwrap();
    let cut = send("/builds", "cut").timeout(Duration::from_millis(500)).send().await;
    assert!(cut.is_err_and(|e| e.is_timeout()));
    lock.commit().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let answer = loop {
        let answer = send("/builds", "cut").send().await.unwrap();
        if answer.status() != 409 {
            break answer;
        }
        assert!(Instant::now() < deadline, "the first request never ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(answer.headers().contains_key("idempotency-replayed"), "it ran to its end without the client");
    let builds = api.get("/builds").await.expect(200);
    assert_eq!(builds["items"].as_array().unwrap().len(), 3, "{builds:#}");
}
