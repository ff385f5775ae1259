use crate::support::TestApp;
use crate::support::hub::{Client, Hub, descriptor, image_manifest, refusal};
use chrono::Duration;
use image_factory::images::registry::{Built, RetentionPolicy};
use image_factory::kernel::ids::BuildId;
use image_factory::kernel::{Actor, Digest};
use image_factory::platform::http::IfMatch;
use image_factory::tenancy::access::TenantRole;
use serde_json::{Value, json};

const REPOSITORY: &str = "acme/hello/web";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

struct World {
    hub: Hub,
    tenant: crate::support::hub::TestTenant,
    owner: Client,
}

impl World {
    async fn new() -> Self {
        let hub = Hub::start().await;
        let tenant = hub.tenant("acme", &["hello"]).await;
        let owner = hub.person(&tenant, TenantRole::Owner).await;
        Self { hub, tenant, owner }
    }

    async fn policy(&self, policy: Value) {
        let policy: RetentionPolicy = serde_json::from_value(policy).unwrap();
        self.hub.registry.set_retention_policy(&self.tenant.caller, "hello", policy, IfMatch(None)).await.unwrap();
    }

    async fn tags(&self, repository: &str) -> Vec<String> {
        let list: Value = self.owner.get(&format!("/v2/{repository}/tags/list")).await.json().await.unwrap();
        list["tags"].as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()).collect()
    }

    async fn has(&self, digest: &Digest) -> bool {
        self.owner.head(&format!("/v2/{REPOSITORY}/manifests/{digest}")).await.status() == 200
    }

    fn pass(&self, days: i64) {
        self.hub.app.clock.advance(Duration::days(days));
    }
}

fn digest_of(manifest: &Value) -> Digest {
    Digest::of(manifest.to_string().as_bytes())
}

#[tokio::test]
async fn old_tags_go_with_what_only_they_kept_and_the_quota_is_freed() {
    let world = World::new().await;
    let owner = &world.owner;
    let mut images = Vec::new();
    for n in 1..=4 {
        let layer = format!("layer {n}");
        images.push(owner.image(REPOSITORY, &format!("v{n}"), &[b"common", layer.as_bytes()]).await);
        world.pass(10);
    }
    owner.image("acme/hello/other", "v1", &[b"common"]).await;
    let usage = async || world.hub.registry.usage(world.tenant.id).await.unwrap();
    let before = usage().await;
    world
        .policy(json!({"untagged_after_days": 0, "rules": [
            {"kind": "keep_last", "repositories": "web", "count": 1},
            {"kind": "delete_older_than", "days": 25}]}))
        .await;
    let run = world.hub.collect(true).await;
    assert_eq!((run.counts.tags, run.counts.manifests), (2, 2), "{run:?}");
    assert_eq!(world.tags(REPOSITORY).await.len(), 4, "a dry run changes nothing");

    let run = world.hub.collect(false).await;
    assert_eq!((run.counts.tags, run.counts.manifests), (2, 2), "{run:?}");
    assert_eq!(world.tags(REPOSITORY).await, ["v3", "v4"]);
    assert!(!world.has(&digest_of(&images[0])).await && world.has(&digest_of(&images[2])).await);
    let after = usage().await;
    assert_eq!(before.total_objects - after.total_objects, 2);
    assert_eq!(before.total_size_bytes - after.total_size_bytes, 14);
    let count = async |sql| world.hub.count(sql).await;
    assert_eq!(
        count("select count(*) from image_tag_history where to_digest is null and moved_by = 'system:retention'").await,
        2
    );
    assert_eq!(
        count("select count(*) from events where type = 'image.deleted' and actor = 'system:retention'").await,
        2
    );
    let mut database = world.hub.db.connect().await;
    let logged = "select reference from registry_accesses where action = 'delete' and actor = 'system:retention'
                  and address is null and digest = decode(right(reference, 64), 'hex') order by id";
    let mut logged: Vec<String> = sqlx::query_scalar(logged).fetch_all(&mut database).await.unwrap();
    logged.sort();
    let mut gone: Vec<String> = images[..2].iter().map(|image| digest_of(image).to_string()).collect();
    gone.sort();
    assert_eq!(logged, gone);
}

#[tokio::test]
async fn what_an_index_or_a_subject_needs_stays_and_referrers_go_with_it() {
    let world = World::new().await;
    let owner = &world.owner;
    let child = owner.image(REPOSITORY, "child", &[b"one"]).await;
    let index =
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor(IMAGE, child.to_string().as_bytes())]});
    let index_digest = owner.manifest(REPOSITORY, "all", &index).await;
    let mut signature = image_manifest(b"{}", &[]);
    owner.blob(REPOSITORY, &b"{}"[..]).await;
    signature["artifactType"] = "application/vnd.example.signature".into();
    signature["subject"] = descriptor(INDEX, index.to_string().as_bytes());
    let signature_digest = digest_of(&signature);
    owner.manifest(REPOSITORY, &signature_digest.to_string(), &signature).await;
    assert_eq!(owner.delete(&format!("/v2/{REPOSITORY}/manifests/child")).await.status(), 202);
    world.policy(json!({"untagged_after_days": 3})).await;
    world.pass(30);
    assert_eq!(world.hub.collect(false).await.counts.manifests, 0);
    assert_eq!(owner.delete(&format!("/v2/{REPOSITORY}/manifests/all")).await.status(), 202);
    world.pass(2);
    assert_eq!(world.hub.collect(false).await.counts.manifests, 0, "days count from the day the tag was taken");
    world.pass(2);
    assert_eq!(world.hub.collect(false).await.counts.manifests, 3);
    for digest in [index_digest, signature_digest, digest_of(&child)] {
        assert!(!world.has(&digest).await);
    }
}

#[tokio::test]
async fn held_and_lately_pulled_images_stay() {
    let world = World::new().await;
    for repository in [REPOSITORY, "acme/hello/held"] {
        for tag in ["v1", "v2"] {
            world.owner.image(repository, tag, &[tag.as_bytes()]).await;
        }
    }
    world.pass(60);
    let mut database = world.hub.db.connect().await;
    for sql in [
        "update images set hold = 'quarantined' where name = 'held'",
        "update image_manifests m set last_pulled_at = last_pushed_at + interval '57 days'
         from image_tags t where t.manifest_id = m.id and t.name = 'v2'",
    ] {
        sqlx::query(sql).execute(&mut database).await.unwrap();
    }
    let rules = json!([{"kind": "delete_older_than", "days": 30}]);
    world.policy(json!({"rules": rules, "untagged_after_days": 0, "keep_pulled_within_days": 7})).await;
    world.hub.collect(false).await;
    assert_eq!(world.tags(REPOSITORY).await, ["v2"]);
    assert_eq!(world.tags("acme/hello/held").await, ["v1", "v2"]);
}

#[tokio::test]
async fn an_immutable_tag_neither_moves_nor_goes() {
    let world = World::new().await;
    let owner = &world.owner;
    let first = owner.image(REPOSITORY, "v1.0", &[b"one"]).await;
    owner.image(REPOSITORY, "latest", &[b"one"]).await;
    world.policy(json!({"immutable_tags": ["v[0-9]*"]})).await;
    owner.manifest(REPOSITORY, "v1.0", &first).await;
    owner.blob(REPOSITORY, &b"two"[..]).await;
    let config = json!({"os": "linux", "architecture": "amd64", "config": {"Cmd": ["/bin/sh"]}}).to_string();
    let second = image_manifest(config.as_bytes(), &[b"two"]);
    let denied = (403, "DENIED".to_owned());
    assert_eq!(refusal(owner.try_manifest(REPOSITORY, "v1.0", &second).await).await, denied);
    assert!(!world.has(&digest_of(&second)).await, "nothing of a refused push stays");
    owner.manifest(REPOSITORY, "latest", &second).await;
    owner.manifest(REPOSITORY, "v1.1", &second).await;
    for reference in ["v1.0".to_owned(), digest_of(&first).to_string()] {
        assert_eq!(refusal(owner.delete(&format!("/v2/{REPOSITORY}/manifests/{reference}")).await).await, denied);
    }
    assert_eq!(owner.delete(&format!("/v2/{REPOSITORY}/manifests/latest")).await.status(), 202);

    let project = world.hub.project(&world.tenant, "hello").await;
    let mut tx = world.hub.app.db.tenant(world.tenant.id).await.unwrap();
    let tags = ["v1.0".to_owned(), "v2.0".to_owned()];
    let faults = world.hub.registry.tag_faults(&mut tx, project, "web", &tags).await.unwrap();
    assert_eq!((faults.len(), faults[0].pointer.as_str()), (1, "/tags/0"));
    let built = Built { build: BuildId::new(), project, image: "web", digest: digest_of(&second), tags: &tags };
    let moved = world.hub.registry.tag(&mut tx, &Actor::system("test"), &built).await.unwrap_err();
    assert!(moved.message().contains("v1.0 is immutable"), "{moved:?}");
}

#[tokio::test]
async fn layer_caches_and_images_of_lost_builds_expire_by_themselves() {
    let world = World::new().await;
    let push = ["acme/hello/web", "acme/hello/cache"];
    let (execution, robot) = world.hub.robot(&world.tenant, "hello", &push).await;
    robot.image("acme/hello/cache", "0123abcd", &[b"cached layer"]).await;
    let lost = robot.image(REPOSITORY, &format!("_build-{execution}"), &[b"lost"]).await;
    let done = robot.image(REPOSITORY, &format!("_build-{execution}"), &[b"done"]).await;
    let project = world.hub.project(&world.tenant, "hello").await;
    let mut tx = world.hub.app.db.tenant(world.tenant.id).await.unwrap();
    let (actor, tags) = (Actor::Execution(execution), ["v1".to_owned()]);
    let built = Built { build: BuildId::new(), project, image: "web", digest: digest_of(&done), tags: &tags };
    world.hub.registry.tag(&mut tx, &actor, &built).await.unwrap();
    tx.commit().await.unwrap();
    world.pass(29);
    assert_eq!(world.hub.collect(false).await.counts.manifests, 0);
    world.pass(2);
    let counts = world.hub.collect(false).await.counts;
    assert_eq!((counts.manifests, counts.tags), (2, 1));
    assert!(!world.has(&digest_of(&lost)).await && world.has(&digest_of(&done)).await);
    assert!(world.tags("acme/hello/cache").await.is_empty());
}

#[tokio::test]
async fn a_policy_is_read_previewed_and_replaced_over_the_api() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.member(&acme, TenantRole::Owner).await;
    owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    let path = "/projects/hello/retention-policy";
    let empty = owner.get(path).await;
    assert_eq!(empty.header("etag"), "\"0\"");
    let empty = empty.expect(200);
    assert_eq!((&empty["rules"], &empty["untagged_after_days"]), (&json!([]), &Value::Null));
    let policy = json!({
        "rules": [{"kind": "keep_last", "count": 5}, {"kind": "delete_older_than", "tags": "nightly-*", "days": 14}],
        "untagged_after_days": 7, "keep_pulled_within_days": 30, "immutable_tags": ["v*"]
    });
    let none = owner.post(&format!("{path}/preview"), policy.clone()).await.expect(200);
    assert_eq!((&none["tag_count"], &none["freed_bytes"]), (&json!(0), &json!(0)));
    let saved = owner.put(path, policy.clone()).await;
    assert_eq!(saved.header("etag"), "\"1\"");
    assert_eq!(saved.expect(200)["rules"][1]["repositories"], "*");
    let stale = owner.request(reqwest::Method::PUT, path).header("if-match", "\"0\"").json(&policy);
    owner.send(stale).await.refused(412, "version.stale");
    let bad = json!({"rules": [{"kind": "keep_matching", "tags": "v[1"}]});
    assert_eq!(owner.put(path, bad).await.faults(), ["/rules/0/tags wrong_format"]);
    owner.put(path, json!({"rules": [{"kind": "burn"}]})).await.expect(422);
    owner.put(path, json!({"rules": [{"kind": "keep_last", "count": 5, "days": 3}]})).await.expect(422);
    app.member(&acme, TenantRole::Viewer).await.put(path, policy).await.refused(403, "access.denied");
    let audited = owner.get("/audit-events?action=retention_policy.updated").await.expect(200);
    assert_eq!(audited["items"].as_array().unwrap().len(), 1, "{audited}");
    let published = "select actor, payload from events where type = 'retention_policy.updated'";
    let mut database = app.database.connect().await;
    let published: Vec<(String, Value)> = sqlx::query_as(published).fetch_all(&mut database).await.unwrap();
    let [(actor, payload)] = published.as_slice() else { panic!("{published:?}") };
    assert_eq!(*actor, format!("user:{}", owner.user_id.unwrap()));
    assert_eq!(payload["policy"]["rules"], audited["items"][0]["after"]["rules"], "{payload}");
}

#[tokio::test]
async fn a_preview_says_what_goes_and_how_much_it_frees() {
    let world = World::new().await;
    world.owner.image(REPOSITORY, "old", &[b"common", b"old layer"]).await;
    world.pass(40);
    world.owner.image(REPOSITORY, "new", &[b"common"]).await;
    let policy = json!({"untagged_after_days": 0, "rules": [{"kind": "delete_older_than", "days": 30}]});
    let policy: RetentionPolicy = serde_json::from_value(policy).unwrap();
    let preview = world.hub.registry.preview_retention(&world.tenant.caller, "hello", &policy).await.unwrap();
    assert_eq!((preview.tag_count, preview.manifest_count, preview.freed_bytes), (1, 1, 9));
    assert_eq!((preview.tags[0].tag.as_str(), preview.manifests[0].repository.as_str()), ("old", REPOSITORY));
    assert_eq!(world.tags(REPOSITORY).await, ["new", "old"]);
}

#[tokio::test]
async fn a_layer_cache_and_an_image_have_repositories_of_their_own() {
    let world = World::new().await;
    let (execution, robot) = world.hub.robot(&world.tenant, "hello", &["acme/hello/cache", REPOSITORY]).await;
    robot.image("acme/hello/cache", "0123abcd", &[b"cached layer"]).await;
    robot.image(REPOSITORY, &format!("_build-{execution}"), &[b"running"]).await;
    world.owner.image("acme/hello/api", "v1", &[b"layer"]).await;
    let project = world.hub.project(&world.tenant, "hello").await;
    let mut tx = world.hub.app.db.tenant(world.tenant.id).await.unwrap();
    for (image, cache, faults) in [
        ("web", Some("cache"), ""),
        ("web", None, ""),
        ("new", Some("other"), ""),
        ("new", Some("new"), "/config/cache_repo is_image"),
        // A cache that was there before, or that people chose so.
        ("web", Some("api"), ""),
        ("cache", None, "/image is_cache"),
        ("cache", Some("cache"), "/config/cache_repo is_image /image is_cache"),
    ] {
        let found = world.hub.registry.cache_faults(&mut tx, project, image, cache).await.unwrap();
        let found: Vec<_> = found.iter().map(|f| format!("{} {}", f.pointer, f.code)).collect();
        assert_eq!(found.join(" "), faults, "{image} with {cache:?}");
    }
}

#[tokio::test]
async fn a_build_that_would_move_an_immutable_tag_and_a_deletion_of_it_are_refused_at_once() {
    let app = TestApp::new().await;
    let owner = app.member(&app.tenant("acme").await, TenantRole::Owner).await;
    owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
    let host = app.url.trim_start_matches("http://");
    let client = Client::new(host, Some((&owner.email, crate::support::PASSWORD)));
    client.image("acme/hello/web", "v1", &[b"one"]).await;
    owner.put("/projects/hello/retention-policy", json!({"immutable_tags": ["v*"]})).await.expect(200);
    let build = |tags: &[&str]| {
        json!({"project": "hello", "method": "docker", "source": {"dockerfile": "FROM scratch\n"}, "start": false,
               "image": "web", "tags": tags})
    };
    assert_eq!(owner.post("/builds", build(&["latest", "v1"])).await.faults(), ["/tags/1 immutable"]);
    owner.post("/builds", build(&["latest", "v2"])).await.expect(202);
    let images = owner.get("/images").await.expect(200);
    let image = format!("/images/{}", images["items"][0]["id"].as_str().unwrap());
    let manifest = format!("{image}/manifests/{}", images["items"][0]["digest"].as_str().unwrap());
    for path in [format!("{image}/tags/v1"), manifest, image] {
        for dry_run in [true, false] {
            owner.delete(&format!("{path}?dry_run={dry_run}")).await.refused(409, "image.tag_immutable");
        }
    }
}
