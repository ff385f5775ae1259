//! Live streams: nothing is lost between the stored part and the live part, over SSE and WebSocket.

use super::main_job::wait_line;
use crate::support::api::{Api, busybox};
use crate::support::server::ServerProcess;
use futures::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// A build that prints `lines` numbered lines with a pause after each `per_pause`.
async fn printing(api: &Api, lines: u32, per_pause: u32) -> String {
    let script = format!(
        "i=0; while [ $i -lt {lines} ]; do echo line $i; i=$((i+1)); [ $((i % {per_pause})) -ne 0 ] || /bin/busybox usleep 10000; done"
    );
    running(api, &["sh", "-c", &script]).await
}

/// A build with one step, an applet of busybox.
async fn running(api: &Api, applet: &[&str]) -> String {
    let run = json!([&["/bin/busybox"], applet].concat());
    let dockerfile = format!("FROM scratch\nCOPY busybox /bin/busybox\nRUN {run}\n");
    let context =
        api.upload("hello", &[("Dockerfile", dockerfile.as_bytes(), 0o644), ("busybox", &busybox(), 0o755)]).await;
    let config = json!({"cache_enabled": false});
    api.submit(&json!({"project": "hello", "method": "docker", "source": {"context_id": context}, "config": config}))
        .await
}

/// Reads an SSE stream until its `end`, or until `frames` were read; gives (line number, text) of all lines.
async fn read_sse(api: &Api, id: &str, after: i64, frames: usize) -> (Vec<(i64, String)>, bool) {
    let request = api.raw(Method::GET, &format!("/builds/{id}/logs/stream")).header("last-event-id", after.to_string());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut events = eventsource_stream::Eventsource::eventsource(response.bytes_stream());
    let (mut lines, mut seen) = (Vec::new(), 0);
    while let Some(event) = events.next().await {
        let event = event.unwrap();
        match event.event.as_str() {
            "lines" => {
                lines.extend(numbered(&serde_json::from_str(&event.data).unwrap()));
                assert_eq!(event.id, lines.last().unwrap().0.to_string());
                seen += 1;
                if seen == frames {
                    return (lines, false);
                }
            }
            "end" => return (lines, true),
            "steps" => {}
            other => panic!("an unknown frame {other}"),
        }
    }
    (lines, false)
}

fn numbered(lines: &Value) -> Vec<(i64, String)> {
    let lines = lines.as_array().unwrap().iter();
    lines.map(|l| (l["line"].as_i64().unwrap(), l["text"].as_str().unwrap().to_owned())).collect()
}

/// Every line once, in order, and all that the build printed.
fn assert_whole(lines: &[(i64, String)], printed: u32) {
    for (n, (line, _)) in (1..).zip(lines) {
        assert_eq!(n, *line, "a gap or a repeat");
    }
    let said: Vec<&String> = lines.iter().map(|(_, t)| t).filter(|t| t.starts_with("line ")).collect();
    assert_eq!(said.len(), printed as usize);
    assert!(said.iter().enumerate().all(|(n, t)| **t == format!("line {n}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_again_and_again_has_neither_gap_nor_repeat() {
    let (_server, api) = ServerProcess::start(&[]).await;
    let id = printing(&api, 2000, 20).await;
    let (mut lines, mut ended) = (Vec::new(), false);
    while !ended {
        let after = lines.last().map_or(0, |(n, _): &(i64, String)| *n);
        let (more, end) = read_sse(&api, &id, after, 2).await;
        lines.extend(more);
        ended = end;
    }
    assert_whole(&lines, 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_carries_the_same_frames() {
    let (_server, api) = ServerProcess::start(&[]).await;
    let id = printing(&api, 300, 10).await;
    let url = format!("{}/api/v1/builds/{id}/logs/stream", api.url().replace("http://", "ws://"));
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", api.token()).parse().unwrap());
    request.headers_mut().insert("x-tenant-id", "acme".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let mut lines = Vec::new();
    while let Some(message) = socket.next().await {
        match message.unwrap() {
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(&text).unwrap();
                match frame["event"].as_str().unwrap() {
                    "lines" => lines.extend(numbered(&frame["data"])),
                    "end" => break,
                    _ => {}
                }
            }
            Message::Ping(data) => socket.send(Message::Pong(data)).await.unwrap(),
            _ => {}
        }
    }
    assert_whole(&lines, 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_does_not_hold_up_the_build() {
    let (_server, api) = ServerProcess::start(&[]).await;
    let id = printing(&api, 100_000, 100_000).await;
    // Opened, never read.
    let stuck = api.raw(Method::GET, &format!("/builds/{id}/logs/stream")).send().await.unwrap();
    let build = api.wait_final(&id).await;
    assert_eq!(build["status"], "completed", "{build:#}");
    drop(stuck);
    let (lines, ended) = read_sse(&api, &id, 0, usize::MAX).await;
    assert!(ended);
    assert_whole(&lines, 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_resume_where_they_stopped_and_stay_in_their_tenant() {
    let (server, api) = ServerProcess::start(&[]).await;
    let first = printing(&api, 1, 1).await;
    api.wait_final(&first).await;
    let request =
        api.raw(Method::GET, "/events?last_event_id=0-00000000-0000-0000-0000-000000000000").send().await.unwrap();
    let mut events = eventsource_stream::Eventsource::eventsource(request.bytes_stream());
    let (mut kinds, mut position) = (Vec::new(), String::new());
    while !kinds.contains(&"build.finished".to_owned()) {
        let event = tokio::time::timeout(Duration::from_secs(20), events.next()).await.unwrap().unwrap().unwrap();
        let data: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(data["type"], json!(event.event));
        kinds.push(event.event);
        position = event.id;
    }
    drop(events);
    for kind in ["project.created", "build.queued", "build.started", "image.pushed"] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} in {kinds:?}");
    }
    let second = printing(&api, 1, 1).await;
    wait_line(&api, &second, "line 0").await;
    let request = api.raw(Method::GET, "/events").header("last-event-id", &position).send().await.unwrap();
    let mut events = eventsource_stream::Eventsource::eventsource(request.bytes_stream());
    let next = tokio::time::timeout(Duration::from_secs(20), events.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(next.event, "build.queued");
    assert!(next.data.contains(&second), "{}", next.data);

    let admin = Api::login(&server.url(), "admin@example.test", ServerProcess::password()).await;
    admin.post("/tenants", &json!({"slug": "other", "name": "Other"})).await.expect(201);
    let other = admin.in_tenant("other");
    assert_eq!(other.get(&format!("/builds/{second}/logs/stream")).await.problem(404), "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_lines_leave_the_servers_memory_flat() {
    let (server, api) = ServerProcess::start(&[]).await;
    let warm = printing(&api, 1000, 1000).await;
    api.wait_final(&warm).await;
    let before = peak_memory_kib(server.pid());
    let id = printing(&api, 1_000_000, 1_000_000).await;
    let build = api.wait_final(&id).await;
    assert_eq!(build["status"], "completed", "{build:#}");
    let grown = peak_memory_kib(server.pid()) - before;
    assert!(grown < 64 * 1024, "the peak grew by {grown} KiB");
    let log = api.log(&id).await;
    let said = log.iter().filter(|l| l.starts_with("line "));
    for (n, line) in (0..).zip(said.clone()) {
        assert_eq!(*line, format!("line {n}"));
    }
    assert_eq!(said.count(), 1_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_step_has_printed_is_kept_although_it_ends_before_it_can_be_stored() {
    let (server, api) = ServerProcess::start(&[]).await;
    let mut db = server.db().connect().await;
    let mut lock = db.begin().await.unwrap();
    sqlx::query("lock table build_logs in access exclusive mode").execute(&mut *lock).await.unwrap();
    let id = running(&api, &["seq", "0", "299999"]).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    lock.commit().await.unwrap();
    let build = api.wait_final(&id).await;
    assert_eq!(build["status"], "completed", "{build:#}");
    let log = api.log(&id).await;
    let numbers: Vec<u32> = log.iter().filter_map(|l| l.parse().ok()).collect();
    assert!(numbers.iter().copied().eq(0..300_000), "the last one is {:?} of 299999", numbers.last());
}

/// The highest resident memory so far.
fn peak_memory_kib(pid: u32) -> i64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
