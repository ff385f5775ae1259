use crate::support::hub::{Client, noise};
use crate::support::server::ServerProcess;
use image_factory::kernel::Digest;
use reqwest::Method;
use tokio::io::AsyncWriteExt;

const REPOSITORY: &str = "acme/hello/web";

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_the_server_was_killed() {
    let (mut server, _) = ServerProcess::start(&[]).await;
    let owner = Client::new(&server.host(), Some(("owner@acme.test", ServerProcess::password())));
    let bytes = noise(3_000_000, 9);
    let upload = owner.start(REPOSITORY).await;
    let first = owner.request(Method::PATCH, &upload).body(bytes[..1_000_000].to_vec()).send().await.unwrap();
    assert_eq!(first.status(), 202);
    // More is on its way when the server dies: the storage may hold some of it, but it was never acknowledged.
    let mut connection = tokio::net::TcpStream::connect(server.host()).await.unwrap();
    let token = owner.token(&format!("repository:{REPOSITORY}:pull,push")).await;
    let head = format!(
        "PATCH {upload} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Length: 2000000\r\n\r\n",
        server.host()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&bytes[1_000_000..2_900_000]).await.unwrap();
    let staged = server.folder().join("storage/staging").join(upload.rsplit('/').next().unwrap());
    for _ in 0..200 {
        if std::fs::metadata(&staged).unwrap().len() > 1_000_000 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    server.kill();
    assert!(std::fs::metadata(&staged).unwrap().len() > 1_000_000);
    server.launch().await;

    let status = owner.get(&upload).await;
    assert_eq!((status.status().as_u16(), status.headers()["range"].to_str().unwrap()), (204, "0-999999"));
    let rest = owner.request(Method::PATCH, &upload).header("content-range", "1000000-2999999");
    assert_eq!(rest.body(bytes[1_000_000..].to_vec()).send().await.unwrap().status(), 202);
    let digest = Digest::of(&bytes);
    let done = owner.request(Method::PUT, &format!("{upload}?digest={digest}")).send().await.unwrap();
    assert_eq!(done.status(), 201, "{}", done.text().await.unwrap());
    let pulled = owner.get(&format!("/v2/{REPOSITORY}/blobs/{digest}")).await.bytes().await.unwrap();
    assert!(pulled == bytes);
}
