//! Rules that copy images to and from other registries, which are real ones.

use crate::sim::upstream::OneBlob;
use crate::support::hub::{Client, descriptor, image_manifest, noise};
use crate::support::reference::{Reference, allow_loopback};
use crate::support::server::ServerProcess;
use crate::support::{self, PASSWORD, TestApp};
use image_factory::kernel::Digest;
use image_factory::tenancy::access::TenantRole;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const RULES: &str = "/projects/hub/replication-rules";

/// A service with the project `acme/hub`, its owner, and the owner as a client of its registry.
async fn service() -> (TestApp, support::Client, Client) {
    let app = TestApp::with(allow_loopback).await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    owner.post("/projects", json!({"slug": "hub"})).await.expect(201);
    let docker = app.docker(&owner);
    (app, owner, docker)
}

/// A rule that copies all images to another registry, changed by these fields.
fn rule(url: &str, login: Option<(&str, &str)>, fields: &Value) -> Value {
    let mut rule = json!({"name": "mirror", "direction": "push", "url": url, "images": ["*"]});
    if let Some((username, password)) = login {
        rule["username"] = username.into();
        rule["password"] = password.into();
    }
    rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    rule
}

/// Makes a rule and gives its path.
async fn made(owner: &support::Client, rule: Value) -> String {
    let rule = owner.post(RULES, rule).await.expect(201);
    format!("{RULES}/{}", rule["id"].as_str().unwrap())
}

/// Runs a rule and gives the run as it ends.
async fn ran(owner: &support::Client, rule: &str) -> Value {
    let run = owner.post(&format!("{rule}/run"), json!({})).await.expect(202);
    ended(owner, &run).await
}

async fn ended(owner: &support::Client, run: &Value) -> Value {
    let path = format!("/projects/hub/replication-runs/{}", run["id"].as_str().unwrap());
    for _ in 0..600 {
        let run = owner.get(&path).await.expect(200);
        if !run["finished_at"].is_null() {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the run does not end: {:#}", owner.get(&path).await.expect(200));
}

async fn items(owner: &support::Client, run: &Value, query: &str) -> Vec<Value> {
    let path = format!("/projects/hub/replication-runs/{}/items?{query}", run["id"].as_str().unwrap());
    owner.get(&path).await.expect(200)["items"].as_array().unwrap().clone()
}

async fn tags(client: &Client, repository: &str) -> Vec<String> {
    let list: Value = client.get(&format!("/v2/{repository}/tags/list")).await.json().await.unwrap();
    let mut tags: Vec<String> = serde_json::from_value(list["tags"].clone()).unwrap_or_default();
    tags.sort();
    tags
}

async fn text(client: &Client, repository: &str, reference: &str) -> String {
    let path = format!("/v2/{repository}/manifests/{reference}");
    let request = client.request(Method::GET, &path).header("accept", format!("{MANIFEST}, {INDEX}"));
    request.send().await.unwrap().text().await.unwrap()
}

fn of_run(run: &Value, names: &[&str]) -> Vec<i64> {
    names.iter().map(|n| run["counts"][*n].as_i64().unwrap()).collect()
}

/// A manifest without layers that is about another one.
fn about(subject: &Value, config: &[u8]) -> Value {
    let mut manifest = image_manifest(config, &[]);
    manifest["artifactType"] = "application/vnd.example.signature".into();
    manifest["subject"] = descriptor(MANIFEST, subject.to_string().as_bytes());
    manifest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_pushes_the_tags_that_it_covers_with_what_is_attached_to_them() {
    let there = Reference::start().await;
    let (_app, owner, here) = service().await;
    let shared = noise(400_000, 1);
    let web = here.image("acme/hub/web", "v1", &[&shared, b"web"]).await;
    here.image("acme/hub/web", "latest", &[&shared]).await;
    let arm = here.image("acme/hub/web", "parts", &[b"arm"]).await;
    here.image("acme/hub/team/api", "v2", &[&shared]).await;
    let entries = [&web, &arm].map(|m| descriptor(MANIFEST, m.to_string().as_bytes()));
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    here.manifest("acme/hub/web", "v1-all", &index).await;
    // A signer's tag, a referrer, and a referrer of that.
    let digest = Digest::of(web.to_string().as_bytes());
    let signer_tag = format!("sha256-{}.sig", digest.hex());
    here.image("acme/hub/web", &signer_tag, &[b"signature"]).await;
    let config = here.blob("acme/hub/web", "{}").await;
    let signature = about(&web, b"{}");
    let signed =
        here.manifest("acme/hub/web", &Digest::of(signature.to_string().as_bytes()).to_string(), &signature).await;
    let second = about(&signature, b"{}");
    let second_digest = Digest::of(second.to_string().as_bytes());
    here.manifest("acme/hub/web", &second_digest.to_string(), &second).await;

    let url = format!("http://{}/backup", there.host);
    let login = Some(("ann", "secret"));
    let path = made(&owner, rule(&url, login, &json!({"images": ["web", "team/*"], "tags": ["v*"]}))).await;
    let run = ran(&owner, &path).await;
    assert_eq!((&run["status"], &run["cause"], &run["error"]), (&json!("succeeded"), &json!("manual"), &Value::Null));
    assert_eq!(of_run(&run, &["total", "copied", "unchanged", "failed"]), [3, 3, 0, 0], "{run:#}");
    // What two images share is sent once.
    let bytes = run["counts"]["bytes"].as_i64().unwrap();
    assert!((400_000..500_000).contains(&bytes), "{run:#}");
    let done = items(&owner, &run, "limit=10").await;
    assert_eq!(done.iter().map(|i| i["tag"].as_str().unwrap()).collect::<Vec<_>>(), ["v2", "v1", "v1-all"]);

    let client = Client::new(&there.host, Some(("ann", "secret")));
    let fallback = format!("sha256-{}", digest.hex());
    let of_signature = format!("sha256-{}", signed.hex());
    let mut expected = vec![fallback.clone(), of_signature, signer_tag.clone(), "v1".to_owned(), "v1-all".to_owned()];
    expected.sort();
    assert_eq!(tags(&client, "backup/web").await, expected);
    for (reference, manifest) in [("v1", &web), ("v1-all", &index)] {
        assert_eq!(text(&client, "backup/web", reference).await, manifest.to_string());
    }
    assert_eq!(text(&client, "backup/web", &second_digest.to_string()).await, second.to_string());
    let listed: Value = serde_json::from_str(&text(&client, "backup/web", &fallback).await).unwrap();
    assert_eq!(listed["manifests"][0]["digest"], signed.to_string());
    let layer = client.get(&format!("/v2/backup/web/blobs/{}", Digest::of(&shared))).await;
    assert!(layer.bytes().await.unwrap() == shared);
    assert_eq!(client.get(&format!("/v2/backup/web/blobs/{config}")).await.status(), 200);

    // All of it is there; a new signature is not.
    let again = ran(&owner, &path).await;
    assert_eq!(of_run(&again, &["total", "copied", "unchanged", "bytes"]), [3, 0, 3, 0], "{again:#}");
    assert!(items(&owner, &again, "").await.is_empty());
    let another = about(&web, config_text(&here).await.as_bytes());
    let another_digest = Digest::of(another.to_string().as_bytes()).to_string();
    here.manifest("acme/hub/web", &another_digest, &another).await;
    let third = ran(&owner, &path).await;
    assert_eq!(of_run(&third, &["copied", "unchanged"]), [1, 2], "{third:#}");
    let listed: Value = serde_json::from_str(&text(&client, "backup/web", &fallback).await).unwrap();
    assert_eq!(listed["manifests"].as_array().unwrap().len(), 2, "{listed:#}");
    let shown = owner.get(&path).await.expect(200);
    assert_eq!((&shown["last_run"]["id"], &shown["username"]), (&third["id"], &json!("ann")));
}

/// Another config, pushed; gives it.
async fn config_text(here: &Client) -> String {
    here.blob("acme/hub/web", "{ }").await;
    "{ }".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_pulls_from_a_registry_that_wants_tokens_and_lists_its_images() {
    let (there, there_owner, other) = service().await;
    let layer = noise(300_000, 5);
    let web = other.image("acme/hub/web", "v1", &[&layer]).await;
    other.image("acme/hub/web", "v2", &[b"two"]).await;
    other.image("acme/hub/tools/make", "v1", &[&layer]).await;
    other.image("acme/hub/secret", "v1", &[b"not covered"]).await;
    other.blob("acme/hub/web", "{}").await;
    let signature = about(&web, b"{}");
    let signed = Digest::of(signature.to_string().as_bytes()).to_string();
    other.manifest("acme/hub/web", &signed, &signature).await;

    let (_app, owner, here) = service().await;
    let mine = here.image("acme/hub/web", "v2", &[b"mine"]).await;
    let url = format!("{}/acme/hub", there.url);
    let login = Some((there_owner.email.as_str(), PASSWORD));
    let fields = json!({"direction": "pull", "images": ["web", "tools/*"], "tags": ["v*"], "overwrite": false});
    let path = made(&owner, rule(&url, login, &fields)).await;
    let run = ran(&owner, &path).await;
    assert_eq!(of_run(&run, &["total", "copied", "kept", "failed"]), [3, 2, 1, 0], "{run:#}");
    assert!((300_000..400_000).contains(&run["counts"]["bytes"].as_i64().unwrap()), "{run:#}");
    assert_eq!(text(&here, "acme/hub/web", "v1").await, web.to_string());
    assert_eq!(text(&here, "acme/hub/web", "v2").await, mine.to_string());
    let blob = here.get(&format!("/v2/acme/hub/tools/make/blobs/{}", Digest::of(&layer))).await;
    assert!(blob.bytes().await.unwrap() == layer);
    let referrers: Value = here
        .get(&format!("/v2/acme/hub/web/referrers/{}", Digest::of(web.to_string().as_bytes())))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(referrers["manifests"][0]["digest"], signed);
    let images = owner.get("/images?project=hub").await.expect(200);
    let mut names: Vec<_> = images["items"].as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["tools/make", "web"]);

    owner.patch(&path, json!({"overwrite": true})).await.expect(200);
    let forced = ran(&owner, &path).await;
    assert_eq!(of_run(&forced, &["copied", "unchanged"]), [1, 2], "{forced:#}");
    assert_ne!(text(&here, "acme/hub/web", "v2").await, mine.to_string());

    // What the project's own rules refuse is said at the tag.
    owner.put("/projects/hub/retention-policy", json!({"rules": [], "immutable_tags": ["v2"]})).await.expect(200);
    other.image("acme/hub/web", "v2", &[b"moved"]).await;
    let refused = ran(&owner, &path).await;
    assert_eq!((&refused["status"], of_run(&refused, &["failed"])), (&json!("failed"), vec![1]), "{refused:#}");
    let failed = items(&owner, &refused, "status=failed").await;
    assert!(failed[0]["error"].as_str().unwrap().contains("immutable"), "{failed:#?}");
    // One that is missing keeps nothing else away.
    let fields = json!({"name": "x", "direction": "pull", "images": ["no", "secret"]});
    let some = ran(&owner, &made(&owner, rule(&url, login, &fields)).await).await;
    assert_eq!((&some["status"], of_run(&some, &["total", "copied", "failed"])), (&json!("failed"), vec![2, 1, 1]));
    let missing = items(&owner, &some, "status=failed").await;
    assert_eq!((&missing[0]["image"], &missing[0]["tag"]), (&json!("no"), &json!("*")));
    assert!(missing[0]["error"].as_str().unwrap().contains("no such image"), "{missing:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_follow_pushes_and_the_clock() {
    let there = Reference::start().await;
    let (app, owner, here) = service().await;
    here.image("acme/hub/web", "before", &[b"before"]).await;
    let url = format!("http://{}", there.host);
    let login = Some(("ann", "secret"));
    let on_push = made(&owner, rule(&url, login, &json!({"on_push": true, "tags": ["v*", "b*"]}))).await;
    let off = json!({"name": "off", "on_push": true, "enabled": false});
    let disabled = made(&owner, rule(&url, login, &off)).await;
    // The consumer has its place from now on.
    app.app.replication.follow_pushes().await.unwrap();
    here.image("acme/hub/web", "v1", &[b"one"]).await;
    here.image("acme/hub/web", "other", &[b"not covered"]).await;
    let run = loop {
        app.app.replication.follow_pushes().await.unwrap();
        let run = owner.get(&on_push).await.expect(200)["last_run"].clone();
        if !run.is_null() {
            break run;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let run = ended(&owner, &run).await;
    assert_eq!((&run["cause"], of_run(&run, &["total", "copied"])), (&json!("push"), vec![1, 1]), "{run:#}");
    let client = Client::new(&there.host, Some(("ann", "secret")));
    assert_eq!(tags(&client, "web").await, ["v1"]);
    assert_eq!(owner.get(&disabled).await.expect(200)["last_run"], Value::Null);

    let hourly = json!({"name": "hourly", "every_minutes": 60, "tags": ["before"]});
    let hourly = made(&owner, rule(&url, login, &hourly)).await;
    let due = owner.get(&hourly).await.expect(200);
    assert!(!due["next_run_at"].is_null());
    sqlx::query("update replication_rules set next_run_at = now() - interval '1 minute' where name = 'hourly'")
        .execute(&mut app.database.connect().await)
        .await
        .unwrap();
    app.app.replication.start_due().await.unwrap();
    app.app.replication.start_due().await.unwrap();
    let rule = owner.get(&hourly).await.expect(200);
    let run = ended(&owner, &rule["last_run"]).await;
    assert_eq!((&run["cause"], of_run(&run, &["copied"])), (&json!("schedule"), vec![1]), "{run:#}");
    assert!(rule["next_run_at"].as_str() > due["created_at"].as_str(), "{rule:#}");
    assert_eq!(tags(&client, "web").await, ["before", "v1"]);
    let id = rule["id"].as_str().unwrap();
    let runs = owner.get(&format!("/projects/hub/replication-runs?rule_id={id}")).await.expect(200);
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_copied_is_said_and_a_run_can_be_stopped() {
    let mut there = Reference::start().await;
    let (_app, owner, here) = service().await;
    here.image("acme/hub/web", "v1", &[b"one"]).await;
    let url = format!("http://{}", there.host);
    let path = made(&owner, rule(&url, Some(("ann", "wrong")), &json!({}))).await;
    let run = ran(&owner, &path).await;
    assert_eq!(run["status"], "failed");
    let failed = items(&owner, &run, "status=failed").await;
    let error = failed[0]["error"].as_str().unwrap();
    assert!(error.contains("401") && error.contains("login"), "{failed:#?}");

    owner.patch(&path, json!({"password": "secret"})).await.expect(200);
    there.kill();
    let started = owner.post(&format!("{path}/run"), json!({})).await.expect(202);
    let run_path = format!("/projects/hub/replication-runs/{}", started["id"].as_str().unwrap());
    let stumbling = loop {
        let run = owner.get(&run_path).await.expect(200);
        if !run["error"].is_null() {
            break run;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(stumbling["error"].as_str().unwrap().contains("does not answer"), "{stumbling:#}");
    assert_eq!(stumbling["status"], "running");
    let joined = owner.post(&format!("{path}/run"), json!({})).await.expect(202);
    assert_eq!(joined["id"], started["id"]);
    let cancelled = owner.post(&format!("{run_path}/cancel"), json!({})).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    owner.post(&format!("{run_path}/cancel"), json!({})).await.refused(409, "replication_run.ended");
    owner.delete(&path).await.expect(204);
    owner.get(&run_path).await.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_in_the_middle_of_a_blob_ends() {
    let (app, owner, here) = service().await;
    let (other, url) = OneBlob::start(noise(2_000_000, 3)).await;
    let path = made(&owner, rule(&url, None, &json!({"direction": "pull", "images": ["web"]}))).await;
    let run = owner.post(&format!("{path}/run"), json!({})).await.expect(202);
    let run = format!("/projects/hub/replication-runs/{}", run["id"].as_str().unwrap());
    // Half of the blob has come, and no more comes.
    while owner.get(&run).await.expect(200)["counts"]["bytes"] == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(other.gets(), 1);
    owner.post(&format!("{run}/cancel"), json!({})).await.expect(200);
    let jobs = async || -> i64 {
        let count = sqlx::query_scalar("select count(*) from jobs where kind = 'replication.run'");
        count.fetch_one(&mut app.database.connect().await).await.unwrap()
    };
    while jobs().await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(owner.get(&run).await.expect(200)["status"], "cancelled");
    // Nobody reads on behind its back, and nothing of it is kept.
    other.gone().await;
    while app.staged() > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(here.get("/v2/acme/hub/web/manifests/v1").await.status(), 404);

    other.go_on();
    let whole = ran(&owner, &path).await;
    assert_eq!((&whole["status"], of_run(&whole, &["copied"])), (&json!("succeeded"), vec![1]), "{whole:#}");
    assert_eq!(here.get("/v2/acme/hub/web/manifests/v1").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_moves_while_it_is_copied_is_copied_again() {
    let (_app, owner, here) = service().await;
    let (other, url) = OneBlob::start(noise(2_000_000, 4)).await;
    let path = made(&owner, rule(&url, None, &json!({"direction": "pull", "images": ["web"]}))).await;
    let run = owner.post(&format!("{path}/run"), json!({})).await.expect(202);
    let run_path = format!("/projects/hub/replication-runs/{}", run["id"].as_str().unwrap());
    while owner.get(&run_path).await.expect(200)["counts"]["bytes"] == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Somebody asks for all of it while its one tag is on its way.
    let joined = owner.post(&format!("{path}/run"), json!({})).await.expect(202);
    assert_eq!(joined["id"], run["id"]);
    other.go_on();
    let run = ended(&owner, &run).await;
    // Once by copying it, and once by finding it there.
    assert_eq!((&run["status"], of_run(&run, &["failed"])), (&json!("succeeded"), vec![0]), "{run:#}");
    assert!(other.asked_for_tags() >= 2, "it looked again");
    assert_eq!(here.get("/v2/acme/hub/web/manifests/v1").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_two_runs_at_work_and_the_others_wait() {
    let (app, owner, _here) = service().await;
    let (other, url) = OneBlob::start(noise(2_000_000, 6)).await;
    for name in ["a", "b", "c", "d"] {
        let path = made(&owner, rule(&url, None, &json!({"name": name, "direction": "pull", "images": [name]}))).await;
        owner.post(&format!("{path}/run"), json!({})).await.expect(202);
    }
    let states = async |status: &str| -> usize {
        let runs = owner.get(&format!("/projects/hub/replication-runs?status={status}")).await.expect(200);
        runs["items"].as_array().unwrap().len()
    };
    while other.gets() < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // All four have had a worker by now, since a process has four.
    let waiting = async || -> i64 {
        let jobs = sqlx::query_scalar("select count(*) from jobs where kind = 'replication.run' and attempt > 0");
        jobs.fetch_one(&mut app.database.connect().await).await.unwrap()
    };
    while waiting().await < 4 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((states("running").await, states("queued").await, other.gets()), (2, 2, 2));
    other.go_on();
    while states("succeeded").await < 4 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_follows_the_image_that_was_pushed_before_it() {
    let (there, there_owner, other) = service().await;
    let (app, owner, here) = service().await;
    let login = Some((there_owner.email.as_str(), PASSWORD));
    let path = made(&owner, rule(&format!("{}/acme/hub", there.url), login, &json!({"on_push": true}))).await;
    app.app.replication.follow_pushes().await.unwrap();
    let web = here.image("acme/hub/web", "v1", &[b"one"]).await;
    let digest = Digest::of(web.to_string().as_bytes());
    let follow = async |wanted: &str| {
        for _ in 0..600 {
            app.app.replication.follow_pushes().await.unwrap();
            if other.get(wanted).await.status() == 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{wanted} does not arrive: {:#}", owner.get(&path).await.expect(200));
    };
    follow("/v2/acme/hub/web/manifests/v1").await;
    here.blob("acme/hub/web", "{}").await;
    let signature = about(&web, b"{}");
    let signed = Digest::of(signature.to_string().as_bytes());
    here.manifest("acme/hub/web", &signed.to_string(), &signature).await;
    follow(&format!("/v2/acme/hub/web/manifests/{signed}")).await;
    let tag = format!("sha256-{}.sig", digest.hex());
    here.image("acme/hub/web", &tag, &[b"signature"]).await;
    follow(&format!("/v2/acme/hub/web/manifests/{tag}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_where_it_was_after_the_server_was_killed() {
    let there = Reference::start().await;
    let (mut server, owner) = ServerProcess::start(&[("IMAGE_FACTORY_REMOTES__ALLOWED_NETWORKS", "127.0.0.0/8")]).await;
    let docker = Client::new(&server.host(), Some(("owner@acme.test", ServerProcess::password())));
    let tags_there = 40;
    for n in 0..tags_there {
        docker.image("acme/hello/web", &format!("v{n}"), &[&noise(200_000, n)]).await;
    }
    let rule = rule(&format!("http://{}", there.host), Some(("ann", "secret")), &json!({}));
    let rule = owner.post("/projects/hello/replication-rules", &rule).await.expect(201);
    let path = format!("/projects/hello/replication-rules/{}/run", rule["id"].as_str().unwrap());
    let run = owner.post(&path, &json!({})).await.expect(202);
    let path = format!("/projects/hello/replication-runs/{}", run["id"].as_str().unwrap());
    for _ in 0..2000 {
        if owner.get(&path).await.expect(200)["counts"]["copied"].as_i64().unwrap() > 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.kill();
    let mut db = server.db().connect().await;
    let waiting: i64 = sqlx::query_scalar("select count(*) from replication_items where status = 'queued'")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert!(waiting > 0, "it was killed in the middle");
    // Instead of the minute after which its lease lapses.
    sqlx::query("update jobs set lease_expires_at = now() where kind = 'replication.run' and status = 'running'")
        .execute(&mut db)
        .await
        .unwrap();
    server.launch().await;
    let mut run = Value::Null;
    for _ in 0..1200 {
        run = owner.get(&path).await.expect(200);
        if !run["finished_at"].is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(run["status"], "succeeded", "{run:#}");
    let counts = of_run(&run, &["total", "copied", "unchanged"]);
    // One that was there, and not yet recorded, is found unchanged.
    assert_eq!((counts[0], counts[1] + counts[2]), (40, 40), "{run:#}");
    let client = Client::new(&there.host, Some(("ann", "secret")));
    assert_eq!(tags(&client, "web").await.len(), 40);
    for n in 0..tags_there {
        let (mine, theirs) =
            (text(&docker, "acme/hello/web", &format!("v{n}")).await, text(&client, "web", &format!("v{n}")).await);
        assert_eq!(mine, theirs);
        let layer = Digest::of(&noise(200_000, n));
        assert_eq!(client.head(&format!("/v2/web/blobs/{layer}")).await.status(), 200, "v{n}");
    }
}

#[tokio::test]
async fn rules_are_checked_versioned_and_recorded() {
    let (app, owner, _here) = service().await;
    for (fields, expected) in [
        (json!({"url": "ftp://example.com"}), "/url wrong_format"),
        (json!({"url": "https://10.1.2.3"}), "/url private_address"),
        (json!({"username": "ann"}), "/password required"),
        (json!({"images": ["web", "["]}), "/images/1 wrong_format"),
        (json!({"images": []}), "/images too_short"),
        (json!({"tags": [""]}), "/tags/0 wrong_format"),
        (json!({"direction": "pull", "on_push": true}), "/on_push push_only"),
        (json!({"every_minutes": 1}), "/every_minutes too_small"),
        (json!({"name": "No"}), "/name wrong_format"),
    ] {
        let bad = rule("https://example.com", None, &fields);
        assert_eq!(owner.post(RULES, bad.clone()).await.faults(), [expected], "{bad}");
    }
    let good = rule("http://127.0.0.1:1", Some(("ann", "swordfish")), &json!({}));
    let made = owner.post(RULES, good.clone()).await;
    assert_eq!(made.header("etag"), "\"1\"");
    let location = made.header("location").trim_start_matches("/api/v1").to_owned();
    assert!(!made.expect(201).to_string().contains("swordfish"));
    owner.post(RULES, good).await.refused(409, "replication_rule.exists");
    let moved = owner.patch(&location, json!({"url": "http://127.0.0.1:2"})).await;
    assert_eq!(moved.faults(), ["/password required"]);
    let stale = owner.request(Method::PATCH, &location).header("if-match", "\"7\"").json(&json!({"enabled": false}));
    owner.send(stale).await.refused(412, "version.stale");
    let changed = owner.patch(&location, json!({"enabled": false, "every_minutes": 60})).await;
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(changed.expect(200)["next_run_at"], Value::Null);
    let nobody = owner.patch(&location, json!({"username": null})).await.expect(200);
    assert_eq!(nobody["username"], Value::Null);
    owner.patch(&location, json!({"username": "ann", "password": "swordfish"})).await.expect(200);
    let sealed: Vec<u8> = sqlx::query_scalar("select sealed from replication_rules")
        .fetch_one(&mut app.database.connect().await)
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("swordfish"));
    let listed = owner.get(RULES).await.expect(200);
    assert!(listed["items"].as_array().unwrap().len() == 1 && !listed.to_string().contains("swordfish"));
    owner.delete(&location).await.expect(204);
    owner.get(&location).await.refused(404, "not_found");
    for (action, count) in [("created", 1), ("updated", 3), ("deleted", 1)] {
        let trail = owner.get(&format!("/audit-events?action=replication_rule.{action}")).await.expect(200);
        assert_eq!(trail["items"].as_array().unwrap().len(), count, "{action}");
        assert!(!trail.to_string().contains("swordfish"));
    }

    // Another project of the tenant does not have the rule.
    let rule = owner.post(RULES, rule("http://127.0.0.1:1", None, &json!({}))).await.expect(201);
    owner.post("/projects", json!({"slug": "other"})).await.expect(201);
    let elsewhere = format!("/projects/other/replication-rules/{}", rule["id"].as_str().unwrap());
    owner.get(&elsewhere).await.refused(404, "not_found");
    owner.post(&format!("{elsewhere}/run"), json!({})).await.refused(404, "not_found");
    owner.put("/projects/other/upstream", json!({"url": "http://127.0.0.1:1"})).await.expect(200);
    let pull = json!({"name": "x", "direction": "pull", "url": "http://127.0.0.1:1", "images": ["web"]});
    owner.post("/projects/other/replication-rules", pull).await.refused(409, "project.is_cache");
    owner.post("/projects/hub/archive", json!({})).await.expect(200);
    let path = format!("{RULES}/{}/run", rule["id"].as_str().unwrap());
    owner.post(&path, json!({})).await.refused(409, "project.archived");
}
