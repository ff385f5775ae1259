//! The HTTP listener: bounded headers and connections, slow and silent clients cut off, graceful shutdown.

use super::stall::Impatient;
use crate::kernel::{Error, Result};
use crate::platform::tasks::Tasks;
use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::{Service, ServiceExt};
use utoipa::ToSchema;

/// The HTTP listener.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: String,
    /// The address at which clients reach this server, such as `https://factory.example.com`: in links, in the token
    /// realm and in image names. Empty: `http://` and the address it listens on.
    pub public_url: String,
    /// Serve `/metrics` on this address alone; empty: beside the API.
    pub metrics_listen: String,
    /// Most connections at the same time; more wait in the kernel's queue.
    pub max_connections: usize,
    /// Longest time in seconds for a client to send its request's headers.
    pub header_timeout_seconds: u64,
    /// Seconds after which a client that sends nothing of a body, or takes nothing of an answer, is cut off.
    pub stall_timeout_seconds: u64,
    /// Longest time in seconds for running requests to end at shutdown.
    pub shutdown_seconds: u64,
    /// Days for which events can be read again by a stream that resumes.
    pub event_retention_days: i32,
    /// API requests per second and tenant; bursts of twice that.
    pub requests_per_second: u32,
    /// Networks of proxies whose `X-Forwarded-For` tells the client's address: for the audit trail, login throttling and
    /// limits. Without it, all clients behind a proxy count as one.
    #[schema(value_type = Vec<String>)]
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            public_url: String::new(),
            metrics_listen: String::new(),
            max_connections: 4096,
            header_timeout_seconds: 15,
            stall_timeout_seconds: 60,
            shutdown_seconds: 20,
            event_retention_days: 14,
            requests_per_second: 200,
            trusted_proxies: Vec::new(),
        }
    }
}

/// Serves until the process is told to stop, then lets running requests end.
pub async fn serve(listener: TcpListener, app: Router, config: &Config, tasks: &Tasks) -> Result<()> {
    let stop = tasks.stopping();
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(config.max_connections));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(config.header_timeout_seconds))
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(64 * 1024)
        .max_concurrent_streams(256)
        .keep_alive_interval(Duration::from_secs(30));
    let builder = Arc::new(builder);
    let (to_begin, stall) =
        (Duration::from_secs(config.header_timeout_seconds), Duration::from_secs(config.stall_timeout_seconds));
    let mut make_service = app.into_make_service_with_connect_info::<SocketAddr>();
    loop {
        let slot = tokio::select! {
            slot = slots.clone().acquire_owned() => slot.map_err(|e| Error::internal("no slots").with_source(e))?,
            () = stop.cancelled() => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(pair) => pair,
                Err(error) => {
                    // Out of file descriptors: wait for some to close instead of spinning.
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let _ = stream.set_nodelay(true);
        let Ok(service) = make_service.call(PeerAddr(peer)).await;
        let service = hyper_util::service::TowerToHyperService::new(
            service.map_request(|r: http::Request<hyper::body::Incoming>| r.map(axum::body::Body::new)),
        );
        let builder = builder.clone();
        let watcher = graceful.watcher();
        tasks.spawn("connection", async move {
            let stream = Impatient::new(stream, to_begin, stall);
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection.into_owned()).await {
                tracing::trace!(%error, %peer, "a connection ended badly");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(Duration::from_secs(config.shutdown_seconds), graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
    Ok(())
}

struct PeerAddr(SocketAddr);

impl axum::extract::connect_info::Connected<PeerAddr> for SocketAddr {
    fn connect_info(peer: PeerAddr) -> Self {
        peer.0
    }
}

/// The client's address, for extractors: the peer's, or what a trusted proxy told of it.
pub fn peer(extensions: &http::Extensions) -> Option<SocketAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0)
}
