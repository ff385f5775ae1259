use crate::support::hub::{Hub, image_manifest};
use image_factory::images::catalog::{Hold, ImageFilters, ImageType, Lifecycle};
use image_factory::kernel::{Digest, Kind, PageRequest};
use image_factory::tenancy::access::TenantRole;
use serde_json::json;

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
    let of_hello = ImageFilters { project: Some("hello".into()), name: None };
    assert_eq!(names(of_hello, page(9, None)).await.0, ["acme/hello/b", "acme/hello/a"]);
    let by_name = ImageFilters { project: None, name: Some("a".into()) };
    assert_eq!(names(by_name, page(9, None)).await.0, ["acme/second/a", "acme/hello/a"]);
}
