//! The two streams.

use super::model::{Frame, may_see};
use crate::kernel::ids::BuildId;
use crate::kernel::{Error, Result};
use crate::orchestration::builds::Builds;
use crate::platform::events::{Cursor, Events, Signal, Signals, Topic};
use crate::tenancy::access::Caller;
use futures::{Stream, stream};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

/// Streams that one process serves at the same time.
const MAX_STREAMS: usize = 4096;
/// A stream ends after this time: the client comes back with its position, and its rights are looked up again.
const MAX_AGE: Duration = Duration::from_mins(10);
/// Longest time between two looks at the store.
const POLL: Duration = Duration::from_secs(5);
/// Looks after a signal that found nothing: an older transaction still runs and holds the newer rows back.
const RECHECKS: u32 = 6;

/// Serves live streams. They end when the process is told to stop.
#[derive(Clone)]
pub struct Live {
    builds: Builds,
    events: Events,
    signals: Signals,
    slots: Arc<Semaphore>,
    stop: CancellationToken,
}

/// What a stream is doing.
struct State<P> {
    position: P,
    ready: VecDeque<Frame>,
    wake: broadcast::Receiver<Signal>,
    opened: Instant,
    ended: bool,
    stop: CancellationToken,
    _slot: OwnedSemaphorePermit,
}

impl Live {
    /// Wires the context.
    pub fn new(builds: Builds, events: Events, signals: Signals, stop: CancellationToken) -> Self {
        Self { builds, events, signals, slots: Arc::new(Semaphore::new(MAX_STREAMS)), stop }
    }

    fn open<P>(&self, position: P) -> Result<State<P>> {
        let slot = self.slots.clone().try_acquire_owned().map_err(|_| {
            Error::unavailable("live.too_many_streams", "too many live streams are open; try again later")
        })?;
        let wake = self.signals.subscribe();
        Ok(State {
            position,
            ready: VecDeque::new(),
            wake,
            opened: Instant::now(),
            ended: false,
            stop: self.stop.clone(),
            _slot: slot,
        })
    }

    /// The log of a build from a line on: `lines` frames (id: number of the last line), `steps` when they change, `end`.
    pub async fn log(
        &self,
        caller: &Caller,
        id: BuildId,
        after: i64,
    ) -> Result<impl Stream<Item = Result<Frame>> + Send + use<>> {
        let tenant = self.builds.get(caller, id).await?.tenant_id;
        let builds = self.builds.clone();
        let key = id.to_string();
        let state = self.open((after, Vec::new()))?;
        Ok(stream::try_unfold(state, move |mut s| {
            let (builds, key) = (builds.clone(), key.clone());
            async move {
                loop {
                    if let Some(frame) = s.ready.pop_front() {
                        return Ok(Some((frame, s)));
                    }
                    if s.ended || s.stop.is_cancelled() || s.opened.elapsed() > MAX_AGE {
                        return Ok(None);
                    }
                    let view = builds.log_view(tenant, id, s.position.0).await?;
                    if view.steps != s.position.1 {
                        let data = serde_json::to_value(&view.steps)?;
                        s.ready.push_back(Frame { id: None, event: "steps".into(), data });
                        s.position.1 = view.steps;
                    }
                    if let Some(last) = view.lines.last() {
                        s.position.0 = last.line;
                        let data = serde_json::to_value(&view.lines)?;
                        s.ready.push_back(Frame { id: Some(s.position.0.to_string()), event: "lines".into(), data });
                    } else if view.status.is_final() {
                        let data = json!({"status": view.status, "last_line": s.position.0});
                        s.ready.push_back(Frame { id: None, event: "end".into(), data });
                        s.ended = true;
                    }
                    if s.ready.is_empty() {
                        let news = Signals::wait(&mut s.wake, POLL, |topic, k| topic == Topic::Log && k == key);
                        s.stop.run_until_cancelled(news).await;
                    }
                }
            }
        }))
    }

    /// Every event of the selected tenant that the caller may see, from a position on; from now on without one.
    pub async fn events(
        &self,
        caller: &Caller,
        after: Option<Cursor>,
    ) -> Result<impl Stream<Item = Result<Frame>> + Send + use<>> {
        let tenant = caller.tenant()?.id;
        let state = self.open(())?;
        let start = match after {
            Some(cursor) => cursor,
            None => self.events.end().await?,
        };
        let (events, caller) = (self.events.clone(), caller.clone());
        let state = (state, start, 0u32);
        Ok(stream::try_unfold(state, move |(mut s, mut cursor, mut rechecks)| {
            let (events, caller) = (events.clone(), caller.clone());
            async move {
                loop {
                    if let Some(frame) = s.ready.pop_front() {
                        return Ok(Some((frame, (s, cursor, rechecks))));
                    }
                    if s.stop.is_cancelled() || s.opened.elapsed() > MAX_AGE {
                        return Ok(None);
                    }
                    let found = events.after(Some(tenant), cursor, 200).await?;
                    if found.is_empty() {
                        if rechecks > 0 {
                            rechecks -= 1;
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        } else {
                            let news = Signals::wait(&mut s.wake, POLL, |topic, _| topic == Topic::Events);
                            s.stop.run_until_cancelled(news).await;
                            rechecks = RECHECKS;
                        }
                        continue;
                    }
                    for (position, event) in found {
                        cursor = position;
                        if may_see(&caller, &event) {
                            let kind = event.kind.clone();
                            let data = serde_json::to_value(event)?;
                            s.ready.push_back(Frame { id: Some(position.to_string()), event: kind, data });
                        }
                    }
                }
            }
        }))
    }
}
