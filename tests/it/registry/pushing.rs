use crate::support::hub::{Client, Hub, header, noise, refusal};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image_factory::kernel::Digest;
use image_factory::tenancy::access::TenantRole;
use reqwest::{Method, Response};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REPOSITORY: &str = "acme/hello/web";

async fn developer(hub: &Hub) -> Client {
    let acme = hub.tenant("acme", &["hello"]).await;
    hub.person(&acme, TenantRole::Developer).await
}

async fn patch(dev: &Client, upload: &str, range: Option<&str>, bytes: &[u8]) -> Response {
    let mut request = dev.request(Method::PATCH, upload).body(bytes.to_vec());
    if let Some(range) = range {
        request = request.header("content-range", range);
    }
    request.send().await.unwrap()
}

async fn put(dev: &Client, upload: &str, digest: &Digest, bytes: &[u8]) -> Response {
    dev.request(Method::PUT, &format!("{upload}?digest={digest}")).body(bytes.to_vec()).send().await.unwrap()
}

async fn pulled(dev: &Client, digest: &Digest) -> Vec<u8> {
    let response = dev.get(&format!("/v2/{REPOSITORY}/blobs/{digest}")).await;
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap().to_vec()
}

/// Bytes that an upload has, once it has so many.
async fn wait_for(dev: &Client, upload: &str, range: &str) {
    for _ in 0..200 {
        let status = dev.get(upload).await;
        if status.status() == 204 && header(&status, "range") == range {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the upload did not reach {range}");
}

#[tokio::test]
pub async fn a_blob_is_pushed_in_chunks_with_and_without_ranges() {
    let hub = Hub::start().await;
    let dev = developer(&hub).await;
    let bytes = noise(3_000_000, 3);
    let digest = Digest::of(&bytes);
    let upload = dev.start(REPOSITORY).await;
    let first = patch(&dev, &upload, Some("0-999999"), &bytes[..1_000_000]).await;
    assert_eq!((first.status().as_u16(), header(&first, "range")), (202, "0-999999".into()));
    assert_eq!(header(&first, "location"), upload);
    assert_eq!(patch(&dev, &upload, None, &bytes[1_000_000..1_000_001]).await.status(), 202);
    let status = dev.get(&upload).await;
    assert_eq!((status.status().as_u16(), header(&status, "range")), (204, "0-1000000".into()));

    let ahead = patch(&dev, &upload, Some("2000000-2999999"), &bytes[2_000_000..]).await;
    assert_eq!(refusal(ahead).await, (416, "RANGE_INVALID".into()));
    let again = patch(&dev, &upload, Some("0-999999"), &bytes[..1_000_000]).await;
    assert_eq!(refusal(again).await, (416, "RANGE_INVALID".into()));
    let wrong_length = patch(&dev, &upload, Some("1000001-1000002"), &bytes[..5]).await;
    assert_eq!(refusal(wrong_length).await, (400, "SIZE_INVALID".into()));

    assert_eq!(patch(&dev, &upload, Some("1000001-1999999"), &bytes[1_000_001..2_000_000]).await.status(), 202);
    let done = put(&dev, &upload, &digest, &bytes[2_000_000..]).await;
    assert_eq!(done.status(), 201);
    assert_eq!(header(&done, "location"), format!("/v2/{REPOSITORY}/blobs/{digest}"));
    assert!(pulled(&dev, &digest).await == bytes);
    assert_eq!(refusal(dev.get(&upload).await).await, (404, "BLOB_UPLOAD_UNKNOWN".into()));
    assert!(hub.files("staging").is_empty());
}

#[tokio::test]
pub async fn bytes_of_another_digest_are_refused_and_forgotten() {
    let hub = Hub::start().await;
    let dev = developer(&hub).await;
    let promised = Digest::of(b"promised");
    let upload = dev.start(REPOSITORY).await;
    let refused = put(&dev, &upload, &promised, b"something else").await;
    assert_eq!(refusal(refused).await, (400, "DIGEST_INVALID".into()));
    assert_eq!(refusal(dev.get(&upload).await).await, (404, "BLOB_UPLOAD_UNKNOWN".into()));
    let path = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={promised}");
    let whole = dev.request(Method::POST, &path).body("something else").send().await.unwrap();
    assert_eq!(refusal(whole).await, (400, "DIGEST_INVALID".into()));
    for digest in [promised, Digest::of(b"something else")] {
        assert_eq!(dev.head(&format!("/v2/{REPOSITORY}/blobs/{digest}")).await.status(), 404);
    }
    assert!(hub.files("").is_empty(), "{:?}", hub.files(""));
    assert_eq!(hub.count("select count(*) from blob_uploads").await, 0);
}

#[tokio::test]
pub async fn a_put_without_a_digest_leaves_the_upload_as_it_is() {
    let hub = Hub::start().await;
    let dev = developer(&hub).await;
    let upload = dev.start(REPOSITORY).await;
    patch(&dev, &upload, None, b"abc").await;
    let refused = dev.request(Method::PUT, &upload).send().await.unwrap();
    assert_eq!(refusal(refused).await, (400, "DIGEST_INVALID".into()));
    assert_eq!(put(&dev, &upload, &Digest::of(b"abc"), b"").await.status(), 201);
}

#[tokio::test]
pub async fn an_empty_blob_can_be_pushed() {
    let hub = Hub::start().await;
    let dev = developer(&hub).await;
    let digest = Digest::of(b"");
    let upload = dev.start(REPOSITORY).await;
    assert_eq!(put(&dev, &upload, &digest, b"").await.status(), 201);
    assert!(pulled(&dev, &digest).await.is_empty());
}

#[tokio::test]
pub async fn a_blob_above_the_limit_is_refused() {
    let hub = Hub::with(|config| config.max_blob_bytes = 1000).await;
    let dev = developer(&hub).await;
    assert_eq!(dev.try_blob(REPOSITORY, noise(1000, 4)).await.status(), 201);
    assert_eq!(refusal(dev.try_blob(REPOSITORY, noise(1001, 4)).await).await, (413, "SIZE_INVALID".into()));
    let upload = dev.start(REPOSITORY).await;
    assert_eq!(patch(&dev, &upload, None, &noise(600, 4)).await.status(), 202);
    assert_eq!(refusal(patch(&dev, &upload, None, &noise(600, 4)).await).await, (413, "SIZE_INVALID".into()));
    assert_eq!(refusal(dev.get(&upload).await).await, (404, "BLOB_UPLOAD_UNKNOWN".into()));
    assert!(hub.files("staging").is_empty());
}

#[tokio::test]
pub async fn a_client_that_breaks_off_goes_on_where_it_was_heard_last() {
    let hub = Hub::start().await;
    let dev = developer(&hub).await;
    let bytes = noise(500_000, 5);
    let upload = dev.start(REPOSITORY).await;
    let mut connection = open_patch(&hub, &dev, &upload, bytes.len()).await;
    connection.write_all(&bytes[..200_000]).await.unwrap();
    connection.shutdown().await.unwrap();
    wait_for(&dev, &upload, "0-199999").await;
    drop(connection);
    assert_eq!(patch(&dev, &upload, Some("200000-499999"), &bytes[200_000..]).await.status(), 202);
    assert_eq!(put(&dev, &upload, &Digest::of(&bytes), b"").await.status(), 201);
    assert!(pulled(&dev, &Digest::of(&bytes)).await == bytes);
}

#[tokio::test]
pub async fn a_client_that_stalls_is_cut_off_and_two_never_write_at_once() {
    let hub = Hub::with(|config| config.idle_timeout_seconds = 1).await;
    let dev = developer(&hub).await;
    let upload = dev.start(REPOSITORY).await;
    let mut connection = open_patch(&hub, &dev, &upload, 100).await;
    connection.write_all(b"0123456789").await.unwrap();
    let mut refused = false;
    for _ in 0..40 {
        // Busy as soon as the first request has begun, and until it is cut off.
        let second = patch(&dev, &upload, Some("0-0"), b"0").await;
        let status = second.status().as_u16();
        assert!([409, 416].contains(&status) || (status == 202 && !refused), "{status}");
        refused |= status == 409;
        if status != 409 && refused {
            break;
        }
        if status == 202 {
            return; // The second was quicker than the first: nothing to see.
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(10), connection.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.contains("400 Bad Request") && answer.contains("BLOB_UPLOAD_INVALID"), "{answer}");
    wait_for(&dev, &upload, "0-9").await;
    assert!(refused);
}

/// Sends the head of a PATCH that announces so many bytes.
async fn open_patch(hub: &Hub, dev: &Client, upload: &str, length: usize) -> TcpStream {
    let (username, password) = dev.credentials.as_ref().unwrap();
    let basic = BASE64_STANDARD.encode(format!("{username}:{password}"));
    let mut connection = TcpStream::connect(&hub.host).await.unwrap();
    let head = format!(
        "PATCH {upload} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {basic}\r\nContent-Length: {length}\r\n\r\n",
        hub.host
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection
}

#[tokio::test]
pub async fn an_upload_can_be_cancelled() {
    let hub = Hub::start().await;
    let dev = developer(&hub).await;
    let upload = dev.start(REPOSITORY).await;
    patch(&dev, &upload, None, b"abc").await;
    assert_eq!(dev.delete(&upload).await.status(), 204);
    assert_eq!(refusal(dev.delete(&upload).await).await, (404, "BLOB_UPLOAD_UNKNOWN".into()));
    assert!(hub.files("staging").is_empty());
}

#[tokio::test]
pub async fn abandoned_uploads_expire_and_growing_ones_stay() {
    let hub = Hub::start().await;
    let dev = developer(&hub).await;
    let (left, kept) = (dev.start(REPOSITORY).await, dev.start(REPOSITORY).await);
    patch(&dev, &left, None, b"abc").await;
    hub.app.clock.advance(chrono::Duration::hours(23));
    patch(&dev, &kept, None, b"abc").await;
    assert_eq!(hub.registry.reap_uploads().await.unwrap(), 0);
    hub.app.clock.advance(chrono::Duration::hours(2));
    assert_eq!(hub.registry.reap_uploads().await.unwrap(), 1);
    assert_eq!(refusal(dev.get(&left).await).await, (404, "BLOB_UPLOAD_UNKNOWN".into()));
    assert_eq!(put(&dev, &kept, &Digest::of(b"abc"), b"").await.status(), 201);
    assert!(hub.files("staging").is_empty());
}

#[tokio::test]
pub async fn many_push_the_same_blob_at_once_and_it_is_stored_once() {
    let hub = Hub::start().await;
    let dev = developer(&hub).await;
    let bytes = noise(1_500_000, 6);
    let digest = Digest::of(&bytes);
    let pushes = (0..10).map(|n| {
        let (dev, bytes) = (dev.clone(), bytes.clone());
        tokio::spawn(async move { dev.try_blob(&format!("acme/hello/app{}", n % 3), bytes).await.status() })
    });
    for status in futures::future::join_all(pushes).await {
        assert_eq!(status.unwrap(), 201);
    }
    for n in 0..3 {
        let response = dev.get(&format!("/v2/acme/hello/app{n}/blobs/{digest}")).await;
        assert!(response.bytes().await.unwrap() == bytes);
    }
    assert_eq!(hub.files("blobs").len(), 1);
    assert!(hub.files("staging").is_empty());
    assert_eq!(hub.count("select count(*) from image_blobs").await, 1);
    assert_eq!(hub.count("select count(*) from repository_blobs").await, 3);
}
