use crate::support::hub::{Hub, descriptor, header, image_manifest, refusal};
use image_factory::images::registry::Built;
use image_factory::kernel::Actor;
use image_factory::kernel::Digest;
use image_factory::kernel::ids::{BuildId, ExecutionId};
use image_factory::tenancy::access::TenantRole;
use image_factory::tenancy::tenants::Quota;
use reqwest::Method;
use serde_json::{Value, json};

const REPOSITORY: &str = "acme/hello/web";

#[tokio::test]
async fn a_manifest_may_name_only_what_its_repository_has() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let manifest = image_manifest(b"{}", &[b"one", b"two"]);
    let unknown = (404, "MANIFEST_BLOB_UNKNOWN".to_owned());
    assert_eq!(refusal(dev.try_manifest(REPOSITORY, "v1", &manifest).await).await, unknown);
    for blob in [&b"{}"[..], b"one"] {
        dev.blob(REPOSITORY, blob).await;
    }
    // The second layer is in the registry, but not in this repository.
    dev.blob("acme/hello/other", &b"two"[..]).await;
    assert_eq!(refusal(dev.try_manifest(REPOSITORY, "v1", &manifest).await).await, unknown);
    dev.blob(REPOSITORY, &b"two"[..]).await;
    dev.manifest(REPOSITORY, "v1", &manifest).await;

    let child = descriptor("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
    let index =
        json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [child]});
    assert_eq!(refusal(dev.try_manifest("acme/hello/other", "v1", &index).await).await, unknown);
    dev.manifest(REPOSITORY, "all", &index).await;
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    let hub = Hub::with(|config| config.max_manifest_bytes = 2000).await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let put = async |reference: &str, body: String| {
        let path = format!("/v2/{REPOSITORY}/manifests/{reference}");
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        refusal(dev.request(Method::PUT, &path).header("content-type", media_type).body(body).send().await.unwrap())
            .await
    };
    assert_eq!(put("v1", "{".into()).await, (400, "MANIFEST_INVALID".into()));
    assert_eq!(put("v1", " ".repeat(2001)).await, (413, "MANIFEST_INVALID".into()));
    assert_eq!(put(&Digest::of(b"x").to_string(), "{}".into()).await, (400, "DIGEST_INVALID".into()));
    assert_eq!(put("not/a/tag", "{}".into()).await.0, 404);
    assert_eq!(put("-tag", "{}".into()).await, (400, "TAG_INVALID".into()));
}

#[tokio::test]
async fn manifests_of_other_media_types_and_other_digests_are_refused() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let invalid = (400, "MANIFEST_INVALID".to_owned());
    let put = async |media_type: &str, body: Value| {
        let path = format!("/v2/{REPOSITORY}/manifests/v1");
        let request = dev.request(Method::PUT, &path).header("content-type", media_type);
        refusal(request.body(body.to_string()).send().await.unwrap()).await
    };
    for media_type in [
        "application/vnd.oci.artifact.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.example.manifest+json",
        "text/plain",
    ] {
        assert_eq!(
            put(media_type, json!({"schemaVersion": 2, "mediaType": media_type})).await,
            invalid,
            "{media_type}"
        );
    }
    let config = json!({"mediaType": "application/json", "digest": format!("sha512:{}", "0".repeat(128)), "size": 2});
    let other_digest = json!({"schemaVersion": 2, "config": config, "layers": []});
    assert_eq!(put("application/vnd.oci.image.manifest.v1+json", other_digest).await, invalid);
    let path = format!("/v2/{REPOSITORY}/manifests/sha512:{}", "0".repeat(128));
    assert_eq!(refusal(dev.get(&path).await).await, (400, "DIGEST_INVALID".into()));
}

#[tokio::test]
async fn a_repeated_push_moves_nothing_and_a_new_one_is_recorded() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let first = dev.image(REPOSITORY, "latest", &[b"one"]).await;
    let moves = async || hub.count("select count(*) from image_tag_history").await;
    let events = async || hub.count("select count(*) from events where type = 'image.pushed'").await;
    assert_eq!((moves().await, events().await), (1, 1));
    dev.manifest(REPOSITORY, "latest", &first).await;
    dev.manifest(REPOSITORY, &Digest::of(first.to_string().as_bytes()).to_string(), &first).await;
    assert_eq!((moves().await, events().await), (1, 1));
    let second = dev.image(REPOSITORY, "latest", &[b"one", b"two"]).await;
    assert_eq!((moves().await, events().await), (2, 2));
    let row: (Option<Vec<u8>>, Option<Vec<u8>>, String) =
        sqlx::query_as("select from_digest, to_digest, moved_by from image_tag_history order by id desc limit 1")
            .fetch_one(&mut hub.db.connect().await)
            .await
            .unwrap();
    let digest = |m: &Value| Some(Digest::of(m.to_string().as_bytes()).bytes().to_vec());
    assert_eq!((row.0, row.1), (digest(&first), digest(&second)));
    assert!(row.2.starts_with("user:"), "{}", row.2);
    let event: Value =
        sqlx::query_scalar("select payload from events where type = 'image.pushed' order by id desc limit 1")
            .fetch_one(&mut hub.db.connect().await)
            .await
            .unwrap();
    assert_eq!((&event["repository"], &event["tag"]), (&json!(REPOSITORY), &json!("latest")));
}

#[tokio::test]
async fn concurrent_moves_of_a_tag_end_at_one_manifest_with_an_unbroken_history() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let pushes = (0..8u8).map(|n| {
        let dev = dev.clone();
        tokio::spawn(async move { dev.image(REPOSITORY, "latest", &[&[n]]).await })
    });
    for push in futures::future::join_all(pushes).await {
        push.unwrap();
    }
    // Each move starts where the one before it ended.
    let broken = hub
        .count(
            "select count(*) from (select from_digest, lag(to_digest) over (order by moved_at, id) as before
                                   from image_tag_history) as step
             where from_digest is distinct from before",
        )
        .await;
    assert_eq!((hub.count("select count(*) from image_tag_history").await, broken), (8, 0));
    assert_eq!(hub.count("select count(*) from image_manifests").await, 8);
}

#[tokio::test]
pub async fn tags_and_manifests_are_deleted_and_their_storage_is_freed() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let admin = hub.person(&acme, TenantRole::Admin).await;
    let first = dev.image(REPOSITORY, "v1", &[&[1; 1000], &[2; 500]]).await;
    dev.image("acme/hello/other", "v1", &[&[1; 1000]]).await;
    let config = first["config"]["size"].as_u64().unwrap();
    let used = async || hub.registry.usage(acme.id).await.unwrap().total_size_bytes;
    assert_eq!(used().await, 1500 + config);
    dev.manifest(REPOSITORY, "v2", &first).await;
    assert_eq!(used().await, 1500 + config);

    let path = |reference: &str| format!("/v2/{REPOSITORY}/manifests/{reference}");
    let digest = Digest::of(first.to_string().as_bytes()).to_string();
    assert_eq!(refusal(dev.delete(&path("v2")).await).await, (403, "DENIED".into()));
    assert_eq!(admin.delete(&path("v2")).await.status(), 202);
    assert_eq!(refusal(admin.delete(&path("v2")).await).await, (404, "MANIFEST_UNKNOWN".into()));
    assert_eq!(admin.head(&path("v1")).await.status(), 200);

    let layer = format!("/v2/{REPOSITORY}/blobs/{}", Digest::of(&[2; 500]));
    assert_eq!(refusal(admin.delete(&layer).await).await, (405, "UNSUPPORTED".into()));
    assert_eq!(admin.delete(&path(&digest)).await.status(), 202);
    assert_eq!(admin.head(&path("v1")).await.status(), 404);
    // The other repository still needs one layer and the config.
    assert_eq!(used().await, 1000 + config);
    assert_eq!(admin.delete(&layer).await.status(), 202);
    assert_eq!(admin.head(&layer).await.status(), 404);
    let ended = hub.count("select count(*) from image_tag_history where to_digest is null").await;
    assert_eq!((ended, hub.count("select count(*) from events where type = 'image.deleted'").await), (2, 2));
}

#[tokio::test]
pub async fn the_storage_quota_is_charged_once_for_each_blob() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let quota = hub.app.tenants.quota(acme.id).await.unwrap();
    let limit = Quota { storage_bytes_max: 10_000, ..quota };
    sqlx::query("update quotas set storage_bytes_max = $1")
        .bind(limit.storage_bytes_max)
        .execute(&mut hub.db.connect().await)
        .await
        .unwrap();

    let layer = vec![7; 6000];
    dev.image(REPOSITORY, "v1", &[&layer]).await;
    // The same layer again costs nothing, in this repository and in another.
    dev.image(REPOSITORY, "v2", &[&layer, &[1; 100]]).await;
    dev.image("acme/hello/other", "v1", &[&layer]).await;
    let used = hub.registry.usage(acme.id).await.unwrap();

    let big = vec![8; 6000];
    dev.blob(REPOSITORY, big.clone()).await;
    let config = json!({"os": "linux", "architecture": "amd64", "config": {"Cmd": ["/bin/sh"]}}).to_string();
    let response = dev.try_manifest(REPOSITORY, "v3", &image_manifest(config.as_bytes(), &[&big])).await;
    assert_eq!(response.status(), 403);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["errors"][0]["code"], "DENIED");
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("storage_bytes_max"), "{body}");
    assert_eq!(dev.head(&format!("/v2/{REPOSITORY}/manifests/v3")).await.status(), 404);
    assert_eq!(hub.registry.usage(acme.id).await.unwrap().total_size_bytes, used.total_size_bytes);
}

#[tokio::test]
async fn a_subject_is_stored_and_told() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let image = dev.image(REPOSITORY, "v1", &[b"x"]).await;
    dev.blob(REPOSITORY, &b"{}"[..]).await;
    let mut report = image_manifest(b"{}", &[]);
    report["config"]["mediaType"] = "application/vnd.oci.empty.v1+json".into();
    report["artifactType"] = "application/vnd.example.report".into();
    report["subject"] = descriptor("application/vnd.oci.image.manifest.v1+json", image.to_string().as_bytes());
    let digest = Digest::of(report.to_string().as_bytes()).to_string();
    let put = dev.try_manifest(REPOSITORY, &digest, &report).await;
    assert_eq!(put.status(), 201);
    assert_eq!(header(&put, "oci-subject"), Digest::of(image.to_string().as_bytes()).to_string());
    let kept = hub
        .count("select count(*) from image_manifests where subject_digest is not null and artifact_type like '%report'")
        .await;
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn a_build_names_its_image_in_the_transaction_that_ends_it() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let manifest = image_manifest(b"{}", &[b"x"]);
    for blob in [&b"{}"[..], b"x"] {
        dev.blob(REPOSITORY, blob).await;
    }
    let digest = Digest::of(manifest.to_string().as_bytes());
    dev.manifest(REPOSITORY, &digest.to_string(), &manifest).await;
    let project = hub.project(&acme, "hello").await;
    let actor = Actor::Execution(ExecutionId::new());
    let tags = ["v1".to_owned(), "latest".to_owned()];
    let build = BuildId::new();
    let made = |digest| Built { build, project, image: "web", digest, tags: &tags };
    for commits in [false, true, true] {
        let mut tx = hub.app.db.tenant(acme.id).await.unwrap();
        let tagged = hub.registry.tag(&mut tx, &actor, &made(digest)).await.unwrap();
        assert_eq!(tagged.repository, REPOSITORY);
        assert_eq!(tagged.size_bytes, i64::try_from(manifest.to_string().len()).unwrap() + 3);
        if commits {
            tx.commit().await.unwrap();
        }
        drop(dev.head("/v2/").await);
        let there = dev.head(&format!("/v2/{REPOSITORY}/manifests/latest")).await.status();
        assert_eq!(there, if commits { 200 } else { 404 });
    }
    assert_eq!(hub.count("select count(*) from image_tag_history").await, 2);
    let mut tx = hub.app.db.tenant(acme.id).await.unwrap();
    assert!(hub.registry.tag(&mut tx, &actor, &made(Digest::of(b"?"))).await.is_err());
    assert!(hub.registry.manifest_exists(acme.id, &REPOSITORY.parse().unwrap(), &digest).await.unwrap());
}
