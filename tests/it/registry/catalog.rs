use crate::support::hub::{Client, Hub, TestTenant, descriptor, image_manifest, refusal};
use flate2::Compression;
use flate2::write::GzEncoder;
use image_factory::images::catalog::{Hold, Image, ImageFilters, ImageType, Lifecycle, LifecycleStep, ManifestRole};
use image_factory::images::registry::{Built, Reference};
use image_factory::kernel::ids::{BuildId, ExecutionId};
use image_factory::kernel::{Actor, Digest, Kind, PageRequest};
use image_factory::tenancy::access::{Permission, TenantRole};
use serde_json::{Value, json};
use std::io::Write;

const REPOSITORY: &str = "acme/hello/web";

fn page(limit: u16, cursor: Option<String>) -> PageRequest {
    PageRequest { limit, cursor }
}

#[tokio::test]
async fn a_push_fills_the_catalogue() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let config = json!({"os": "linux", "architecture": "amd64", "created": "2026-01-02T03:04:05Z",
        "config": {"Entrypoint": ["/web"], "Env": ["PATH=/bin"], "Labels": {"version": "7"}, "WorkingDir": "/srv"},
        "history": [{"created_by": "COPY base"}, {"created_by": "ENV", "empty_layer": true}, {"created_by": "RUN make"}]});
    let config = config.to_string();
    let layers: [&[u8]; 2] = [b"base", b"made"];
    for blob in [config.as_bytes(), layers[0], layers[1]] {
        dev.blob(REPOSITORY, blob.to_vec()).await;
    }
    let manifest = image_manifest(config.as_bytes(), &layers);
    let digest = dev.manifest(REPOSITORY, "v1", &manifest).await;
    dev.manifest(REPOSITORY, "latest", &manifest).await;

    let all = hub.catalog.list(&acme.caller, &ImageFilters::default(), &page(10, None)).await.unwrap().items;
    let [image] = all.as_slice() else { panic!("{all:#?}") };
    assert_eq!((image.name.as_str(), image.repository.as_str()), ("web", REPOSITORY));
    assert_eq!((image.image_type, image.lifecycle, image.hold), (ImageType::Container, Lifecycle::Draft, Hold::None));
    assert_eq!((image.digest.clone(), image.tag.as_deref()), (digest.to_string(), Some("latest")));
    let m = image.metadata.as_ref().unwrap();
    assert_eq!((m.os.as_deref(), m.architecture.as_deref(), m.total_layer_count), (Some("linux"), Some("amd64"), 2));
    assert_eq!(m.compressed_size_bytes, i64::try_from(config.len() + 8).unwrap());
    assert_eq!((&m.entrypoint, &m.labels), (&Some(json!(["/web"])), &Some(json!({"version": "7"}))));

    let layers = hub.catalog.layers(&acme.caller, image.id, &page(1, None)).await.unwrap();
    assert_eq!(layers.items[0].created_by.as_deref(), Some("COPY base"));
    let rest = hub.catalog.layers(&acme.caller, image.id, &page(1, layers.next_cursor)).await.unwrap();
    assert_eq!((rest.items[0].layer_digest.clone(), rest.next_cursor), (Digest::of(b"made").to_string(), None));
    let tags = hub.catalog.tags(&acme.caller, image.id, &page(10, None)).await.unwrap().items;
    assert_eq!(tags.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["latest", "v1"]);
    assert_eq!((tags[0].digest, tags[0].platform.as_deref()), (digest, Some("linux/amd64")));
}

#[tokio::test]
async fn the_catalogue_follows_deletes_and_hides_other_tenants() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let other = hub.tenant("other", &["hello"]).await;
    let owner = hub.person(&acme, TenantRole::Owner).await;
    let first = owner.image(REPOSITORY, "v1", &[b"one"]).await;
    let second = owner.image(REPOSITORY, "v2", &[b"one", b"two"]).await;
    let list = async || hub.catalog.list(&acme.caller, &ImageFilters::default(), &page(10, None)).await.unwrap().items;
    let id = list().await[0].id;
    assert_eq!(hub.catalog.get(&other.caller, id).await.unwrap_err().kind(), Kind::NotFound);
    assert!(hub.catalog.list(&other.caller, &ImageFilters::default(), &page(10, None)).await.unwrap().items.is_empty());

    let path = |m: &serde_json::Value| format!("/v2/{REPOSITORY}/manifests/{}", Digest::of(m.to_string().as_bytes()));
    assert_eq!(owner.delete(&path(&second)).await.status(), 202);
    let image = hub.catalog.get(&acme.caller, id).await.unwrap();
    assert_eq!((image.tag.as_deref(), image.metadata.unwrap().total_layer_count), (Some("v1"), 1));
    assert_eq!(owner.delete(&path(&first)).await.status(), 202);
    assert!(list().await.is_empty());
}

#[tokio::test]
async fn images_are_listed_in_pages_and_by_project_and_name() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello", "second"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    for name in ["hello/a", "hello/b", "second/a"] {
        dev.image(&format!("acme/{name}"), "v1", &[b"x"]).await;
    }
    let names = async |filters: ImageFilters, page: PageRequest| {
        let page = hub.catalog.list(&acme.caller, &filters, &page).await.unwrap();
        (page.items.into_iter().map(|i| i.repository).collect::<Vec<_>>(), page.next_cursor)
    };
    let (first, cursor) = names(ImageFilters::default(), page(2, None)).await;
    assert_eq!(first, ["acme/second/a", "acme/hello/b"]);
    assert_eq!(names(ImageFilters::default(), page(2, cursor)).await.0, ["acme/hello/a"]);
    let of_hello = ImageFilters { project: Some("hello".into()), ..ImageFilters::default() };
    assert_eq!(names(of_hello, page(9, None)).await.0, ["acme/hello/b", "acme/hello/a"]);
    let by_name = ImageFilters { name: Some("a".into()), ..ImageFilters::default() };
    assert_eq!(names(by_name, page(9, None)).await.0, ["acme/second/a", "acme/hello/a"]);
}

async fn only_image(hub: &Hub, tenant: &TestTenant) -> Image {
    hub.catalog.list(&tenant.caller, &ImageFilters::default(), &page(10, None)).await.unwrap().items.remove(0)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Pushes an image with this config.
async fn push(client: &Client, repository: &str, tag: &str, config: &Value, layers: &[&[u8]]) -> Value {
    let config = config.to_string();
    for blob in std::iter::once(config.as_bytes()).chain(layers.iter().copied()) {
        client.blob(repository, blob.to_vec()).await;
    }
    let manifest = image_manifest(config.as_bytes(), layers);
    client.manifest(repository, tag, &manifest).await;
    manifest
}

#[tokio::test]
async fn images_are_found_by_words_of_names_and_labels_and_by_digests() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let other = hub.tenant("other", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let config = json!({"os": "linux", "architecture": "amd64", "config": {"Labels": {"team": "Payments"}}});
    let server = push(&dev, "acme/hello/api-server", "v1", &config, &[b"server"]).await;
    push(&dev, "acme/hello/web/shop", "v1", &json!({"os": "linux"}), &[b"shop"]).await;
    hub.person(&other, TenantRole::Developer).await.image("other/hello/api-server", "v1", &[b"server"]).await;
    let found = async |query: &str| {
        let filters = ImageFilters { query: Some(query.to_owned()), ..ImageFilters::default() };
        let found = hub.catalog.list(&acme.caller, &filters, &page(10, None)).await.unwrap().items;
        found.into_iter().map(|i| i.name).collect::<Vec<_>>()
    };
    for query in ["api", "SERV", "api-server", "team=pay", "payments", &Digest::of(b"server").hex()[..8]] {
        assert_eq!(found(query).await, ["api-server"], "{query}");
    }
    let digest = Digest::of(server.to_string().as_bytes()).to_string();
    assert_eq!(found(&digest).await, ["api-server"]);
    assert_eq!(found("shop").await, ["web/shop"]);
    assert_eq!(found(" ").await, ["web/shop", "api-server"]);
    for query in ["erver", "nothing", "00000000"] {
        assert!(found(query).await.is_empty(), "{query}");
    }
    // A label that is gone finds nothing any more.
    push(&dev, "acme/hello/api-server", "v2", &json!({"os": "linux"}), &[b"server"]).await;
    assert!(found("payments").await.is_empty());
    assert_eq!(found("api").await, ["api-server"]);

    let filters =
        ImageFilters { lifecycle: Some(Lifecycle::Draft), image_type: Some(ImageType::Vm), ..Default::default() };
    assert!(hub.catalog.list(&acme.caller, &filters, &page(10, None)).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn an_archived_image_takes_no_pushes_until_it_is_restored() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let manifest = dev.image(REPOSITORY, "v1", &[b"one"]).await;
    let id = only_image(&hub, &acme).await.id;
    let step = async |step: LifecycleStep| hub.catalog.step(&acme.caller, id, step).await.map(|i| i.lifecycle);
    assert_eq!(step(LifecycleStep::Publish).await.unwrap(), Lifecycle::Published);
    assert_eq!(step(LifecycleStep::Publish).await.unwrap_err().code(), "image.lifecycle");
    assert_eq!(step(LifecycleStep::Deprecate).await.unwrap(), Lifecycle::Deprecated);
    assert_eq!(step(LifecycleStep::Archive).await.unwrap(), Lifecycle::Archived);
    let put = dev.try_manifest(REPOSITORY, "v2", &manifest).await;
    assert_eq!(refusal(put).await, (403, "DENIED".into()));
    let (_, robot) = hub.robot(&acme, "hello", &[REPOSITORY]).await;
    assert_eq!(robot.try_manifest(REPOSITORY, "v2", &manifest).await.status(), 403);
    assert_eq!(dev.get(&format!("/v2/{REPOSITORY}/manifests/v1")).await.status(), 200);
    assert_eq!(step(LifecycleStep::Restore).await.unwrap(), Lifecycle::Draft);
    dev.manifest(REPOSITORY, "v2", &manifest).await;
    sqlx::query("update images set hold = 'quarantined'").execute(&mut hub.db.connect().await).await.unwrap();
    assert_eq!(step(LifecycleStep::Publish).await.unwrap_err().kind(), Kind::Conflict);
    let told = "select count(*) from events where type in
                ('image.published', 'image.deprecated', 'image.archived', 'image.restored')";
    assert_eq!(hub.count(told).await, 4);
    assert_eq!(hub.count("select count(*) from audit_events where action = 'image.archived'").await, 1);
}

#[tokio::test]
async fn a_manifest_is_shown_with_platforms_layers_base_build_and_referrers() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello", "base"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let (low, high) = (gzip(&[1; 5000]), gzip(&vec![2; 70_000]));
    let os = json!({"os": "linux", "architecture": "arm64"});
    let base = push(&dev, "acme/base/debian", "12", &os, &[&low]).await;
    let config = json!({"os": "linux", "architecture": "arm64",
        "config": {"Entrypoint": ["/app"], "User": "1000", "ExposedPorts": {"8080/tcp": {}}},
        "history": [{"created_by": "FROM"}, {"created_by": "COPY app"}]});
    let bytes = config.to_string();
    for blob in [bytes.as_bytes(), &low, &high] {
        dev.blob(REPOSITORY, blob.to_vec()).await;
    }
    let mut manifest = image_manifest(bytes.as_bytes(), &[&low, &high]);
    manifest["annotations"] = json!({"org.opencontainers.image.base.name": "docker.io/library/debian:12"});
    let digest = dev.manifest(REPOSITORY, &Digest::of(manifest.to_string().as_bytes()).to_string(), &manifest).await;
    let build = BuildId::new();
    let project = hub.project(&acme, "hello").await;
    let made = Built { build, project, image: "web", digest, tags: &["v1".to_owned()] };
    let mut tx = hub.app.db.tenant(acme.id).await.unwrap();
    hub.registry.tag(&mut tx, &Actor::Execution(ExecutionId::new()), &made).await.unwrap();
    tx.commit().await.unwrap();
    let mut signature = image_manifest(b"{}", &[]);
    signature["artifactType"] = "application/vnd.example.signature".into();
    signature["subject"] = descriptor("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
    dev.blob(REPOSITORY, &b"{}"[..]).await;
    dev.manifest(REPOSITORY, "signature", &signature).await;

    // What runs behind.
    hub.registry.measure_queued().await.unwrap();
    assert_eq!(hub.count("select count(*) from layer_measures").await, 0);

    let filters = ImageFilters { name: Some("web".into()), ..ImageFilters::default() };
    let image = hub.catalog.list(&acme.caller, &filters, &page(1, None)).await.unwrap().items.remove(0);
    // A signature is not what the image shows.
    assert_eq!((image.image_type, image.tag.as_deref()), (ImageType::Container, Some("v1")));
    assert_eq!(image.metadata.unwrap().uncompressed_size_bytes, Some(75_000));
    let show = async |reference: &str| {
        let reference: Reference = reference.parse().unwrap();
        hub.catalog.manifest(&acme.caller, image.id, &reference).await
    };
    let shown = show("v1").await.unwrap();
    assert_eq!((shown.kind, shown.digest, shown.build_id), (ManifestRole::Image, digest, Some(build)));
    assert_eq!((shown.tags.clone(), shown.user.as_deref()), (vec!["v1".to_owned()], Some("1000")));
    assert_eq!(
        (shown.exposed_ports.clone(), shown.uncompressed_size_bytes),
        (vec!["8080/tcp".to_owned()], Some(75_000))
    );
    let layers: Vec<_> = shown
        .layers
        .iter()
        .map(|l| (l.layer.created_by.as_deref().unwrap(), l.uncompressed_size_bytes.unwrap(), l.from_base))
        .collect();
    assert_eq!(layers, [("FROM", 5000, true), ("COPY app", 70_000, false)]);
    let found = shown.base.unwrap();
    assert_eq!(
        (found.repository.as_str(), found.tag.as_deref(), found.layer_count),
        ("acme/base/debian", Some("12"), 1)
    );
    assert_eq!(found.digest, Digest::of(base.to_string().as_bytes()));
    assert_eq!(shown.declared_base.unwrap().name.as_deref(), Some("docker.io/library/debian:12"));
    assert_eq!(shown.referrers.len(), 1);
    assert_eq!(show("signature").await.unwrap().kind, ManifestRole::Artifact);
    assert_eq!(show("missing").await.unwrap_err().kind(), Kind::NotFound);

    let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
    entry["platform"] = json!({"os": "linux", "architecture": "arm64", "variant": "v8"});
    let index =
        json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]});
    dev.manifest(REPOSITORY, "all", &index).await;
    let shown = show("all").await.unwrap();
    let platform = &shown.platforms[0];
    assert_eq!((shown.kind, platform.variant.as_deref()), (ManifestRole::Index, Some("v8")));
    assert!(platform.size_bytes > (low.len() + high.len()) as u64 && shown.size_bytes > platform.size_bytes);

    // The build stays known as long as the manifest is there.
    hub.catalog.delete_reference(&acme.caller, image.id, &"v1".parse().unwrap(), false).await.unwrap();
    assert_eq!(show(&digest.to_string()).await.unwrap().build_id, Some(build));
}

#[tokio::test]
async fn deleting_by_the_api_takes_what_the_dry_run_said() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let first = dev.image(REPOSITORY, "v1", &[&[1; 1000], &[2; 500]]).await;
    dev.image(REPOSITORY, "v2", &[&[1; 1000], &[3; 300]]).await;
    dev.manifest(REPOSITORY, "latest", &first).await;
    let id = only_image(&hub, &acme).await.id;
    let used = async || hub.registry.usage(acme.id).await.unwrap().total_size_bytes;
    let before = used().await;

    let tag: Reference = "latest".parse().unwrap();
    let digest = Reference::Digest(Digest::of(first.to_string().as_bytes()));
    for (reference, tags, freed) in [(&tag, &["latest"][..], 0), (&digest, &["v1"][..], 500)] {
        let delete = async |dry_run| hub.catalog.delete_reference(&acme.caller, id, reference, dry_run).await;
        let told = delete(true).await.unwrap();
        let named: Vec<&str> = told.tags.iter().map(String::as_str).collect();
        assert_eq!((named.as_slice(), told.freed_bytes), (tags, freed));
        assert_eq!(delete(false).await.unwrap(), told);
        assert_eq!(delete(false).await.unwrap_err().kind(), Kind::NotFound);
    }
    assert_eq!(used().await, before - 500);
    let told = hub.catalog.delete(&acme.caller, id, true).await.unwrap();
    assert_eq!((told.tag_count, told.manifest_count, told.freed_bytes), (1, 1, used().await));
    assert_eq!(hub.catalog.delete(&acme.caller, id, false).await.unwrap(), told);
    assert_eq!((used().await, hub.count("select count(*) from repositories").await), (0, 0));
    assert_eq!(hub.catalog.get(&acme.caller, id).await.unwrap_err().kind(), Kind::NotFound);
    let audited = "select count(*) from audit_events where action like 'image.%deleted'";
    assert_eq!(hub.count(audited).await, 3);
}

#[tokio::test]
async fn what_is_held_back_is_not_deleted_and_who_may_not_delete_is_refused() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    dev.image(REPOSITORY, "v1", &[b"one"]).await;
    let id = only_image(&hub, &acme).await.id;
    let mut caller = acme.caller.clone();
    caller.tenant.as_mut().unwrap().permissions = [Permission::ImagePull].into_iter().collect();
    assert_eq!(hub.catalog.delete(&caller, id, true).await.unwrap_err().kind(), Kind::Forbidden);
    sqlx::query("update images set hold = 'blocked'").execute(&mut hub.db.connect().await).await.unwrap();
    assert_eq!(hub.catalog.delete(&acme.caller, id, false).await.unwrap_err().code(), "image.held");
}

#[tokio::test]
async fn moves_of_a_tag_are_listed_also_when_it_is_gone() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let owner = hub.person(&acme, TenantRole::Owner).await;
    let digests = [owner.image(REPOSITORY, "v1", &[b"one"]).await, owner.image(REPOSITORY, "v1", &[b"two"]).await]
        .map(|m| Some(Digest::of(m.to_string().as_bytes())));
    assert_eq!(owner.delete(&format!("/v2/{REPOSITORY}/manifests/v1")).await.status(), 202);
    let id = only_image(&hub, &acme).await.id;
    let history = async |request: PageRequest| {
        hub.catalog.tag_history(&acme.caller, id, &"v1".parse().unwrap(), &request).await.unwrap()
    };
    let newest = history(page(2, None)).await;
    let steps: Vec<_> = newest.items.iter().map(|m| (m.from_digest, m.to_digest)).collect();
    assert_eq!(steps, [(digests[1], None), (digests[0], digests[1])]);
    let first = history(page(2, newest.next_cursor)).await;
    assert_eq!((first.items[0].from_digest, first.items[0].to_digest), (None, digests[0]));
}

#[tokio::test]
async fn a_word_that_very_many_images_have_finds_the_newest_of_them() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let project = hub.project(&acme, "hello").await;
    let mut connection = hub.db.connect().await;
    for insert in [
        "insert into repositories (id, tenant_id, project_id, name, full_name, created_at)
         select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $1, $2, 'server-' || n,
                'acme/hello/server-' || n, now() from generate_series(1, 1200) as n",
        "insert into images (id, tenant_id, project_id, name, repository, image_type, digest, pushed_by, pushed_at, created_at)
         select id, $1, $2, name, full_name, 'container', 'sha256:x', 'system:test', now(), now() from repositories",
        "insert into image_terms (tenant_id, image_id, term) select $1, id, name from images where project_id = $2",
    ] {
        sqlx::query(insert).bind(acme.id.0).bind(project.0).execute(&mut connection).await.unwrap();
    }
    let found = async |query: &str, cursor: Option<String>| {
        let filters = ImageFilters { query: Some(query.to_owned()), ..ImageFilters::default() };
        let found = hub.catalog.list(&acme.caller, &filters, &page(2, cursor)).await.unwrap();
        (found.items.into_iter().map(|i| i.name).collect::<Vec<_>>(), found.next_cursor)
    };
    let (newest, cursor) = found("server", None).await;
    assert_eq!(newest, ["server-1200", "server-1199"]);
    assert_eq!(found("server", cursor).await.0, ["server-1198", "server-1197"]);
    assert_eq!(found("server-77", None).await.0, ["server-779", "server-778"]);
}
