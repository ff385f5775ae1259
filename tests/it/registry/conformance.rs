//! The checks of the OCI Distribution Specification 1.1 by its four workflow categories. Each test names the section it
//! goes through; what a section leaves open is held to what `docs/reference/registry.md` promises.

use crate::support::hub::{Client, Hub, descriptor, header, image_manifest, noise, refusal};
use image_factory::kernel::Digest;
use image_factory::tenancy::access::TenantRole;
use reqwest::{Method, Response};
use serde_json::{Value, json};

const NAME: &str = "acme/hello/app";
const OTHER: &str = "acme/hello/base";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

async fn registry() -> (Hub, Client) {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let owner = hub.person(&acme, TenantRole::Owner).await;
    (hub, owner)
}

fn digest(manifest: &Value) -> Digest {
    Digest::of(manifest.to_string().as_bytes())
}

fn blob_path(name: &str, digest: &Digest) -> String {
    format!("/v2/{name}/blobs/{digest}")
}

fn manifest_path(reference: impl std::fmt::Display) -> String {
    format!("/v2/{NAME}/manifests/{reference}")
}

async fn send(client: &Client, method: Method, path: &str, range: Option<&str>, body: &[u8]) -> Response {
    let mut request = client.request(method, path).header("content-type", "application/octet-stream");
    if let Some(range) = range {
        request = request.header("content-range", range);
    }
    request.body(body.to_vec()).send().await.unwrap()
}

/// An artifact with the empty config, about a subject or not.
async fn artifact(client: &Client, artifact_type: &str, note: &str, subject: Option<&Value>) -> Value {
    client.blob(NAME, &b"{}"[..]).await;
    let layer = client.blob(NAME, note.to_owned()).await;
    let mut manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type,
        "config": descriptor(EMPTY, b"{}"),
        "layers": [{"mediaType": "text/plain", "digest": layer, "size": note.len()}],
        "annotations": {"org.example.note": note},
    });
    if let Some(subject) = subject {
        manifest["subject"] = descriptor(MANIFEST, subject.to_string().as_bytes());
    }
    manifest
}

async fn put(client: &Client, reference: &str, manifest: &Value) -> Response {
    client.try_manifest(NAME, reference, manifest).await
}

/// The digests that the listing of referrers gives, page by page.
async fn referrers(client: &Client, query: &str, subject: &Digest) -> Vec<Value> {
    let mut path = format!("/v2/{NAME}/referrers/{subject}{query}");
    let mut all = Vec::new();
    loop {
        let answer = client.get(&path).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-type")), (200, INDEX.to_owned()));
        let next = answer.headers().get("link").map(|l| l.to_str().unwrap().to_owned());
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["schemaVersion"], &body["mediaType"]), (&json!(2), &json!(INDEX)));
        all.extend(body["manifests"].as_array().unwrap().clone());
        match next {
            Some(link) => link[1..link.find('>').unwrap()].clone_into(&mut path),
            None => return all,
        }
    }
}

// Pull

#[tokio::test]
async fn pull_determining_support() {
    let (hub, owner) = registry().await;
    assert_eq!(owner.get("/v2/").await.status(), 200);
    let nobody = hub.anonymous().get("/v2/").await;
    assert_eq!(nobody.status(), 401);
    assert!(header(&nobody, "www-authenticate").starts_with("Bearer realm="));
    assert_eq!(header(&nobody, "docker-distribution-api-version"), "registry/2.0");
}

#[tokio::test]
async fn pull_manifests_by_tag_and_digest_with_get_and_head() {
    let (_hub, owner) = registry().await;
    let image = owner.image(NAME, "v1", &[b"layer"]).await;
    for reference in ["v1".to_owned(), digest(&image).to_string()] {
        for method in [Method::GET, Method::HEAD] {
            let request = owner.request(method.clone(), &manifest_path(&reference)).header("accept", MANIFEST);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 200);
            assert_eq!(header(&answer, "docker-content-digest"), digest(&image).to_string());
            assert_eq!(header(&answer, "content-type"), MANIFEST);
            assert_eq!(header(&answer, "content-length"), image.to_string().len().to_string());
            let body = answer.text().await.unwrap();
            assert_eq!(body, if method == Method::GET { image.to_string() } else { String::new() });
        }
    }
    for reference in ["missing".to_owned(), Digest::of(b"missing").to_string()] {
        assert_eq!(owner.head(&manifest_path(&reference)).await.status(), 404);
        assert_eq!(refusal(owner.get(&manifest_path(&reference)).await).await, (404, "MANIFEST_UNKNOWN".into()));
    }
    assert_eq!(
        refusal(owner.get(&manifest_path("sha256:baddigeststring")).await).await,
        (400, "DIGEST_INVALID".into())
    );
}

#[tokio::test]
async fn pull_blobs_with_get_head_and_ranges() {
    let (_hub, owner) = registry().await;
    let bytes = noise(2048, 1);
    let path = blob_path(NAME, &owner.blob(NAME, bytes.clone()).await);
    for method in [Method::GET, Method::HEAD] {
        let answer = owner.request(method, &path).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), header(&answer, "content-length")), (200, "2048".into()));
        assert_eq!(header(&answer, "docker-content-digest"), Digest::of(&bytes).to_string());
    }
    for (range, from, to) in
        [("500-1499", 500, 1500), ("500-", 500, 2048), ("-500", 1548, 2048), ("2000-5000", 2000, 2048)]
    {
        let answer = owner.request(Method::GET, &path).header("range", format!("bytes={range}")).send().await.unwrap();
        assert_eq!(answer.status(), 206, "{range}");
        assert_eq!(header(&answer, "content-range"), format!("bytes {from}-{}/2048", to - 1));
        assert_eq!(answer.bytes().await.unwrap(), bytes[from..to]);
    }
    for range in ["500-0", "5000-10000"] {
        let answer = owner.request(Method::GET, &path).header("range", format!("bytes={range}")).send().await.unwrap();
        assert_eq!(answer.status(), 416, "{range}");
    }
    let missing = blob_path(NAME, &Digest::of(b"missing"));
    assert_eq!(owner.head(&missing).await.status(), 404);
    assert_eq!(refusal(owner.get(&missing).await).await, (404, "BLOB_UNKNOWN".into()));
}

// Push

#[tokio::test]
async fn push_blobs_monolithically_by_post_and_put_and_by_post_alone() {
    let (_hub, owner) = registry().await;
    for (n, bytes) in [&b""[..], b"{}", b"some bytes"].into_iter().enumerate() {
        let wanted = Digest::of(bytes);
        let upload = owner.start(NAME).await;
        let done = send(&owner, Method::PUT, &format!("{upload}?digest={wanted}"), None, bytes).await;
        assert_eq!((done.status().as_u16(), header(&done, "location")), (201, blob_path(NAME, &wanted)));
        assert_eq!(header(&done, "docker-content-digest"), wanted.to_string());
        let alone = owner.try_blob(OTHER, bytes.to_vec()).await;
        assert_eq!((alone.status().as_u16(), header(&alone, "location")), (201, blob_path(OTHER, &wanted)));
        for name in [NAME, OTHER] {
            assert_eq!(owner.get(&blob_path(name, &wanted)).await.bytes().await.unwrap(), bytes, "{n}");
        }
    }
    let wrong = Digest::of(b"other");
    let upload = owner.start(NAME).await;
    let put = send(&owner, Method::PUT, &format!("{upload}?digest={wrong}"), None, b"bytes").await;
    assert_eq!(refusal(put).await, (400, "DIGEST_INVALID".into()));
    let path = format!("/v2/{NAME}/blobs/uploads/?digest={wrong}");
    assert_eq!(refusal(send(&owner, Method::POST, &path, None, b"bytes").await).await, (400, "DIGEST_INVALID".into()));
    let sha512 = format!("/v2/{NAME}/blobs/uploads/?digest=sha512:{}", "0".repeat(128));
    assert_eq!(refusal(send(&owner, Method::POST, &sha512, None, b"x").await).await, (400, "DIGEST_INVALID".into()));
}

#[tokio::test]
async fn push_a_blob_in_chunks() {
    let (_hub, owner) = registry().await;
    let bytes = noise(3000, 2);
    let wanted = Digest::of(&bytes);
    for last_with_put in [false, true] {
        let started = send(&owner, Method::POST, &format!("/v2/{NAME}/blobs/uploads/"), None, b"").await;
        assert_eq!(started.status(), 202);
        // Chunks may have any length.
        assert!(started.headers().get("oci-chunk-min-length").is_none());
        let upload = header(&started, "location");
        assert!(upload.ends_with(&header(&started, "docker-upload-uuid")));

        // What does not begin where the upload ends is refused, and nothing of it kept.
        let early = send(&owner, Method::PATCH, &upload, Some("1000-1999"), &bytes[1000..2000]).await;
        assert_eq!(header(&early, "range"), "0-0");
        assert_eq!(refusal(early).await, (416, "RANGE_INVALID".into()));
        let first = send(&owner, Method::PATCH, &upload, Some("0-999"), &bytes[..1000]).await;
        assert_eq!((first.status().as_u16(), header(&first, "range")), (202, "0-999".into()));
        let again = send(&owner, Method::PATCH, &upload, Some("0-999"), &bytes[..1000]).await;
        assert_eq!((header(&again, "range"), header(&again, "location")), ("0-999".into(), upload.clone()));
        assert_eq!(again.status(), 416);
        let status = owner.get(&upload).await;
        assert_eq!((status.status().as_u16(), header(&status, "range")), (204, "0-999".into()));
        assert_eq!(header(&status, "location"), upload);
        let second = send(&owner, Method::PATCH, &upload, Some("1000-1999"), &bytes[1000..2000]).await;
        assert_eq!((second.status().as_u16(), header(&second, "range")), (202, "0-1999".into()));

        let end = format!("{upload}?digest={wanted}");
        let done = if last_with_put {
            let ahead = send(&owner, Method::PUT, &end, Some("2500-2999"), &bytes[2500..]).await;
            assert_eq!((ahead.status().as_u16(), header(&ahead, "range")), (416, "0-1999".into()));
            send(&owner, Method::PUT, &end, Some("2000-2999"), &bytes[2000..]).await
        } else {
            let last = send(&owner, Method::PATCH, &upload, Some("2000-2999"), &bytes[2000..]).await;
            assert_eq!(last.status(), 202);
            send(&owner, Method::PUT, &end, None, b"").await
        };
        assert_eq!((done.status().as_u16(), header(&done, "location")), (201, blob_path(NAME, &wanted)));
    }
    assert!(owner.get(&blob_path(NAME, &wanted)).await.bytes().await.unwrap() == bytes);
    let upload = owner.start(NAME).await;
    let malformed = send(&owner, Method::PATCH, &upload, Some("zero-one"), b"x").await;
    assert_eq!(refusal(malformed).await, (400, "BLOB_UPLOAD_INVALID".into()));
}

#[tokio::test]
async fn push_a_stream_and_cancel_an_upload() {
    let (_hub, owner) = registry().await;
    let upload = owner.start(NAME).await;
    let streamed = send(&owner, Method::PATCH, &upload, None, b"streamed").await;
    assert_eq!((streamed.status().as_u16(), header(&streamed, "range")), (202, "0-7".into()));
    let wanted = Digest::of(b"streamed");
    let wrong = format!("{upload}?digest={}", Digest::of(b"x"));
    assert_eq!(send(&owner, Method::PUT, &wrong, None, b"").await.status(), 400);
    // Wrong bytes end the upload.
    assert_eq!(owner.get(&upload).await.status(), 404);
    assert_eq!(owner.head(&blob_path(NAME, &wanted)).await.status(), 404);

    let upload = owner.start(NAME).await;
    assert_eq!(send(&owner, Method::PATCH, &upload, None, b"streamed").await.status(), 202);
    assert_eq!(owner.delete(&upload).await.status(), 204);
    assert_eq!(refusal(owner.get(&upload).await).await, (404, "BLOB_UPLOAD_UNKNOWN".into()));
}

#[tokio::test]
async fn push_by_mounting_from_a_repository_that_is_named_or_found() {
    let (hub, owner) = registry().await;
    let other = hub.tenant("other", &["hello"]).await;
    let stranger = hub.person(&other, TenantRole::Owner).await;
    let wanted = owner.blob(OTHER, &b"shared"[..]).await;
    for (name, query) in [(NAME, format!("&from={OTHER}")), ("acme/hello/third", String::new())] {
        let path = format!("/v2/{name}/blobs/uploads/?mount={wanted}{query}");
        let mounted = send(&owner, Method::POST, &path, None, b"").await;
        assert_eq!((mounted.status().as_u16(), header(&mounted, "location")), (201, blob_path(name, &wanted)));
        assert_eq!(header(&mounted, "docker-content-digest"), wanted.to_string());
        assert_eq!(owner.get(&blob_path(name, &wanted)).await.text().await.unwrap(), "shared");
    }
    let missing = format!("/v2/{NAME}/blobs/uploads/?mount={}&from={OTHER}", Digest::of(b"missing"));
    let begun = send(&owner, Method::POST, &missing, None, b"").await;
    assert_eq!(begun.status(), 202);
    assert!(header(&begun, "location").contains("/blobs/uploads/"));
    // What another tenant has cannot be found out.
    let blind = format!("/v2/other/hello/app/blobs/uploads/?mount={wanted}");
    assert_eq!(send(&stranger, Method::POST, &blind, None, b"").await.status(), 202);
}

#[tokio::test]
async fn push_manifests_of_every_kind() {
    let (_hub, owner) = registry().await;
    let image = owner.image(NAME, "image", &[b"layer"]).await;
    let put_image = put(&owner, "again", &image).await;
    assert_eq!(put_image.status(), 201);
    assert_eq!(header(&put_image, "location"), manifest_path(digest(&image)));

    // No layers, an artifact with the empty config, fields that nobody knows, data in a descriptor.
    owner.image(NAME, "no-layers", &[]).await;
    let mut odd = artifact(&owner, "application/vnd.example.thing", "artifact", None).await;
    odd["org.example.unknown"] = json!({"field": [1, 2]});
    odd["config"]["data"] = "e30=".into();
    assert_eq!(put(&owner, "artifact", &odd).await.status(), 201);
    let mut elsewhere = image_manifest(b"{}", &[b"far away"]);
    elsewhere["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip".into();
    elsewhere["layers"][0]["urls"] = json!(["https://store.example.com/layer"]);
    assert_eq!(put(&owner, "nondistributable", &elsewhere).await.status(), 201);
    let mut large = image.clone();
    large["annotations"] = (0..390).map(|n| (format!("large-{n}"), json!("A".repeat(10_000)))).collect();
    assert_eq!(put(&owner, "large", &large).await.status(), 201);
    large["annotations"]["too"] = "A".repeat(300_000).into();
    assert_eq!(refusal(put(&owner, "large", &large).await).await, (413, "MANIFEST_INVALID".into()));

    // Indexes: of images, of indexes, of blobs as caches of builds keep them, of nothing.
    let index = |entries: Vec<Value>| json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    let inner = index(vec![descriptor(MANIFEST, image.to_string().as_bytes())]);
    assert_eq!(put(&owner, "inner", &inner).await.status(), 201);
    let outer = index(vec![descriptor(INDEX, inner.to_string().as_bytes())]);
    assert_eq!(put(&owner, "outer", &outer).await.status(), 201);
    let cache = index(vec![descriptor("application/vnd.example.cache", b"layer")]);
    assert_eq!(put(&owner, "cache", &cache).await.status(), 201);
    assert_eq!(refusal(owner.delete(&blob_path(NAME, &Digest::of(b"layer"))).await).await.0, 405);
    assert_eq!(put(&owner, "empty", &index(vec![])).await.status(), 201);
    for (tag, pushed) in [("artifact", &odd), ("outer", &outer), ("nondistributable", &elsewhere)] {
        assert_eq!(owner.get(&manifest_path(tag)).await.text().await.unwrap(), pushed.to_string());
    }

    let sparse = index(vec![descriptor(MANIFEST, b"nowhere")]);
    assert_eq!(refusal(put(&owner, "sparse", &sparse).await).await, (404, "MANIFEST_BLOB_UNKNOWN".into()));
    let bad = put(&owner, "sha256:baddigeststring", &image).await;
    assert_eq!(refusal(bad).await, (400, "DIGEST_INVALID".into()));
    let mismatch = put(&owner, &Digest::of(b"other").to_string(), &image).await;
    assert_eq!(refusal(mismatch).await, (400, "DIGEST_INVALID".into()));
}

#[tokio::test]
async fn push_manifests_with_a_subject_that_need_not_exist() {
    let (_hub, owner) = registry().await;
    let image = image_manifest(b"{}", &[]);
    let about = artifact(&owner, "application/vnd.example.sbom", "early", Some(&image)).await;
    let early = put(&owner, &digest(&about).to_string(), &about).await;
    assert_eq!((early.status().as_u16(), header(&early, "oci-subject")), (201, digest(&image).to_string()));
    let plain = owner.try_manifest(NAME, "v1", &image).await;
    assert!(plain.status() == 201 && plain.headers().get("oci-subject").is_none());
    assert_eq!(referrers(&owner, "", &digest(&image)).await.len(), 1);
}

// Content discovery

#[tokio::test]
async fn discovery_of_tags_in_pages() {
    let (_hub, owner) = registry().await;
    let image = owner.image(NAME, "test3", &[]).await;
    for tag in ["test1", "Test0", "test2", "_"] {
        owner.manifest(NAME, tag, &image).await;
    }
    let list = async |query: &str| {
        let answer = owner.get(&format!("/v2/{NAME}/tags/list{query}")).await;
        let link = answer.headers().get("link").map(|l| l.to_str().unwrap().to_owned());
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["name"], NAME);
        (body["tags"].clone(), link)
    };
    let next = |last: &str| Some(format!("</v2/{NAME}/tags/list?n=2&last={last}>; rel=\"next\""));
    assert_eq!(list("").await, (json!(["Test0", "_", "test1", "test2", "test3"]), None));
    assert_eq!(list("?n=2").await, (json!(["Test0", "_"]), next("_")));
    assert_eq!(list("?n=2&last=_").await, (json!(["test1", "test2"]), next("test2")));
    assert_eq!(list("?n=2&last=test2").await, (json!(["test3"]), None));
    assert_eq!(list("?n=5").await.1, None);
    assert_eq!(list("?n=0").await, (json!([]), None));
    assert_eq!(list("?last=test").await.0, json!(["test1", "test2", "test3"]));
    assert_eq!(list("?last=zzz").await, (json!([]), None));
    assert_eq!(owner.head(&format!("/v2/{NAME}/tags/list")).await.status(), 200);
    for bad in ["n=-1", "n=many"] {
        let answer = refusal(owner.get(&format!("/v2/{NAME}/tags/list?{bad}")).await).await;
        assert_eq!(answer, (400, "PAGINATION_NUMBER_INVALID".into()));
    }
    assert_eq!(refusal(owner.get("/v2/acme/hello/none/tags/list").await).await, (404, "NAME_UNKNOWN".into()));
}

#[tokio::test]
async fn discovery_of_referrers() {
    let (hub, owner) = registry().await;
    let image = owner.image(NAME, "v1", &[b"layer"]).await;
    let subject = digest(&image);
    assert_eq!(referrers(&owner, "", &subject).await, Vec::<Value>::new());
    assert_eq!(referrers(&owner, "", &Digest::of(b"missing")).await, Vec::<Value>::new());
    let bad = owner.get(&format!("/v2/{NAME}/referrers/sha256:bad")).await;
    assert_eq!(refusal(bad).await, (400, "DIGEST_INVALID".into()));

    let sbom = artifact(&owner, "application/vnd.example.sbom", "sbom", Some(&image)).await;
    let signature = artifact(&owner, "application/vnd.example.signature", "signature", Some(&image)).await;
    // Without a type of its own, that of the config counts, also where it is that of an image.
    let mut by_config = artifact(&owner, "", "by config", Some(&image)).await;
    by_config["config"]["mediaType"] = "application/vnd.example.config".into();
    let mut child = image_manifest(b"{}", &[]);
    child["subject"] = descriptor(MANIFEST, image.to_string().as_bytes());
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "artifactType": "application/vnd.example.sbom",
        "manifests": [], "subject": child["subject"], "annotations": {"org.example.note": "index"}});
    for manifest in [&sbom, &signature, &by_config, &child, &index] {
        assert_eq!(put(&owner, &digest(manifest).to_string(), manifest).await.status(), 201);
    }
    let all = referrers(&owner, "", &subject).await;
    let expected = [
        (&sbom, MANIFEST, "application/vnd.example.sbom", json!({"org.example.note": "sbom"})),
        (&signature, MANIFEST, "application/vnd.example.signature", json!({"org.example.note": "signature"})),
        (&by_config, MANIFEST, "application/vnd.example.config", json!({"org.example.note": "by config"})),
        (&child, MANIFEST, "application/vnd.oci.image.config.v1+json", Value::Null),
        (&index, INDEX, "application/vnd.example.sbom", json!({"org.example.note": "index"})),
    ];
    assert_eq!(all.len(), expected.len());
    for (manifest, media_type, artifact_type, annotations) in expected {
        let listed = all.iter().find(|d| d["digest"] == digest(manifest).to_string()).unwrap();
        assert_eq!((&listed["mediaType"], &listed["artifactType"]), (&json!(media_type), &json!(artifact_type)));
        assert_eq!((&listed["annotations"], &listed["size"]), (&annotations, &json!(manifest.to_string().len())));
        let same = referrers(&owner, &format!("?artifactType={}", artifact_type.replace('+', "%2B")), &subject).await;
        assert!(same.iter().all(|d| d["artifactType"] == artifact_type) && same.contains(listed), "{artifact_type}");
    }
    let filtered =
        owner.get(&format!("/v2/{NAME}/referrers/{subject}?artifactType=application/vnd.example.sbom")).await;
    assert_eq!(header(&filtered, "oci-filters-applied"), "artifactType");
    assert_eq!(filtered.json::<Value>().await.unwrap()["manifests"].as_array().unwrap().len(), 2);
    let whole = owner.get(&format!("/v2/{NAME}/referrers/{subject}")).await;
    assert!(whole.headers().get("oci-filters-applied").is_none());
    // Listing them is a right to pull.
    assert_eq!(hub.anonymous().get(&format!("/v2/{NAME}/referrers/{subject}")).await.status(), 401);
}

#[tokio::test]
async fn discovery_of_many_referrers_goes_on_in_pages() {
    let hub = Hub::with(|config| config.max_manifest_bytes = 2000).await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let owner = hub.person(&acme, TenantRole::Owner).await;
    let image = owner.image(NAME, "v1", &[]).await;
    for n in 0..7 {
        let about = artifact(&owner, "application/vnd.example.note", &format!("note {n}"), Some(&image)).await;
        assert_eq!(put(&owner, &format!("note-{n}"), &about).await.status(), 201);
    }
    let first = owner.get(&format!("/v2/{NAME}/referrers/{}", digest(&image))).await;
    assert!(first.headers().get("link").is_some());
    for query in ["", "?artifactType=application/vnd.example.note"] {
        let mut all: Vec<String> =
            referrers(&owner, query, &digest(&image)).await.iter().map(|d| d["digest"].to_string()).collect();
        all.dedup();
        assert_eq!((all.len(), all.is_sorted()), (7, true));
    }
}

#[tokio::test]
async fn discovery_of_repositories_is_limited_to_what_the_caller_may_pull() {
    let hub = Hub::start().await;
    let acme = hub.tenant("acme", &["hello"]).await;
    let owner = hub.person(&acme, TenantRole::Owner).await;
    // Byte order: `acme-b/...` comes before `acme/...`.
    let second = hub.tenant("acme-b", &["hello"]).await;
    let stranger = hub.person(&second, TenantRole::Developer).await;
    for name in ["acme/hello/c", "acme/hello/a/b", "acme/hello/a"] {
        owner.image(name, "v1", &[]).await;
    }
    stranger.image("acme-b/hello/z", "v1", &[]).await;
    // What is closed to a project is shown to its members alone.
    sqlx::query("update images set visibility = 'project' where repository = 'acme/hello/c'")
        .execute(&mut hub.db.connect().await)
        .await
        .unwrap();
    let colleague = hub.person(&acme, TenantRole::Developer).await;
    let open: Value = colleague.get("/v2/_catalog").await.json().await.unwrap();
    assert_eq!(open["repositories"], json!(["acme/hello/a", "acme/hello/a/b"]));
    let token = owner.token("registry:catalog:*").await;
    let list = async |query: &str| {
        let path = format!("/v2/_catalog{query}");
        let answer = owner.bearer(&token, Method::GET, &path).send().await.unwrap();
        let link = answer.headers().get("link").map(|l| l.to_str().unwrap().to_owned());
        (answer.json::<Value>().await.unwrap()["repositories"].clone(), link)
    };
    assert_eq!(list("").await, (json!(["acme/hello/a", "acme/hello/a/b", "acme/hello/c"]), None));
    let (page, link) = list("?n=2").await;
    assert_eq!(page, json!(["acme/hello/a", "acme/hello/a/b"]));
    let link = link.unwrap();
    let next = owner.get(&link[1..link.find('>').unwrap()]).await;
    assert_eq!(next.json::<Value>().await.unwrap()["repositories"], json!(["acme/hello/c"]));
    let theirs: Value = stranger.get("/v2/_catalog").await.json().await.unwrap();
    assert_eq!(theirs["repositories"], json!(["acme-b/hello/z"]));
    let nobody = hub.anonymous().get("/v2/_catalog").await;
    assert!(header(&nobody, "www-authenticate").contains(r#"scope="registry:catalog:*""#));
    assert_eq!(refusal(nobody).await, (401, "UNAUTHORIZED".into()));
}

// Content management

#[tokio::test]
async fn management_deletes_tags_alone_and_manifests_with_their_tags() {
    let (_hub, owner) = registry().await;
    let image = owner.image(NAME, "v1", &[b"layer"]).await;
    owner.manifest(NAME, "v2", &image).await;
    assert_eq!(owner.delete(&manifest_path("v1")).await.status(), 202);
    assert_eq!(owner.head(&manifest_path("v1")).await.status(), 404);
    assert_eq!(owner.head(&manifest_path("v2")).await.status(), 200);
    assert_eq!(owner.delete(&manifest_path(digest(&image))).await.status(), 202);
    assert_eq!(owner.head(&manifest_path("v2")).await.status(), 404);
    assert_eq!(refusal(owner.delete(&manifest_path(digest(&image))).await).await, (404, "MANIFEST_UNKNOWN".into()));
    let tags: Value = owner.get(&format!("/v2/{NAME}/tags/list")).await.json().await.unwrap();
    assert_eq!(tags["tags"], json!([]));
}

#[tokio::test]
async fn management_deletes_blobs_that_no_manifest_needs() {
    let (_hub, owner) = registry().await;
    let image = owner.image(NAME, "v1", &[b"layer"]).await;
    let path = blob_path(NAME, &Digest::of(b"layer"));
    assert_eq!(refusal(owner.delete(&path).await).await, (405, "UNSUPPORTED".into()));
    assert_eq!(owner.delete(&manifest_path(digest(&image))).await.status(), 202);
    assert_eq!(owner.delete(&path).await.status(), 202);
    assert_eq!(owner.head(&path).await.status(), 404);
    assert_eq!(refusal(owner.delete(&path).await).await, (404, "BLOB_UNKNOWN".into()));
}

// Referrers tag schema, as clients keep it that do not know the listing

#[tokio::test]
async fn an_index_under_a_referrers_tag_counts_and_stays_true() {
    let (hub, owner) = registry().await;
    let image = owner.image(NAME, "v1", &[b"layer"]).await;
    // One is about the image by its own word, the other only because the index says so.
    let signed = artifact(&owner, "application/vnd.example.signature", "signed", Some(&image)).await;
    let listed = artifact(&owner, "application/vnd.example.sbom", "listed", None).await;
    for manifest in [&signed, &listed] {
        assert_eq!(put(&owner, &digest(manifest).to_string(), manifest).await.status(), 201);
    }
    let entries: Vec<Value> =
        [&signed, &listed].iter().map(|m| descriptor(MANIFEST, m.to_string().as_bytes())).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    let tag = format!("sha256-{}", digest(&image).hex());
    assert_eq!(put(&owner, &tag, &index).await.status(), 201);
    // It is not what the image shows.
    assert_eq!(hub.count("select count(*) from images where tag like 'sha256-%'").await, 0);
    assert_eq!(referrers(&owner, "", &digest(&image)).await.len(), 2);
    assert_eq!(referrers(&owner, "?artifactType=application/vnd.example.sbom", &digest(&image)).await.len(), 1);

    assert_eq!(owner.delete(&manifest_path(digest(&listed))).await.status(), 202);
    let left: Value = owner.get(&manifest_path(&tag)).await.json().await.unwrap();
    assert_eq!(left["manifests"], json!([entries[0]]));
    assert_eq!(owner.head(&manifest_path(digest(&index))).await.status(), 404);
    assert_eq!(referrers(&owner, "", &digest(&image)).await.len(), 1);
    // With the last one, or with the subject, the index goes.
    assert_eq!(owner.delete(&manifest_path(digest(&image))).await.status(), 202);
    assert_eq!(owner.head(&manifest_path(&tag)).await.status(), 404);
    let indexes = hub.count("select count(*) from image_manifests where media_type like '%index%'").await;
    assert_eq!((indexes, referrers(&owner, "", &digest(&image)).await.len()), (0, 1));
}
