//! Supervises one run from its claim to its end: renews the lease, stores the log, acts on a wish to cancel.
//!
//! The log is stored before the end is reported. A supervisor that cannot renew its lease stops its run: by then another
//! one may have started the next attempt. Nothing that it still writes counts, since every write names the execution.

use super::config::Config;
use super::progress::Progress;
use crate::kernel::{Clock, Error, Kind, Result};
use crate::orchestration::builds::{Builds, Heartbeat, LogBatch, Outcome, RunInput, RunRef};
use crate::orchestration::executors::{Executor, Limits, RunEvent, RunEvents, RunName, RunOutcome, RunResult, RunSpec};
use crate::orchestration::methods::{Stage, plan};
use crate::platform::events::{Signal, Signals, Topic};
use backon::{ExponentialBuilder, Retryable};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Lines are stored when so many bytes are together ...
const CHUNK_BYTES: usize = 256 * 1024;
/// ... or so long after the last time; at once after a quiet spell.
const FLUSH_EVERY: Duration = Duration::from_millis(200);
/// Lines of one burst come together.
const FLUSH_SOON: Duration = Duration::from_millis(3);

/// What a supervisor works with; the same for all of a process.
#[derive(Clone)]
pub struct Supervisor {
    pub builds: Builds,
    pub executor: Arc<dyn Executor>,
    pub signals: Signals,
    pub clock: Clock,
    pub config: Arc<Config>,
    pub max_log_bytes: u64,
    pub stop: CancellationToken,
}

/// Why a run is stopped before its end; the last one outweighs the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    /// Somebody cancelled the build.
    Cancelled,
    /// The server shuts down.
    Shutdown,
    /// Somebody else has the build.
    Lost,
}

impl Supervisor {
    /// Runs a claimed build to its end.
    pub async fn run(self, run: RunRef) {
        let wake = self.signals.subscribe();
        if let Err(error) = self.supervise(&run, wake).await {
            tracing::warn!(?error, build = %run.build_id, attempt = run.attempt, "a run ended badly; the build is given back");
            // Nothing may go on running for a build that somebody else is about to take.
            if let Ok(name) = run.run_name.parse::<RunName>()
                && let Err(error) = self.executor.cancel(&name).await
            {
                tracing::error!(?error, run = %name, "a run was not stopped");
            }
            let reason = format!("the worker could not go on: {}", error.message());
            let give_back = || self.builds.give_back(&run, &reason);
            if let Err(error) = give_back.retry(retries()).when(passes).await {
                tracing::error!(?error, build = %run.build_id, "a build was not given back; its lease will lapse");
            }
        }
    }

    async fn supervise(&self, run: &RunRef, wake: broadcast::Receiver<Signal>) -> Result<()> {
        let input = match self.builds.load_run(run).await {
            Ok(input) => input,
            // The build's own fault: another attempt would meet it again.
            Err(e) if matches!(e.kind(), Kind::Invalid | Kind::NotFound) => {
                let failed = Outcome::failed(Stage::Fetch, e.message().to_owned());
                return self.finish(run, &failed).await;
            }
            Err(e) => return Err(e),
        };
        let timeout = Duration::from_secs(u64::from(input.build.timeout_seconds.unsigned_abs()));
        let name: RunName = run.run_name.parse()?;
        let limits = Limits { timeout, memory_bytes: None, max_processes: None, disk_bytes: None };
        let spec = RunSpec { name: name.clone(), plan: plan(&input.plan)?, limits };
        let start = || self.executor.ensure_started(spec.clone());
        let events = start.retry(retries()).when(passes).await?;
        self.follow(run, &input, name, events, wake).await
    }

    /// Reads a run to its end. Only what is stored counts as said, so storing holds up reading, and that the process.
    async fn follow(
        &self,
        run: &RunRef,
        input: &RunInput,
        name: RunName,
        mut events: RunEvents,
        mut wake: broadcast::Receiver<Signal>,
    ) -> Result<()> {
        let mut progress = Progress::new(input.build.method, input.first_line, self.max_log_bytes);
        if run.attempt > 1 {
            progress.say(self.clock.now(), format!("Attempt {}: the worker of the one before stopped.", run.attempt));
        }
        let mut lease = Lease::new(self.config.lease_seconds);
        let mut heartbeat = tokio::time::interval(lease.length / 3);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut flush = Flush::default();
        let mut buffer: Vec<RunEvent> = Vec::new();
        let mut stop: Option<Stop> = None;
        let mut cancel: Option<BoxFuture<'_, Result<()>>> = None;

        let ended = 'run: loop {
            let mut wish = None;
            tokio::select! {
                n = events.next_many(&mut buffer, 512) => {
                    if n == 0 {
                        return Err(Error::internal("a run ended without saying how"));
                    }
                    for event in buffer.drain(..) {
                        if let Some(outcome) = progress.take_in(event) {
                            break 'run outcome;
                        }
                    }
                    flush.plan(&progress);
                }
                () = flush.due() => {
                    if !self.store(run, progress.take(), lease.ends()).await? {
                        wish = Some(Stop::Lost);
                    }
                    flush.done();
                }
                _ = heartbeat.tick() => wish = self.beat(run, &mut lease).await,
                signal = wake.recv() => match signal {
                    Ok(Signal::Wake { topic, key, .. }) if topic != Topic::Cancel || key != run.build_id.to_string() => {}
                    Err(broadcast::error::RecvError::Closed) => return Err(Error::internal("the signals ended")),
                    _ => wish = self.beat(run, &mut lease).await,
                },
                () = self.stop.cancelled(), if stop.is_none() => wish = Some(Stop::Shutdown),
                done = pending_or(&mut cancel) => {
                    done?;
                    cancel = None;
                    if stop == Some(Stop::Lost) {
                        return Ok(());
                    }
                }
            }
            if stop.is_none() && wish.is_some() {
                cancel = Some(self.executor.cancel(&name));
            }
            stop = stop.max(wish);
        };
        drop(cancel);
        self.end(run, input, progress, ended, stop, &lease).await
    }

    /// Stores what is left of the log, then the end of the build.
    async fn end(
        &self,
        run: &RunRef,
        input: &RunInput,
        mut progress: Progress,
        ended: RunOutcome,
        stop: Option<Stop>,
        lease: &Lease,
    ) -> Result<()> {
        if stop == Some(Stop::Lost) {
            return Ok(());
        }
        let interrupted = match &ended.result {
            RunResult::Interrupted { reason } => Some(reason.clone()),
            RunResult::Cancelled if stop == Some(Stop::Shutdown) => Some("the worker was shut down".to_owned()),
            _ => None,
        };
        let outcome = progress.outcome(ended, input.build.timeout_seconds);
        if let Some(reason) = interrupted.as_ref().or(outcome.as_ref().and_then(|o| o.reason.as_ref())) {
            progress.say(self.clock.now(), reason.clone());
        }
        if progress.has_pending() && !self.store(run, progress.take(), lease.ends()).await? {
            return Ok(());
        }
        match (interrupted, outcome) {
            (None, Some(outcome)) => self.finish(run, &outcome).await,
            (reason, _) => {
                let reason = reason.unwrap_or_else(|| "the run was interrupted".into());
                let give_back = || self.builds.give_back(run, &reason);
                give_back.retry(retries()).when(passes).await.map(drop)
            }
        }
    }

    async fn finish(&self, run: &RunRef, outcome: &Outcome) -> Result<()> {
        let finish = || self.builds.finish(run, outcome);
        if !finish.retry(retries()).when(passes).await? {
            tracing::warn!(build = %run.build_id, attempt = run.attempt, "the lease was lost before the end was recorded");
        }
        Ok(())
    }

    /// Renews the lease. A lease that could not be renewed in time counts as lost.
    async fn beat(&self, run: &RunRef, lease: &mut Lease) -> Option<Stop> {
        let asked = Instant::now();
        let heartbeat = self.builds.heartbeat(run, self.config.lease_seconds);
        match tokio::time::timeout_at(lease.ends().into(), heartbeat).await {
            Ok(Ok(Heartbeat::Held)) => lease.renewed(asked),
            Ok(Ok(Heartbeat::CancelRequested)) => {
                lease.renewed(asked);
                return Some(Stop::Cancelled);
            }
            Ok(Ok(Heartbeat::Lost)) => return Some(Stop::Lost),
            Ok(Err(error)) => {
                tracing::warn!(?error, build = %run.build_id, "the lease was not renewed");
                return (lease.ends() <= Instant::now()).then_some(Stop::Lost);
            }
            Err(_) => {
                tracing::warn!(build = %run.build_id, "the database did not answer before the lease ended");
                return Some(Stop::Lost);
            }
        }
        None
    }

    /// Stores lines and steps; tries again while the database is away, until the lease ends. False: it is lost.
    async fn store(&self, run: &RunRef, batch: LogBatch, until: Instant) -> Result<bool> {
        let append = || self.builds.append(run, &batch);
        let append = append.retry(retries().without_max_times()).when(passes);
        // A lease that has ended is lost, whatever the database says later.
        tokio::time::timeout_at(until.into(), append.into_future()).await.unwrap_or(Ok(false))
    }
}

/// The lease as this process knows it: it ends no later than the one in the database.
struct Lease {
    length: Duration,
    renewed_at: Instant,
}

impl Lease {
    fn new(seconds: i32) -> Self {
        Self { length: Duration::from_secs(u64::from(seconds.unsigned_abs().max(1))), renewed_at: Instant::now() }
    }

    fn renewed(&mut self, asked_at: Instant) {
        self.renewed_at = asked_at;
    }

    fn ends(&self) -> Instant {
        self.renewed_at + self.length
    }
}

/// When to store the next lines.
#[derive(Default)]
struct Flush {
    at: Option<Instant>,
    last: Option<Instant>,
}

impl Flush {
    fn plan(&mut self, progress: &Progress) {
        if progress.pending_bytes() >= CHUNK_BYTES {
            self.at = Some(Instant::now());
        } else if self.at.is_none() && progress.has_pending() {
            let quiet = self.last.is_none_or(|t| t.elapsed() >= FLUSH_EVERY);
            self.at = Some(Instant::now() + if quiet { FLUSH_SOON } else { FLUSH_EVERY });
        }
    }

    fn done(&mut self) {
        *self = Self { at: None, last: Some(Instant::now()) };
    }

    async fn due(&self) {
        match self.at {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    }
}

async fn pending_or(future: &mut Option<BoxFuture<'_, Result<()>>>) -> Result<()> {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

fn retries() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(3))
        .with_max_times(6)
        .with_jitter()
}

/// Whether a failure may pass by itself.
fn passes(error: &Error) -> bool {
    error.kind() == Kind::Unavailable
}
