use crate::support::hub::{Hub, descriptor, header, noise, refusal};
use image_factory::kernel::Digest;
use image_factory::tenancy::access::TenantRole;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
pub async fn an_image_is_pulled_by_tag_and_by_digest() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let layer = noise(700_000, 1);
    let manifest = dev.image("acme/hello/web", "v1", &[&layer]).await;
    let digest = Digest::of(manifest.to_string().as_bytes()).to_string();

    let viewer = hub.person(&acme, TenantRole::Viewer).await;
    for reference in ["v1", &digest] {
        let path = format!("/v2/acme/hello/web/manifests/{reference}");
        let head = viewer.head(&path).await;
        assert_eq!(head.status(), 200);
        assert_eq!(header(&head, "content-length"), manifest.to_string().len().to_string());
        let got = viewer.get(&path).await;
        assert_eq!(header(&got, "docker-content-digest"), digest);
        assert_eq!(header(&got, "content-type"), "application/vnd.oci.image.manifest.v1+json");
        assert_eq!(header(&got, "docker-distribution-api-version"), "registry/2.0");
        let etag = header(&got, "etag");
        assert_eq!(got.text().await.unwrap(), manifest.to_string());
        let again = viewer.request(Method::GET, &path).header("if-none-match", etag).send().await.unwrap();
        assert_eq!(again.status(), 304);
    }
    let path = format!("/v2/acme/hello/web/blobs/{}", Digest::of(&layer));
    let head = viewer.head(&path).await;
    assert_eq!((head.status().as_u16(), header(&head, "content-length")), (200, "700000".into()));
    let got = viewer.get(&path).await;
    assert_eq!(header(&got, "accept-ranges"), "bytes");
    assert_eq!(header(&got, "docker-content-digest"), Digest::of(&layer).to_string());
    assert!(got.bytes().await.unwrap() == layer);
}

#[tokio::test]
pub async fn a_range_of_a_blob_is_sent_alone() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let bytes = noise(600_000, 2);
    let path = format!("/v2/acme/hello/web/blobs/{}", dev.blob("acme/hello/web", bytes.clone()).await);
    for (range, from, to) in
        [("0-0", 0, 1), ("262143-262144", 262_143, 262_145), ("599999-", 599_999, 600_000), ("-5", 599_995, 600_000)]
    {
        let got = dev.request(Method::GET, &path).header("range", format!("bytes={range}")).send().await.unwrap();
        assert_eq!(got.status(), 206, "{range}");
        assert_eq!(header(&got, "content-range"), format!("bytes {from}-{}/600000", to - 1));
        assert_eq!(header(&got, "content-length"), (to - from).to_string());
        assert!(got.bytes().await.unwrap() == bytes[from..to], "{range}");
    }
    let beyond = dev.request(Method::GET, &path).header("range", "bytes=600000-").send().await.unwrap();
    assert_eq!((beyond.status().as_u16(), header(&beyond, "content-range")), (416, "bytes */600000".into()));
    let several = dev.request(Method::GET, &path).header("range", "bytes=0-1,5-6").send().await.unwrap();
    assert_eq!((several.status().as_u16(), several.bytes().await.unwrap().len()), (200, 600_000));
}

#[tokio::test]
pub async fn what_is_not_there_is_named() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    dev.blob("acme/hello/web", &b"x"[..]).await;
    let absent = Digest::of(b"absent");
    for (path, expected) in [
        (format!("/v2/acme/hello/none/blobs/{absent}"), (404, "NAME_UNKNOWN")),
        (format!("/v2/acme/hello/web/blobs/{absent}"), (404, "BLOB_UNKNOWN")),
        ("/v2/acme/hello/web/blobs/sha256:zz".into(), (400, "DIGEST_INVALID")),
        ("/v2/acme/hello/none/manifests/v1".into(), (404, "NAME_UNKNOWN")),
        ("/v2/acme/hello/web/manifests/v1".into(), (404, "MANIFEST_UNKNOWN")),
        (format!("/v2/acme/hello/web/manifests/{absent}"), (404, "MANIFEST_UNKNOWN")),
        ("/v2/acme/hello/web/manifests/-bad-".into(), (400, "TAG_INVALID")),
        ("/v2/acme/hello/none/tags/list".into(), (404, "NAME_UNKNOWN")),
        ("/v2/acme/hello/WEB/tags/list".into(), (400, "NAME_INVALID")),
        ("/v2/acme/hello/web/blobs/uploads/nonsense".into(), (404, "BLOB_UPLOAD_UNKNOWN")),
        ("/v2/acme/hello/web/nothing/here".into(), (404, "UNSUPPORTED")),
    ] {
        let (status, code) = refusal(dev.get(&path).await).await;
        assert_eq!((status, code.as_str()), expected, "{path}");
    }
    let method = dev.request(Method::PUT, &format!("/v2/acme/hello/web/blobs/{absent}")).send().await.unwrap();
    assert_eq!(refusal(method).await, (405, "UNSUPPORTED".into()));
}

#[tokio::test]
async fn tags_are_listed_in_pages() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let manifest = dev.image("acme/hello/web", "v1", &[]).await;
    for tag in ["B", "a", "v10", "_", "v2"] {
        dev.manifest("acme/hello/web", tag, &manifest).await;
    }
    let page = dev.get("/v2/acme/hello/web/tags/list").await;
    assert!(page.headers().get("link").is_none());
    let all: Value = page.json().await.unwrap();
    assert_eq!(all, json!({"name": "acme/hello/web", "tags": ["B", "_", "a", "v1", "v10", "v2"]}));

    let (mut path, mut seen) = ("/v2/acme/hello/web/tags/list?n=4".to_owned(), Vec::new());
    loop {
        let page = dev.get(&path).await;
        let link = page.headers().get("link").map(|l| l.to_str().unwrap().to_owned());
        let body: Value = page.json().await.unwrap();
        seen.extend(body["tags"].as_array().unwrap().clone());
        match link {
            Some(link) => {
                assert!(link.ends_with("; rel=\"next\""), "{link}");
                path = link[1..link.find('>').unwrap()].to_owned();
            }
            None => break,
        }
    }
    assert_eq!(json!(seen), all["tags"]);
    let none: Value = dev.get("/v2/acme/hello/web/tags/list?n=0").await.json().await.unwrap();
    assert_eq!(none["tags"], json!([]));
    assert_eq!(refusal(dev.get("/v2/acme/hello/web/tags/list?n=-1").await).await.0, 400);
}

#[tokio::test]
async fn an_index_is_pulled_with_its_images() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let dev = hub.person(&acme, TenantRole::Developer).await;
    let image = dev.image("acme/hello/web", "amd64", &[b"layer"]).await;
    let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", image.to_string().as_bytes());
    entry["platform"] = json!({"os": "linux", "architecture": "amd64"});
    let index =
        json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]});
    dev.manifest("acme/hello/web", "multi", &index).await;
    let got = dev.get("/v2/acme/hello/web/manifests/multi").await;
    assert_eq!(header(&got, "content-type"), "application/vnd.oci.image.index.v1+json");
    assert_eq!(got.text().await.unwrap(), index.to_string());
}
