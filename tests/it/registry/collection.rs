use crate::sim::faulty_store::{Fault, FaultyStore};
use crate::support::hub::{Client, Hub, image_manifest, noise, refusal};
use crate::support::server::ServerProcess;
use chrono::Duration;
use image_factory::images::registry::{RunKind, RunStatus};
use image_factory::kernel::Digest;
use image_factory::tenancy::access::{Caller, RequestInfo, TenantRole};
use reqwest::Method;
use serde_json::{Value, json};

const REPOSITORY: &str = "acme/hello/web";
const CONFIG: &[u8] = b"{}";

async fn admin(hub: &Hub) -> Client {
    let acme = hub.tenant("acme", &["hello"]).await;
    hub.person(&acme, TenantRole::Owner).await
}

/// Pushes an image without a tag; gives its digest.
async fn untagged(client: &Client, repository: &str, layers: &[&[u8]]) -> Digest {
    for blob in layers.iter().chain([&CONFIG]) {
        client.blob(repository, blob.to_vec()).await;
    }
    let manifest = image_manifest(CONFIG, layers);
    let digest = Digest::of(manifest.to_string().as_bytes());
    client.manifest(repository, &digest.to_string(), &manifest).await
}

async fn has(client: &Client, repository: &str, blob: &Digest) -> bool {
    client.get(&format!("/v2/{repository}/blobs/{blob}")).await.status() == 200
}

#[tokio::test]
async fn what_no_manifest_needs_goes_after_the_grace_and_its_bytes_an_hour_later() {
    let hub = Hub::start().await;
    let owner = admin(&hub).await;
    let image = untagged(&owner, REPOSITORY, &[b"one", b"two"]).await;
    untagged(&owner, "acme/hello/other", &[b"two"]).await;
    let loose = owner.blob(REPOSITORY, &b"loose"[..]).await;
    let deleted = owner.delete(&format!("/v2/{REPOSITORY}/manifests/{image}")).await;
    assert_eq!(deleted.status(), 202);

    let early = hub.collect(false).await;
    assert_eq!((early.counts.links, early.counts.blobs, early.status), (0, 0, RunStatus::Succeeded));
    assert!(has(&owner, REPOSITORY, &loose).await);

    hub.app.clock.advance(Duration::hours(26));
    let foreseen = hub.collect(true).await;
    assert_eq!((foreseen.counts.links, foreseen.counts.blobs), (4, 2), "{foreseen:?}");
    assert_eq!((foreseen.counts.bytes, foreseen.report.len()), (8, 2));
    assert!(has(&owner, REPOSITORY, &loose).await, "a dry run changes nothing");

    let run = hub.collect(false).await;
    assert_eq!((run.counts.links, run.counts.blobs, run.counts.objects), (4, 2, 0), "{run:?}");
    assert_eq!(
        refusal(owner.get(&format!("/v2/{REPOSITORY}/blobs/{loose}")).await).await,
        (404, "BLOB_UNKNOWN".into())
    );
    assert!(has(&owner, "acme/hello/other", &Digest::of(b"two")).await);
    assert_eq!(hub.files("blobs").len(), 4);

    hub.app.clock.advance(Duration::hours(2));
    let run = hub.collect(false).await;
    assert_eq!((run.counts.objects, run.counts.bytes), (2, 8));
    assert_eq!(hub.files("blobs").len(), 2);
    assert_eq!(hub.count("select count(*) from storage_garbage").await, 0);
    assert_eq!(hub.count("select total_size_bytes from storage_metrics").await, 5, "the other image's blobs");
}

#[tokio::test]
async fn who_may_push_and_hears_that_a_blob_is_there_may_rely_on_it() {
    let hub = Hub::start().await;
    let owner = admin(&hub).await;
    let (asked, silent) = (owner.blob(REPOSITORY, &b"asked"[..]).await, owner.blob(REPOSITORY, &b"silent"[..]).await);
    hub.app.clock.advance(Duration::hours(30));
    assert_eq!(owner.head(&format!("/v2/{REPOSITORY}/blobs/{asked}")).await.status(), 200);
    hub.collect(false).await;
    assert!(has(&owner, REPOSITORY, &asked).await);
    assert!(!has(&owner, REPOSITORY, &silent).await);
    // A mount, and a push of what is there, promise the same.
    hub.app.clock.advance(Duration::hours(20));
    let mount = format!("/v2/acme/hello/other/blobs/uploads/?mount={asked}&from={REPOSITORY}");
    assert_eq!(owner.request(Method::POST, &mount).send().await.unwrap().status(), 201);
    hub.app.clock.advance(Duration::hours(20));
    hub.collect(false).await;
    assert!(!has(&owner, REPOSITORY, &asked).await);
    assert!(has(&owner, "acme/hello/other", &asked).await);
}

#[tokio::test]
async fn an_upload_on_its_way_keeps_what_was_pushed_before_it() {
    let hub = Hub::start().await;
    let owner = admin(&hub).await;
    let first = owner.blob(REPOSITORY, &b"first layer"[..]).await;
    hub.app.clock.advance(Duration::hours(23));
    let slow = owner.start(REPOSITORY).await;
    hub.app.clock.advance(Duration::hours(20));
    hub.collect(false).await;
    assert!(has(&owner, REPOSITORY, &first).await);
    assert_eq!(owner.delete(&slow).await.status(), 204);
    hub.collect(false).await;
    assert!(!has(&owner, REPOSITORY, &first).await);
}

#[tokio::test]
async fn what_a_crash_left_unrecorded_is_found_and_removed() {
    let hub = Hub::start().await;
    let owner = admin(&hub).await;
    let store = FaultyStore::new(hub.app.objects.clone());
    let registry = hub.registry_on(std::sync::Arc::new(store.clone()));
    let token = owner.token(&format!("repository:{REPOSITORY}:pull,push")).await;
    let access = std::sync::Arc::new(registry.verify_token(&token, RequestInfo::default()).unwrap());
    store.fail(Fault::AfterCommit);
    let body = Box::pin(futures::stream::iter([Ok(bytes::Bytes::from_static(b"lost"))]));
    let name = REPOSITORY.parse().unwrap();
    registry.push_blob(&access, &name, Digest::of(b"lost"), body).await.unwrap_err();
    assert_eq!(hub.files("blobs").len(), 1);
    assert_eq!(hub.collect(false).await.counts.orphans, 0, "it could be a push that is about to end");
    hub.app.clock.advance(Duration::hours(25));
    assert_eq!(hub.collect(true).await.counts.orphans, 1);
    assert_eq!(hub.collect(false).await.counts.orphans, 1);
    hub.app.clock.advance(Duration::hours(2));
    assert_eq!(hub.collect(false).await.counts.objects, 1);
    assert!(hub.files("blobs").is_empty());
}

#[tokio::test]
async fn a_damaged_blob_is_served_no_longer_and_healed_by_a_push() {
    let hub = Hub::with(|config| config.scrub_bytes_per_second = 1 << 30).await;
    let owner = admin(&hub).await;
    let bytes = noise(300_000, 1);
    let image = untagged(&owner, REPOSITORY, &[&bytes, b"sound"]).await;
    let blob = Digest::of(&bytes);
    let file = hub.files("blobs").into_iter().find(|f| f.to_str().unwrap().contains(&blob.hex())).unwrap();
    let mut rotten = bytes.clone();
    rotten[150_000] ^= 1;
    std::fs::write(&file, &rotten).unwrap();

    let operator = Caller::system("test", None);
    let scrub = async || {
        let run = hub.registry.start_storage_run(&operator, RunKind::Scrub, false).await.unwrap();
        hub.registry.work_on_storage(RunKind::Scrub).await.unwrap();
        hub.registry.storage_run(&operator, run.id).await.unwrap().counts
    };
    let found = scrub().await;
    assert_eq!((found.verified, found.corrupt, found.verified_bytes), (3, 1, 300_007));
    let path = format!("/v2/{REPOSITORY}/blobs/{blob}");
    let refused = owner.get(&path).await;
    assert_eq!(refusal(refused).await, (404, "BLOB_UNKNOWN".into()));
    assert_eq!(owner.head(&path).await.status(), 404, "so a client pushes it again");
    assert_eq!(hub.count("select count(*) from events where type = 'blob.rotten'").await, 1);
    assert_eq!(std::fs::read(&file).unwrap(), rotten, "kept aside");

    assert_eq!(owner.try_blob(REPOSITORY, bytes.clone()).await.status(), 201);
    assert!(owner.get(&path).await.bytes().await.unwrap() == bytes);
    assert_eq!(scrub().await.corrupt, 0);
    assert_eq!(owner.head(&format!("/v2/{REPOSITORY}/manifests/{image}")).await.status(), 200);
    hub.app.clock.advance(Duration::hours(30));
    hub.collect(false).await;
    hub.app.clock.advance(Duration::hours(30));
    hub.collect(false).await;
    assert_eq!(std::fs::read(&file).unwrap(), rotten, "still kept");
    assert!(owner.get(&path).await.bytes().await.unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn collection_runs_beside_eight_clients_that_push_images_with_common_layers() {
    let hub = Hub::with(|config| config.collect_grace_hours = 1).await;
    let owner = admin(&hub).await;
    let shared: Vec<Vec<u8>> = (0..4).map(|n| noise(20_000, n + 10)).collect();
    // Time flies between pushes, so that collection has something to do; no push outlasts its grace.
    let time = std::sync::Arc::new(tokio::sync::RwLock::new(()));
    let pushers: Vec<_> = (0..8u64)
        .map(|n| {
            let (owner, shared, time) = (owner.clone(), shared.clone(), time.clone());
            tokio::spawn(async move {
                let mut kept = Vec::new();
                for round in 0..12u64 {
                    let repository = format!("acme/hello/app{}", n % 3);
                    let own = noise(5_000, 1000 + n * 100 + round);
                    let layers = [&shared[usize::try_from((n + round) % 4).unwrap()][..], &own[..]];
                    let on_its_way = time.read().await;
                    let digest = untagged(&owner, &repository, &layers).await;
                    drop(on_its_way);
                    if round % 3 == 0 {
                        kept.push((repository, layers.map(<[u8]>::to_vec)));
                    } else {
                        let deleted = owner.delete(&format!("/v2/{repository}/manifests/{digest}")).await;
                        assert_eq!(deleted.status(), 202);
                    }
                }
                kept
            })
        })
        .collect();
    let pushing = futures::future::join_all(pushers);
    tokio::pin!(pushing);
    let kept: Vec<_> = loop {
        tokio::select! {
            done = &mut pushing => break done.into_iter().flat_map(Result::unwrap).collect(),
            () = async {
                hub.collect(false).await;
                let _nothing_on_its_way = time.write().await;
                hub.app.clock.advance(Duration::hours(3));
            } => {}
        }
    };
    for _ in 0..3 {
        hub.app.clock.advance(Duration::hours(2));
        hub.collect(false).await;
    }
    let mut whole = std::collections::BTreeSet::from([Digest::of(CONFIG)]);
    for (repository, layers) in &kept {
        for layer in layers {
            let digest = Digest::of(layer);
            whole.insert(digest);
            let body = owner.get(&format!("/v2/{repository}/blobs/{digest}")).await.bytes().await.unwrap();
            assert!(body == layer);
        }
    }
    assert_eq!(hub.files("blobs").len(), whole.len());
    assert_eq!(hub.count("select count(*) from image_blobs").await, i64::try_from(whole.len()).unwrap());
    assert_eq!(
        hub.count("select total_objects from storage_metrics").await,
        i64::try_from(whole.len()).unwrap(),
        "the quota counts what is there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_that_was_killed_goes_on_after_the_restart() {
    let (mut server, _) = ServerProcess::start(&[]).await;
    let client = Client::new(&server.host(), Some(("owner@acme.test", ServerProcess::password())));
    let kept = client.image(REPOSITORY, "v1", &[b"kept"]).await;
    let mut database = server.db().connect().await;
    // Many small objects that nothing refers to, and links and blobs that nobody needs.
    let fill = "with made as (
            insert into image_blobs (digest, size_bytes, storage_backend_id, storage_key, created_at)
            select sha256(n::text::bytea), 3, b.id, 'blobs/sha256/00/' || encode(sha256(n::text::bytea), 'hex'), now()
            from generate_series(1, 12000) n, storage_backends b returning digest)
        insert into repository_blobs (tenant_id, repository_id, digest, size_bytes, linked_at)
        select r.tenant_id, r.id, m.digest, 3, now() from made m, repositories r";
    sqlx::query(fill).execute(&mut database).await.unwrap();
    let folder = server.folder().join("storage/blobs/sha256/00");
    std::fs::create_dir_all(&folder).unwrap();
    let keys: Vec<String> = sqlx::query_scalar("select storage_key from image_blobs where size_bytes = 3")
        .fetch_all(&mut database)
        .await
        .unwrap();
    for key in &keys {
        std::fs::write(server.folder().join("storage").join(key), b"abc").unwrap();
    }
    let age = "update repository_blobs set linked_at = linked_at - interval '3 days';
        update image_blobs set created_at = created_at - interval '3 days';
        update storage_garbage set since = since - interval '3 days'";
    let now = "update jobs set lease_expires_at = now() - interval '1 second' where status = 'running';
        update jobs set run_at = now() where kind = 'registry.collect'";
    let admin = server.admin().await;
    let collect = json!({"kind": "collect"});
    let mut hits = 0;
    for kill in 0..6 {
        let started = admin.post("/system/storage/runs", &collect).await.status;
        assert!(matches!(started.as_u16(), 202 | 409), "{started}");
        server.kill();
        sqlx::raw_sql(age).execute(&mut database).await.unwrap();
        let open = "select count(*) from storage_runs where status = 'running'";
        hits += sqlx::query_scalar::<_, i64>(open).fetch_one(&mut database).await.unwrap();
        sqlx::raw_sql(now).execute(&mut database).await.unwrap();
        server.launch().await;
        wait(&mut database, "select count(*) = 0 from storage_runs where status = 'queued'").await;
        tokio::time::sleep(Duration::milliseconds(10 + 120 * kill).to_std().unwrap()).await;
    }
    assert!(hits > 1, "runs end before they are killed");
    for _ in 0..2 {
        wait(&mut database, "select count(*) = 0 from storage_runs where status in ('queued', 'running')").await;
        sqlx::raw_sql(age).execute(&mut database).await.unwrap();
        admin.post("/system/storage/runs", &collect).await.expect(202);
    }
    wait(&mut database, "select count(*) = 0 from storage_runs where status in ('queued', 'running')").await;
    let files = walkdir::WalkDir::new(server.folder().join("storage/blobs"))
        .into_iter()
        .flatten()
        .filter(|e| e.file_type().is_file())
        .count();
    assert_eq!(files, 2, "{}", server.log());
    let layer = kept["layers"][0]["digest"].as_str().unwrap();
    let pulled = client.get(&format!("/v2/{REPOSITORY}/blobs/{layer}")).await;
    assert_eq!(pulled.bytes().await.unwrap(), &b"kept"[..]);
    let runs: Value = admin.get("/system/storage/runs").await.expect(200);
    assert!(runs["items"].as_array().unwrap().iter().all(|r| r["status"] != "failed"), "{runs}");
}

/// Until this is true; at most a minute.
async fn wait(database: &mut sqlx::PgConnection, condition: &'static str) {
    for _ in 0..6000 {
        if sqlx::query_scalar(condition).fetch_one(&mut *database).await.unwrap() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("in vain: {condition}");
}
