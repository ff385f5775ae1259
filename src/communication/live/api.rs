//! HTTP of live streams: SSE, or WebSocket when the request asks for an upgrade.

use super::{Frame, Live};
use crate::kernel::ids::BuildId;
use crate::kernel::{Error, Fault, Result};
use crate::platform::http::{Path, Problem, Query};
use crate::tenancy::access::Caller;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use http::HeaderMap;
use serde::Deserialize;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// A sign of life on a quiet stream, so that proxies keep it open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A client that takes no frame for so long is gone.
const SEND_TIMEOUT: Duration = Duration::from_mins(1);

type Upgrade = std::result::Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Routes below `/api/v1`.
pub fn routes(live: Live) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(stream_build_log)).routes(routes!(stream_events)).with_state(live)
}

/// Where a stream resumes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Resume {
    /// As the header `Last-Event-ID`, for clients that cannot set headers.
    last_event_id: Option<String>,
}

impl Resume {
    fn position<T: FromStr>(&self, headers: &HeaderMap) -> Result<Option<T>> {
        let header = headers.get("last-event-id").and_then(|v| v.to_str().ok());
        let Some(text) = header.or(self.last_event_id.as_deref()).filter(|t| !t.is_empty()) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            Error::faults(vec![Fault::new("Last-Event-ID", "invalid", "take the position from the id of a frame")])
        })
    }
}

/// Follow the log of a build.
///
/// Frames: `lines` (id: number of its last line; data: lines as in `GET /builds/{id}/logs`), `steps` (all steps, when one
/// has changed), `end` (the build's final status). Resumes behind the line named by `Last-Event-ID`. With `Upgrade:
/// websocket` the same frames come as JSON text messages.
#[utoipa::path(
    get, path = "/builds/{id}/logs/stream", tag = "Live", operation_id = "stream_build_log",
    params(("id" = BuildId, Path), Resume, ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, description = "Frames", body = Frame, content_type = "text/event-stream"),
              (status = 101, description = "WebSocket"), (status = 404, body = Problem), (status = 503, body = Problem)),
    extensions(("x-access" = json!("build:read")))
)]
async fn stream_build_log(
    State(live): State<Live>,
    caller: Caller,
    Path(id): Path<BuildId>,
    Query(resume, _): Query<Resume>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response> {
    let after = resume.position::<i64>(&headers)?.unwrap_or(0).max(0);
    Ok(answer(live.log(&caller, id, after).await?, upgrade))
}

/// Follow the events of the tenant that the caller may see.
///
/// Frames bear the event's type; the id is a position to resume at. Without `Last-Event-ID` the stream starts now.
#[utoipa::path(
    get, path = "/events", tag = "Live", operation_id = "stream_events",
    params(Resume, ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, description = "Frames", body = Frame, content_type = "text/event-stream"),
              (status = 101, description = "WebSocket"), (status = 422, body = Problem), (status = 503, body = Problem)),
    extensions(("x-access" = json!("tenant:read")))
)]
async fn stream_events(
    State(live): State<Live>,
    caller: Caller,
    Query(resume, _): Query<Resume>,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Result<Response> {
    caller.require(crate::tenancy::access::Permission::TenantRead)?;
    let after = resume.position(&headers)?;
    Ok(answer(live.events(&caller, after).await?, upgrade))
}

fn answer(frames: impl Stream<Item = Result<Arc<Frame>>> + Send + 'static, upgrade: Upgrade) -> Response {
    match upgrade {
        Ok(upgrade) => upgrade.max_message_size(4096).on_upgrade(|socket| Box::pin(send(socket, frames))),
        Err(_) => {
            let events = frames.map(|frame| {
                let frame = frame.inspect_err(|error| tracing::warn!(?error, "a live stream broke off"))?;
                let event = Event::default()
                    .event(&frame.event)
                    .json_data(&frame.data)
                    .map_err(|e| Error::internal("a frame did not convert").with_source(e))?;
                Ok::<_, Error>(match &frame.id {
                    Some(id) => event.id(id),
                    None => event,
                })
            });
            let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
            // Proxies must neither buffer nor transform it.
            ([("cache-control", "no-store"), ("x-accel-buffering", "no")], sse).into_response()
        }
    }
}

async fn send(mut socket: WebSocket, frames: impl Stream<Item = Result<Arc<Frame>>> + Send) {
    tokio::pin!(frames);
    let mut ping = tokio::time::interval(KEEP_ALIVE);
    loop {
        let message = tokio::select! {
            frame = frames.next() => match frame {
                Some(Ok(frame)) => match serde_json::to_string(&*frame) {
                    Ok(text) => Message::Text(text.into()),
                    Err(_) => break,
                },
                Some(Err(error)) => {
                    tracing::warn!(?error, "a live stream broke off");
                    break;
                }
                None => break,
            },
            // Clients have nothing to say, but their close has to be heard.
            received = socket.recv() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            _ = ping.tick() => Message::Ping(bytes::Bytes::new()),
        };
        match tokio::time::timeout(SEND_TIMEOUT, socket.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
    let _ = socket.send(Message::Close(None)).await;
}
