//! The registry as clients see it, beside the reference registry (Debian's `docker-registry`) on the same disk. Ours asks
//! for a token and writes to PostgreSQL, theirs does neither.

use crate::measure::{heading, line, percentile, ratio};
use crate::seed;
use crate::server::ServerProcess;
use bytes::Bytes;
use futures::future::join_all;
use futures::{StreamExt, stream};
use image_factory::kernel::Digest;
use image_factory::platform::db::embedded::free_port;
use reqwest::{Body, Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const MB: usize = 1_000_000;
const ROUNDS: usize = 5;
/// Size in megabytes, clients, blobs of each client in one round.
const BLOBS: [(usize, usize, usize); 4] = [(1, 1, 40), (1, 8, 20), (100, 1, 4), (100, 8, 1)];
const CLIENTS: usize = 8;
const MANIFESTS: usize = 250;
const TAGS: usize = 10_000;
const PAGES: usize = 50;
const REPOSITORY: &str = "acme/hello/bench";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

pub async fn run() {
    heading(&format!("registry: ours / docker-registry, median of {ROUNDS} rounds"));
    let (server, owner) = ServerProcess::start(&[
        ("IMAGE_FACTORY_LOG__FILTER", "warn"),
        ("IMAGE_FACTORY_SERVER__REQUESTS_PER_SECOND", "1000000"),
        ("IMAGE_FACTORY_REGISTRY__TOKEN_MINUTES", "120"),
        ("IMAGE_FACTORY_DISPATCH__ENABLED", "false"),
    ])
    .await;
    let theirs = Reference::start().await;
    let contenders = [
        Contender { http: Client::new(), url: server.url(), token: Some(token(&server).await) },
        Contender { http: Client::new(), url: theirs.url.clone(), token: None },
    ];
    for (size, clients, each) in BLOBS {
        Box::pin(blobs(&contenders, size, clients, each)).await;
    }
    let peaks = [peak_bytes(server.pid()), peak_bytes(theirs.child.id())];
    line("peak memory of all that, ours / theirs", peaks[0] / peaks[1], "< 1");
    manifests(&contenders).await;
    tags(&contenders).await;
    drop(theirs);
    scale(&server, &contenders[0], &owner).await;
}

/// Pushes new blobs and pulls them again.
async fn blobs(contenders: &[Contender; 2], size: usize, clients: usize, each: usize) {
    let (mut pushes, mut pulls) = ([const { Vec::new() }; 2], [const { Vec::new() }; 2]);
    let pattern = Bytes::from(noise(size * MB));
    for round in 0..=ROUNDS {
        let sets: Vec<Vec<Blob>> = (0..clients).map(|_| (0..each).map(|_| Blob::new(&pattern)).collect()).collect();
        for (n, contender) in contenders.iter().enumerate() {
            settle();
            let push = timed(join_all(sets.iter().map(async |set| {
                for blob in set {
                    contender.push(blob).await;
                }
            })))
            .await;
            let pull = timed(join_all(sets.iter().map(async |set| {
                for blob in set {
                    contender.pull(blob).await;
                }
            })))
            .await;
            // The first round warms both up.
            if round > 0 {
                pushes[n].push(1.0 / push.as_secs_f64());
                pulls[n].push(1.0 / pull.as_secs_f64());
            }
        }
    }
    let s = if clients == 1 { "" } else { "s" };
    line(&format!("push of {size} MB blobs, {clients} client{s}: MB/s"), ratio(&pushes[0], &pushes[1]), ">= 1");
    line(&format!("pull of {size} MB blobs, {clients} client{s}: MB/s"), ratio(&pulls[0], &pulls[1]), ">= 1");
}

async fn manifests(contenders: &[Contender; 2]) {
    for contender in contenders {
        contender.push_image("latest", &[]).await;
    }
    for method in [Method::GET, Method::HEAD] {
        let (mut rates, mut slow) = ([const { Vec::new() }; 2], [const { Vec::new() }; 2]);
        for round in 0..=ROUNDS {
            for (n, contender) in contenders.iter().enumerate() {
                let begun = Instant::now();
                let times: Vec<f64> = join_all((0..CLIENTS).map(|_| async {
                    let mut times = Vec::new();
                    for _ in 0..MANIFESTS {
                        let request = contender.request(method.clone(), &format!("/v2/{REPOSITORY}/manifests/latest"));
                        times.push(timed(finished(request.header("accept", MANIFEST))).await.as_secs_f64());
                    }
                    times
                }))
                .await
                .concat();
                if round > 0 {
                    rates[n].push(times.len() as f64 / begun.elapsed().as_secs_f64());
                    slow[n].push(percentile(&times, 99.0));
                }
            }
        }
        line(&format!("{method} of a manifest, {CLIENTS} clients: requests/s"), ratio(&rates[0], &rates[1]), ">= 2");
        line(&format!("{method} of a manifest, {CLIENTS} clients: p99"), ratio(&slow[0], &slow[1]), "<= 1");
    }
}

async fn tags(contenders: &[Contender; 2]) {
    let mut pages = [const { Vec::new() }; 2];
    for contender in contenders {
        let config = contender.push_image("t-00000", &[]).await;
        let names: Vec<String> = (1..TAGS).map(|n| format!("t-{n:05}")).collect();
        stream::iter(&names)
            .for_each_concurrent(CLIENTS, async |tag| contender.put_manifest(tag, &config, &[]).await)
            .await;
    }
    for n in 0..PAGES {
        for (which, contender) in contenders.iter().enumerate() {
            let last = format!("t-{:05}", n * 100);
            let request = contender.request(Method::GET, &format!("/v2/{REPOSITORY}/tags/list?n=100&last={last}"));
            pages[which].push(1.0 / timed(finished(request)).await.as_secs_f64());
        }
    }
    line(&format!("a page of 100 of {TAGS} tags: requests/s"), ratio(&pages[0], &pages[1]), ">= 2");
}

/// What a million repositories, blobs and links of other tenants and of the same change for one's own.
async fn scale(server: &ServerProcess, ours: &Contender, owner: &crate::api::Api) {
    let mut sql = server.db().connect().await;
    let mut all: Vec<[f64; 3]> = Vec::new();
    for (from, to) in [(0, 10_000), (10_000, 1_000_000)] {
        seed::registry(&mut sql, from, to).await;
        settle();
        let (mut pushes, mut lists, mut pages) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..PAGES {
            let blob = Blob::new(&Bytes::from(noise(1000)));
            pushes.push(
                timed(async {
                    ours.push_image("scale", &[&blob]).await;
                })
                .await
                .as_secs_f64(),
            );
            let tags = ours.request(Method::GET, &format!("/v2/{REPOSITORY}/tags/list?n=100"));
            lists.push(timed(finished(tags)).await.as_secs_f64());
            pages.push(
                timed(async {
                    owner.get("/images?limit=50").await.expect(200);
                })
                .await
                .as_secs_f64(),
            );
        }
        all.push([pushes, lists, pages].map(|times| percentile(&times, 50.0)));
    }
    for (n, what) in ["push of an image", "page of tags", "page of the catalogue"].into_iter().enumerate() {
        let ratio = all[1][n] / all[0][n];
        line(&format!("{what}: time with 1M repositories, blobs and tags / with 10k"), ratio, "<= 1.2");
    }
}

/// Content that nobody has, in front of what all share.
struct Blob {
    pieces: [Bytes; 2],
    digest: Digest,
}

impl Blob {
    fn new(pattern: &Bytes) -> Self {
        let pieces = [Bytes::from(uuid::Uuid::now_v7().into_bytes().to_vec()), pattern.slice(16..)];
        let mut hasher = Sha256::new();
        for piece in &pieces {
            hasher.update(piece);
        }
        Self { pieces, digest: Digest::from(<[u8; 32]>::from(hasher.finalize())) }
    }

    fn size(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }
}

struct Contender {
    http: Client,
    url: String,
    token: Option<String>,
}

impl Contender {
    /// A request to a path, or to the address that an upload was given.
    fn request(&self, method: Method, to: &str) -> RequestBuilder {
        let url = if to.starts_with('/') { format!("{}{to}", self.url) } else { to.to_owned() };
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Pushes as clients do: POST, PATCH with all bytes, PUT.
    async fn push(&self, blob: &Blob) {
        let begun = finished(self.request(Method::POST, &format!("/v2/{REPOSITORY}/blobs/uploads/"))).await;
        let pieces = blob.pieces.clone().map(Ok::<_, std::io::Error>);
        let patch = self
            .request(Method::PATCH, &location(&begun))
            .header("content-type", "application/octet-stream")
            .header("content-length", blob.size())
            .body(Body::wrap_stream(stream::iter(pieces)));
        let sent = finished(patch).await;
        let mut target = location(&sent);
        target.push(if target.contains('?') { '&' } else { '?' });
        finished(self.request(Method::PUT, &format!("{target}digest={}", blob.digest))).await;
    }

    async fn pull(&self, blob: &Blob) {
        let path = format!("/v2/{REPOSITORY}/blobs/{}", blob.digest);
        let mut body =
            self.request(Method::GET, &path).send().await.unwrap().error_for_status().unwrap().bytes_stream();
        let mut size = 0;
        while let Some(piece) = body.next().await {
            size += piece.unwrap().len();
        }
        assert_eq!(size, blob.size());
    }

    /// An image of these layers; gives its config.
    async fn push_image(&self, tag: &str, layers: &[&Blob]) -> Blob {
        let content = Bytes::from(json!({"architecture": "amd64", "os": "linux"}).to_string());
        let config = Blob { digest: Digest::of(&content), pieces: [content, Bytes::new()] };
        for blob in layers.iter().copied().chain([&config]) {
            self.push(blob).await;
        }
        self.put_manifest(tag, &config, layers).await;
        config
    }

    async fn put_manifest(&self, tag: &str, config: &Blob, layers: &[&Blob]) {
        let describe = |kind: &str, blob: &Blob| json!({"mediaType": kind, "digest": blob.digest, "size": blob.size()});
        let layers: Vec<Value> =
            layers.iter().map(|l| describe("application/vnd.oci.image.layer.v1.tar+gzip", l)).collect();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
            "config": describe("application/vnd.oci.image.config.v1+json", config), "layers": layers});
        let put = self.request(Method::PUT, &format!("/v2/{REPOSITORY}/manifests/{tag}"));
        finished(put.header("content-type", MANIFEST).body(manifest.to_string())).await;
    }
}

fn location(response: &Response) -> String {
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// The answer, when it is one of success, read to its end.
async fn finished(request: RequestBuilder) -> Response {
    let mut response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{}: {}", response.url(), response.status());
    while response.chunk().await.unwrap().is_some() {}
    response
}

async fn timed(work: impl Future) -> Duration {
    let begun = Instant::now();
    work.await;
    begun.elapsed()
}

/// A token for the repository, and one request that makes it.
async fn token(server: &ServerProcess) -> String {
    let scope = format!("repository:{REPOSITORY}:pull,push");
    let request = Client::new()
        .get(format!("{}/v2/token?service=image-factory&scope={scope}", server.url()))
        .basic_auth("owner@acme.test", Some(ServerProcess::password()));
    let answer: Value = request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap();
    answer["token"].as_str().unwrap().to_owned()
}

/// The reference registry with its defaults.
struct Reference {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Reference {
    async fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port().unwrap());
        let config = folder.path().join("config.yml");
        let settings = json!({
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": true}},
            "storage": {"filesystem": {"rootdirectory": folder.path().join("data")}, "cache": {"blobdescriptor": "inmemory"}},
            "http": {"addr": format!("127.0.0.1:{port}")},
        });
        // JSON is YAML.
        std::fs::write(&config, settings.to_string()).unwrap();
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is installed");
        let reference = Self { child, url: format!("http://127.0.0.1:{port}"), _folder: folder };
        for _ in 0..200 {
            if Client::new().get(format!("{}/v2/", reference.url)).send().await.is_ok() {
                return reference;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("docker-registry does not answer");
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes out what earlier work left in the page cache.
fn settle() {
    nix::unistd::sync();
}

/// The most memory that a process has had.
fn peak_bytes(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0
}

/// Bytes that do not repeat soon.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
