//! Projects that are a cache of another registry, which is a real one.

use super::tools::base;
use crate::sim::upstream::OneBlob;
use crate::support::hub::{Client, noise, refusal};
use crate::support::programs::{run, succeed};
use crate::support::reference::{Reference, allow_loopback};
use crate::support::{self, PASSWORD, TestApp};
use futures::StreamExt;
use image_factory::app::App;
use image_factory::config::Config;
use image_factory::kernel::Digest;
use image_factory::platform::tasks::Tasks;
use image_factory::platform::{http, telemetry};
use image_factory::tenancy::access::TenantRole;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A service whose project `acme/hub` may become a cache, its owner, and the owner as a client of its registry.
async fn service() -> (TestApp, support::Client, Client) {
    let app = TestApp::with(allow_loopback).await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    owner.post("/projects", json!({"slug": "hub"})).await.expect(201);
    let host = app.url.trim_start_matches("http://").to_owned();
    let client = Client::new(&host, Some((&owner.email, PASSWORD)));
    (app, owner, client)
}

/// Another process of the same service.
async fn replica(app: &TestApp) -> String {
    let tasks = Tasks::default();
    let config = Config::clone(&app.app.config);
    let other = App::wire(config, tasks.clone(), telemetry::init_metrics().unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let router = image_factory::server::router(&other).unwrap();
    let server = other.config.server.clone();
    tasks.clone().spawn("http", async move { http::serve(listener, router, &server, &tasks).await });
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_pulled_through_follows_its_tag_and_outlives_the_upstream() {
    let mut upstream = Reference::start().await;
    let (app, owner, client) = service().await;
    let url = format!("http://{}", upstream.host);
    let settings = json!({"url": url, "username": "ann", "password": "secret", "freshness_seconds": 0});
    let set = owner.put("/projects/hub/upstream", settings).await.expect(200);
    assert_eq!((&set["username"], &set["version"]), (&json!("ann"), &json!(1)));

    let folder = tempfile::tempdir().unwrap();
    let layout = base(folder.path());
    let copy = ["copy", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"];
    let there = format!("docker://{}/team/app:v1", upstream.host);
    succeed("skopeo", &[&copy[..], &["--dest-creds", Reference::LOGIN, &layout, &there]].concat());

    let here = format!("docker://{}/acme/hub/team/app:v1", app.url.trim_start_matches("http://"));
    let login = format!("{}:{PASSWORD}", owner.email);
    let pull = |target: &str| {
        let target = format!("oci:{}:x", folder.path().join(target).display());
        run("skopeo", &[&copy[..], &["--src-creds", &login, &here, &target]].concat())
    };
    assert!(pull("first").status.success());
    // All of it is here now, so it is an image like others.
    let images = owner.get("/images?name=team/app").await.expect(200);
    let image = images["items"][0]["id"].as_str().unwrap_or_else(|| panic!("{images:#}")).to_owned();
    let tags = owner.get(&format!("/images/{image}/tags")).await.expect(200);
    assert_eq!(tags["items"][0]["name"], "v1");
    let first = client.head("/v2/acme/hub/team/app/manifests/v1").await;
    let first = first.headers()["docker-content-digest"].to_str().unwrap().to_owned();

    // The tag moves there.
    let there_client = Client::new(&upstream.host, Some(("ann", "secret")));
    let path = |reference: &str| format!("/v2/team/app/manifests/{reference}");
    let manifest: Value = there_client
        .request(Method::GET, &path("v1"))
        .header("accept", "application/vnd.oci.image.manifest.v1+json")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let mut moved = manifest.clone();
    moved["annotations"] = json!({"moved": "yes"});
    let moved_digest = Digest::of(moved.to_string().as_bytes()).to_string();
    there_client.manifest("team/app", "v1", &moved).await;
    let now = client.get("/v2/acme/hub/team/app/manifests/v1").await;
    assert_eq!(now.headers()["docker-content-digest"].to_str().unwrap(), moved_digest);
    assert_eq!(client.get(&format!("/v2/acme/hub/team/app/manifests/{first}")).await.status(), 200);
    assert_eq!(client.get("/v2/acme/hub/team/app/manifests/none").await.status(), 404);
    assert_eq!(client.get("/v2/acme/hub/team/none/manifests/v1").await.status(), 404);

    upstream.kill();
    assert!(pull("stale").status.success());
    let unknown = client.get("/v2/acme/hub/team/other/manifests/v1").await;
    assert_eq!(unknown.status(), StatusCode::SERVICE_UNAVAILABLE);

    let refused = client.request(Method::POST, "/v2/acme/hub/team/app/blobs/uploads/").send().await.unwrap();
    assert_eq!(refusal(refused).await, (403, "DENIED".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_is_sent_while_it_is_stored_and_fetched_once_for_all_processes() {
    let (app, owner, client) = service().await;
    let bytes = noise(4_000_000, 7);
    let (upstream, url) = OneBlob::start(bytes.clone()).await;
    owner.put("/projects/hub/upstream", json!({"url": url})).await.expect(200);
    let path = format!("/v2/acme/hub/app/blobs/{}", Digest::of(&bytes));
    let mut first = client.get(&path).await;
    assert_eq!((first.status().as_u16(), first.content_length()), (200, Some(4_000_000)));
    let mut seen = Vec::new();
    while seen.len() < 1_000_000 {
        seen.extend_from_slice(&first.chunk().await.unwrap().unwrap());
    }
    // Half of it is there, and somebody else wants it, or a part.
    let second = Client::new(&replica(&app).await, client.credentials.as_ref().map(|(u, p)| (&**u, &**p)));
    let whole = second.get(&path).await;
    let part = second.request(Method::GET, &path).header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!((whole.status().as_u16(), part.status().as_u16(), upstream.gets()), (200, 206, 1));
    upstream.go_on();
    while let Some(piece) = first.chunk().await.unwrap() {
        seen.extend_from_slice(&piece);
    }
    assert!(seen == bytes);
    assert!(whole.bytes().await.unwrap() == bytes);
    assert_eq!(part.bytes().await.unwrap().to_vec(), bytes[10..20]);
    assert_eq!(upstream.gets(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_is_kept_when_its_client_goes_away_and_not_when_it_is_another() {
    let (_app, owner, client) = service().await;
    let bytes = noise(2_000_000, 8);
    let (upstream, url) = OneBlob::start(bytes.clone()).await;
    owner.put("/projects/hub/upstream", json!({"url": url})).await.expect(200);
    let good = format!("/v2/acme/hub/app/blobs/{}", Digest::of(&bytes));
    let mut gone = client.get(&good).await;
    gone.chunk().await.unwrap().unwrap();
    drop(gone);
    upstream.go_on();
    assert!(client.get(&good).await.bytes().await.unwrap() == bytes);
    assert_eq!(upstream.gets(), 1);

    let wrong = format!("/v2/acme/hub/app/blobs/{}", Digest::of(b"something else"));
    for fetched in [2, 3] {
        let mut body = client.get(&wrong).await.bytes_stream();
        let mut received = 0;
        let broken = loop {
            match body.next().await {
                Some(Ok(piece)) => received += piece.len(),
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        assert!(broken && received < bytes.len(), "{received}");
        assert_eq!(upstream.gets(), fetched);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_wants_tokens_is_given_them() {
    let (there, there_owner, _) = service().await;
    there_owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    let host = there.url.trim_start_matches("http://").to_owned();
    let there_client = Client::new(&host, Some((&there_owner.email, PASSWORD)));
    let layer = noise(300_000, 5);
    let manifest = there_client.image("acme/hello/web", "v1", &[&layer]).await;

    let (_here, owner, client) = service().await;
    // The path of the address stands before the names.
    let url = format!("{}/acme/hello", there.url);
    let settings = json!({"url": url, "username": there_owner.email, "password": PASSWORD});
    owner.put("/projects/hub/upstream", settings).await.expect(200);
    let pulled = client.get("/v2/acme/hub/web/manifests/v1").await;
    assert_eq!(pulled.status(), 200);
    assert_eq!(pulled.text().await.unwrap(), manifest.to_string());
    let blob = client.get(&format!("/v2/acme/hub/web/blobs/{}", Digest::of(&layer))).await;
    assert!(blob.bytes().await.unwrap() == layer);

    let nobody = owner.put("/projects/hub/upstream", json!({"url": url})).await.expect(200);
    assert_eq!((&nobody["username"], &nobody["version"]), (&Value::Null, &json!(2)));
    assert_eq!(client.get("/v2/acme/hub/web/manifests/v2").await.status(), 404);
}

#[tokio::test]
async fn settings_are_checked_versioned_and_recorded() {
    let (app, owner, client) = service().await;
    let path = "/projects/hub/upstream";
    owner.get(path).await.refused(404, "not_found");
    for (settings, expected) in [
        (json!({"url": "ftp://example.com"}), "/url wrong_format"),
        (json!({"url": "https://10.1.2.3"}), "/url private_address"),
        (json!({"url": "https://example.com", "username": "ann"}), "/password required"),
        (json!({"url": "https://example.com", "password": "x"}), "/username required"),
    ] {
        assert_eq!(owner.put(path, settings.clone()).await.faults(), [expected], "{settings}");
    }
    let settings = json!({"url": "http://127.0.0.1:1", "username": "ann", "password": "swordfish"});
    let set = owner.put(path, settings.clone()).await;
    assert_eq!(set.header("etag"), "\"1\"");
    assert!(!set.expect(200).to_string().contains("swordfish"));
    let stale = owner.request(Method::PUT, path).header("if-match", "\"7\"").json(&settings);
    owner.send(stale).await.refused(412, "version.stale");
    assert!(!owner.get(path).await.expect(200).to_string().contains("swordfish"));
    let sealed: Vec<u8> = sqlx::query_scalar("select sealed from registry_upstreams")
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("swordfish"));
    owner.delete(path).await.expect(204);
    owner.get(path).await.refused(404, "not_found");
    let trail = owner.get("/audit-events?action=upstream.set").await.expect(200);
    assert_eq!(trail["items"].as_array().unwrap().len(), 1);
    assert!(!trail.to_string().contains("swordfish"));

    client.image("acme/hub/mine", "v1", &[b"layer"]).await;
    owner.put(path, settings).await.refused(409, "upstream.project_in_use");
}
