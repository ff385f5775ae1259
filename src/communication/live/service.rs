//! The two streams.

use super::model::{Frame, may_see};
use super::tails::{Steps, Tails};
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
    tails: Tails,
    slots: Arc<Semaphore>,
    stop: CancellationToken,
}

/// What a stream is doing.
struct State<P> {
    position: P,
    ready: VecDeque<Arc<Frame>>,
    wake: broadcast::Receiver<Signal>,
    opened: Instant,
    ended: bool,
    stop: CancellationToken,
    _slot: OwnedSemaphorePermit,
}

impl Live {
    /// Wires the context.
    pub fn new(builds: Builds, events: Events, signals: Signals, stop: CancellationToken) -> Self {
        let slots = Arc::new(Semaphore::new(MAX_STREAMS));
        Self { builds, events, signals, tails: Tails::default(), slots, stop }
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
    ) -> Result<impl Stream<Item = Result<Arc<Frame>>> + Send + use<>> {
        let tenant = self.builds.get(caller, id).await?.tenant_id;
        let (builds, tail) = (self.builds.clone(), self.tails.of(tenant, id));
        let key = id.to_string();
        let state = self.open(after)?;
        let start = (state, Arc::<Steps>::default(), None);
        Ok(stream::try_unfold(start, move |(mut s, mut steps, mut caught_up)| {
            let (builds, tail, key) = (builds.clone(), tail.clone(), key.clone());
            async move {
                loop {
                    if let Some(frame) = s.ready.pop_front() {
                        return Ok(Some((frame, (s, steps, caught_up))));
                    }
                    if s.ended || s.stop.is_cancelled() || s.opened.elapsed() > MAX_AGE {
                        return Ok(None);
                    }
                    // Signals from before the last look told of what it has seen.
                    let not_before = match caught_up {
                        None => s.opened,
                        Some(looked) => {
                            let news =
                                Signals::wait(&mut s.wake, POLL, looked, |topic, k| topic == Topic::Log && k == key);
                            let Some(since) = s.stop.run_until_cancelled(news).await else { continue };
                            since
                        }
                    };
                    let look = tail.look(&builds, s.position, not_before).await?;
                    if !look.steps.same(&steps) {
                        s.ready.extend(look.steps.frame.clone());
                        steps = look.steps.clone();
                    }
                    s.position = look.last;
                    s.ready.extend(look.lines.clone());
                    if look.lines.is_none() && look.status.is_final() {
                        let data = json!({"status": look.status, "last_line": s.position});
                        s.ready.push_back(Arc::new(Frame { id: None, event: "end".into(), data }));
                        s.ended = true;
                    }
                    caught_up = (!look.more).then_some(look.began);
                }
            }
        }))
    }

    /// Every event of the selected tenant that the caller may see, from a position on; from now on without one.
    pub async fn events(
        &self,
        caller: &Caller,
        after: Option<Cursor>,
    ) -> Result<impl Stream<Item = Result<Arc<Frame>>> + Send + use<>> {
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
                            // Not since the last look: it may have been too early for what is held back.
                            let news = Signals::wait(&mut s.wake, POLL, s.opened, |topic, _| topic == Topic::Events);
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
                            s.ready.push_back(Arc::new(Frame { id: Some(position.to_string()), event: kind, data }));
                        }
                    }
                }
            }
        }))
    }
}
