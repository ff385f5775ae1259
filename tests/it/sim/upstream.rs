//! Another registry that has one blob, sends its halves when the test says so, and counts. An image `v1` under every name has
//! it as its config.

use crate::support::hub::descriptor;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, StatusCode, Uri};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A running registry. It goes with the test's runtime.
#[derive(Clone)]
pub struct OneBlob {
    content: Bytes,
    gets: Arc<AtomicUsize>,
    lists: Arc<AtomicUsize>,
    sending: Arc<AtomicUsize>,
    second_half: Arc<Semaphore>,
}

/// A blob on its way: it ends when its reader is gone.
struct Sending(Arc<AtomicUsize>);

impl Sending {
    fn of(sim: &OneBlob) -> Self {
        sim.sending.fetch_add(1, Ordering::SeqCst);
        Self(sim.sending.clone())
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl OneBlob {
    /// Serves this under every name and digest; gives its address, too.
    pub async fn start(content: Vec<u8>) -> (Self, String) {
        let sim = Self {
            content: content.into(),
            gets: Arc::default(),
            lists: Arc::default(),
            sending: Arc::default(),
            second_half: Arc::new(Semaphore::new(0)),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(Self::answer).with_state(sim.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (sim, url)
    }

    /// Sends the second half of every blob from now on.
    pub fn go_on(&self) {
        self.second_half.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// How often the blob was asked for.
    pub fn gets(&self) -> usize {
        self.gets.load(Ordering::SeqCst)
    }

    /// How often it was asked for its tags.
    pub fn asked_for_tags(&self) -> usize {
        self.lists.load(Ordering::SeqCst)
    }

    /// Waits until nobody reads a blob any more.
    pub async fn gone(&self) {
        while self.sending.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    #[expect(clippy::unused_async, reason = "a handler is asynchronous")]
    async fn answer(State(sim): State<Self>, method: Method, uri: Uri) -> Response {
        if uri.path().ends_with("/tags/list") {
            sim.lists.fetch_add(1, Ordering::SeqCst);
            return axum::Json(json!({"name": "any", "tags": ["v1"]})).into_response();
        }
        if uri.path().ends_with("/manifests/v1") {
            let config = descriptor("application/vnd.example", &sim.content);
            let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []});
            return ([(CONTENT_TYPE, MANIFEST)], manifest.to_string()).into_response();
        }
        if !uri.path().contains("/blobs/") {
            return StatusCode::NOT_FOUND.into_response();
        }
        let length = [(CONTENT_LENGTH, sim.content.len().to_string())];
        if method != Method::GET {
            return (StatusCode::OK, length).into_response();
        }
        sim.gets.fetch_add(1, Ordering::SeqCst);
        let middle = sim.content.len() / 2;
        let (first, second) = (sim.content.slice(..middle), sim.content.slice(middle..));
        let sending = Sending::of(&sim);
        let rest = stream::once(async move {
            let _sending = sending;
            sim.second_half.acquire().await.unwrap().forget();
            Ok::<_, std::io::Error>(second)
        });
        (StatusCode::OK, length, Body::from_stream(stream::iter([Ok(first)]).chain(rest))).into_response()
    }
}
