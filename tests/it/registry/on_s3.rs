//! The scenarios that touch the storage, once more on S3.

use super::tools::base;
use super::{access, manifests, pulling, pushing, robots};
use crate::support::hub::{Client, noise, on_s3};
use crate::support::programs::succeed;
use crate::support::s3::S3Server;
use crate::support::server::ServerProcess;
use image_factory::kernel::Digest;
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const REPOSITORY: &str = "acme/hello/web";

macro_rules! again_on_s3 {
    ($($module:ident::$test:ident),+ $(,)?) => {
        $(#[test]
        fn $test() {
            on_s3($module::$test);
        })+
    };
}

again_on_s3!(
    pushing::a_blob_is_pushed_in_chunks_with_and_without_ranges,
    pushing::bytes_of_another_digest_are_refused_and_forgotten,
    pushing::a_put_without_a_digest_leaves_the_upload_as_it_is,
    pushing::an_empty_blob_can_be_pushed,
    pushing::a_blob_above_the_limit_is_refused,
    pushing::a_client_that_breaks_off_goes_on_where_it_was_heard_last,
    pushing::a_client_that_stalls_is_cut_off_and_two_never_write_at_once,
    pushing::an_upload_can_be_cancelled,
    pushing::abandoned_uploads_expire_and_growing_ones_stay,
    pushing::many_push_the_same_blob_at_once_and_it_is_stored_once,
    pulling::an_image_is_pulled_by_tag_and_by_digest,
    pulling::a_range_of_a_blob_is_sent_alone,
    pulling::what_is_not_there_is_named,
    access::a_blob_is_mounted_only_from_where_the_caller_may_read_it,
    manifests::tags_and_manifests_are_deleted_and_their_storage_is_freed,
    manifests::the_storage_quota_is_charged_once_for_each_blob,
    robots::a_robot_dies_with_its_lease_and_its_uploads_are_freed,
);

async fn server(s3: &S3Server, more: &[(&str, &str)]) -> ServerProcess {
    let settings = s3.settings();
    let settings: Vec<_> = settings.iter().map(|(k, v)| (*k, v.as_str())).chain(more.iter().copied()).collect();
    ServerProcess::start(&settings).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_the_server_was_killed() {
    let s3 = S3Server::start().await;
    let mut server = server(&s3, &[]).await;
    let owner = Client::new(&server.host(), Some(("owner@acme.test", ServerProcess::password())));
    let bytes = noise(30_000_000, 9);
    let upload = owner.start(REPOSITORY).await;
    let first = owner.request(Method::PATCH, &upload).body(bytes[..1_000_000].to_vec()).send().await.unwrap();
    assert_eq!(first.status(), 202);
    // More is on its way when the server dies: the bucket has some of it, but it was never acknowledged.
    let token = owner.token(&format!("repository:{REPOSITORY}:pull,push")).await;
    let mut connection = tokio::net::TcpStream::connect(server.host()).await.unwrap();
    let head = format!(
        "PATCH {upload} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Length: 29000000\r\n\r\n",
        server.host()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&bytes[1_000_000..26_000_000]).await.unwrap();
    let staged = s3.objects().join("staging").join(upload.rsplit('/').next().unwrap());
    let second_piece = staged.join(format!("{:020}", 8 << 20));
    for _ in 0..400 {
        if second_piece.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    server.kill();
    assert!(second_piece.exists());
    server.launch().await;

    let status = owner.get(&upload).await;
    assert_eq!((status.status().as_u16(), status.headers()["range"].to_str().unwrap()), (204, "0-999999"));
    // The dead process held the upload; its hold runs out.
    let mut answer = StatusCode::CONFLICT;
    for _ in 0..60 {
        let rest = owner.request(Method::PATCH, &upload).header("content-range", "1000000-29999999");
        answer = rest.body(bytes[1_000_000..].to_vec()).send().await.unwrap().status();
        if answer != StatusCode::CONFLICT {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(answer, 202, "{}", server.log());
    let digest = Digest::of(&bytes);
    let done = owner.request(Method::PUT, &format!("{upload}?digest={digest}")).send().await.unwrap();
    assert_eq!(done.status(), 201, "{}", done.text().await.unwrap());
    let pulled = owner.get(&format!("/v2/{REPOSITORY}/blobs/{digest}")).await.bytes().await.unwrap();
    assert!(pulled == bytes);
    assert!(!staged.join("marker").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_sent_to_the_bucket_where_that_is_wanted() {
    let s3 = S3Server::start().await;
    let server = server(&s3, &[("IMAGE_FACTORY_STORAGE__S3__REDIRECT", "true")]).await;
    let owner = Client::new(&server.host(), Some(("owner@acme.test", ServerProcess::password())));
    let bytes = noise(500_000, 3);
    let path = format!("/v2/{REPOSITORY}/blobs/{}", owner.blob(REPOSITORY, bytes.clone()).await);
    let still = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let request = |method| {
        let (user, password) = owner.credentials.clone().unwrap();
        still.request(method, format!("{}{path}", owner.url)).basic_auth(user, Some(password))
    };
    assert_eq!(request(Method::HEAD).send().await.unwrap().status(), 200);
    let sent = request(Method::GET).send().await.unwrap();
    assert_eq!(sent.status(), 307);
    let address = sent.headers()["location"].to_str().unwrap().to_owned();
    assert!(reqwest::get(&address).await.unwrap().bytes().await.unwrap() == bytes);
    let beyond = request(Method::GET).header("range", "bytes=500000-").send().await.unwrap();
    assert_eq!(beyond.status(), 416);
    let part = owner.request(Method::GET, &path).header("range", "bytes=7-9").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap().to_vec()), (206, bytes[7..10].to_vec()));

    let folder = tempfile::tempdir().unwrap();
    let layout = base(folder.path());
    let image = format!("docker://{}/acme/hello/image:v1", server.host());
    let back = format!("oci:{}:back", folder.path().join("back").display());
    let login = format!("owner@acme.test:{}", ServerProcess::password());
    let copy = ["copy", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"];
    succeed("skopeo", &[&copy[..], &["--dest-creds", &login, &layout, &image]].concat());
    succeed("skopeo", &[&copy[..], &["--src-creds", &login, &image, &back]].concat());
}
