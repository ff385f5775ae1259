use crate::support::hub::{Client, noise};
use crate::support::server::ServerProcess;
use bytes::Bytes;
use futures::{StreamExt, stream};
use image_factory::kernel::Digest;
use reqwest::Method;
use sha2::{Digest as _, Sha256};

const REPOSITORY: &str = "acme/hello/web";
const PIECE: usize = 1024 * 1024;
/// 2 GiB.
const PIECES: u32 = 2048;

/// The most memory that the process has had so far, in megabytes.
fn peak_megabytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// A piece of the layer, made when it is wanted.
fn piece(pattern: &[u8], n: u32) -> Bytes {
    let mut piece = pattern.to_vec();
    piece[..4].copy_from_slice(&n.to_le_bytes());
    piece.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_of_two_gigabytes_passes_without_moving_the_servers_memory() {
    let (server, _) = ServerProcess::start(&[]).await;
    let owner = Client::new(&server.host(), Some(("owner@acme.test", ServerProcess::password())));
    let token = owner.token(&format!("repository:{REPOSITORY}:pull,push")).await;
    let small = owner.blob(REPOSITORY, noise(3_000_000, 1)).await;
    owner.get(&format!("/v2/{REPOSITORY}/blobs/{small}")).await.bytes().await.unwrap();
    let before = peak_megabytes(server.pid());

    let pattern = noise(PIECE, 2);
    let mut hasher = Sha256::new();
    (0..PIECES).for_each(|n| hasher.update(piece(&pattern, n)));
    let digest = Digest::from(<[u8; 32]>::from(hasher.finalize()));
    let upload = owner.start(REPOSITORY).await;
    let sent = stream::iter(0..PIECES).map(move |n| Ok::<_, std::io::Error>(piece(&pattern, n)));
    let patch =
        owner.bearer(&token, Method::PATCH, &upload).body(reqwest::Body::wrap_stream(sent)).send().await.unwrap();
    assert_eq!(patch.status(), 202, "{}\n{}", patch.text().await.unwrap(), server.log());
    let put = owner.bearer(&token, Method::PUT, &format!("{upload}?digest={digest}")).send().await.unwrap();
    assert_eq!(put.status(), 201, "{}\n{}", put.text().await.unwrap(), server.log());
    let after_push = peak_megabytes(server.pid());

    let pull = owner.bearer(&token, Method::GET, &format!("/v2/{REPOSITORY}/blobs/{digest}")).send().await.unwrap();
    assert_eq!(pull.content_length(), Some(u64::from(PIECES) * PIECE as u64));
    let mut hasher = Sha256::new();
    let mut body = pull.bytes_stream();
    while let Some(bytes) = body.next().await {
        hasher.update(bytes.unwrap());
    }
    assert_eq!(Digest::from(<[u8; 32]>::from(hasher.finalize())), digest);
    let after_pull = peak_megabytes(server.pid());
    assert!(after_pull < before + 64, "peak memory: {before} MB, {after_push} MB pushed, {after_pull} MB pulled");
}
