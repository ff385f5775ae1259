//! Durable background work. A job is queued in the transaction that needs it; a claim and its lease are one statement;
//! a run is fenced by its attempt, so a ghost cannot report. Failures are retried with exponential backoff and jitter,
//! a bounded number of times. Periodic tasks are jobs with a period, one row per kind.
//!
//! Handlers must be idempotent: a process may die between the work and its report.

mod store;

use crate::kernel::ids::{JobId, TenantId};
use crate::kernel::{Error, Result};
use crate::platform::db::{Db, Tx};
use crate::platform::events::{Signals, Topic, notify};
use crate::platform::tasks::Tasks;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// Lease of a running job in seconds; renewed at a third of it.
const LEASE_SECONDS: i32 = 60;
/// Longest time between two looks at the table.
const POLL: Duration = Duration::from_secs(5);
/// A failed step is tried again after the time that this attempt would wait.
const STEP_BACKOFF: i32 = 5;
/// Jobs of one registry that one process runs at the same time.
const CONCURRENCY: usize = 4;

type Handler = Arc<dyn Fn(serde_json::Value) -> BoxFuture<'static, Result<Step>> + Send + Sync>;

/// What a part of long work has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It has ended.
    Done,
    /// It goes on after this time, when others that wait have had their turn.
    More(Duration),
}

/// What runs behind: register the kinds, then start the driver.
#[derive(Clone, Default)]
pub struct Registry {
    handlers: BTreeMap<&'static str, Handler>,
    periodic: BTreeMap<&'static str, Duration>,
    /// Kinds that are worked on step by step, until their handler says that they have ended.
    stepwise: BTreeSet<&'static str>,
}

/// The state of a job or periodic task, for operators.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TaskStatus {
    /// The kind, such as `builds.rescue`.
    pub kind: String,
    /// Seconds between two runs of a periodic task; none for one-off jobs, which are counted together.
    pub period_seconds: Option<i32>,
    /// Rows of this kind that wait.
    pub queued: i64,
    /// Rows of this kind that run now.
    pub running: i64,
    /// Rows of this kind that failed for good and are kept.
    pub failed: i64,
    /// When a periodic task runs next, or the oldest waiting job was due.
    pub next_run_at: Option<DateTime<Utc>>,
    /// When one last ended.
    pub last_finished_at: Option<DateTime<Utc>>,
    /// How long that took, in milliseconds.
    pub last_duration_ms: Option<i64>,
    /// Why the last failure failed.
    pub last_error: Option<String>,
}

/// Queues a job in the caller's transaction.
pub async fn enqueue(
    tx: &mut impl Tx,
    kind: &'static str,
    tenant_id: Option<TenantId>,
    payload: serde_json::Value,
) -> Result<JobId> {
    let id = JobId::new();
    store::insert(tx, id, kind, tenant_id, payload).await?;
    notify(tx, Topic::Jobs, kind);
    Ok(id)
}

impl Registry {
    /// Handles jobs of this kind.
    pub fn on<F>(&mut self, kind: &'static str, handler: impl Fn(serde_json::Value) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let handler = move |payload| -> BoxFuture<'static, _> {
            let work = handler(payload);
            Box::pin(async move { work.await.map(|()| Step::Done) })
        };
        self.handlers.insert(kind, Arc::new(handler));
    }

    /// Works on jobs of this kind step by step, in turns with others that wait. A step that fails is tried again, however
    /// often: the handler says when to give up.
    pub fn on_steps<F>(&mut self, kind: &'static str, handler: impl Fn(serde_json::Value) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<Step>> + Send + 'static,
    {
        self.stepwise.insert(kind);
        self.handlers.insert(kind, Arc::new(move |payload| Box::pin(handler(payload))));
    }

    /// Runs this every so often, in one process at a time.
    pub fn every<F>(&mut self, period: Duration, kind: &'static str, task: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.periodic.insert(kind, period);
        self.on(kind, move |_| task());
    }

    /// Starts the driver.
    pub fn start(self, db: Db, signals: &Signals, tasks: &Tasks, owner: String) {
        let driver = Driver { db, owner, registry: Arc::new(self), tasks: tasks.clone() };
        let wake = signals.subscribe();
        tasks.spawn("jobs", async move { driver.run(wake).await });
    }
}

/// Status of every kind of background work, for operators.
pub async fn status(db: &Db) -> Result<Vec<TaskStatus>> {
    let mut tx = db.system("task status").await?;
    store::status(&mut tx).await
}

struct Driver {
    db: Db,
    owner: String,
    registry: Arc<Registry>,
    tasks: Tasks,
}

struct Claimed {
    id: JobId,
    kind: String,
    payload: serde_json::Value,
    period_seconds: Option<i32>,
    attempt: i32,
    max_attempts: i32,
}

impl Driver {
    async fn run(self, mut wake: tokio::sync::broadcast::Receiver<crate::platform::events::Signal>) {
        let stop = self.tasks.stopping();
        let this = Arc::new(self);
        let slots = Arc::new(tokio::sync::Semaphore::new(CONCURRENCY));
        let mut registered = false;
        while !stop.is_cancelled() {
            let mut busy = false;
            if !registered {
                registered = this.register().await.inspect_err(|e| tracing::warn!(error = ?e, "jobs")).is_ok();
            }
            let (free, looked) = (slots.available_permits(), Instant::now());
            if registered && free > 0 {
                match this.claim(free).await {
                    Ok(claimed) => {
                        busy = claimed.len() == free;
                        for job in claimed {
                            let Ok(slot) = slots.clone().acquire_owned().await else { return };
                            let this2 = this.clone();
                            this.tasks.spawn("job", async move {
                                this2.execute(job).await;
                                drop(slot);
                            });
                        }
                    }
                    Err(error) => tracing::warn!(?error, "jobs cannot be claimed"),
                }
            }
            if busy {
                // More may wait: look again as soon as a slot is free.
                tokio::select! { _ = slots.acquire() => {}, () = stop.cancelled() => {} }
            } else {
                tokio::select! {
                    _ = Signals::wait(&mut wake, POLL, looked, |topic, _| topic == Topic::Jobs) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }

    async fn register(&self) -> Result<()> {
        let mut tx = self.db.system("register periodic tasks").await?;
        for (kind, period) in &self.registry.periodic {
            let seconds = i32::try_from(period.as_secs()).unwrap_or(i32::MAX).max(1);
            store::register_periodic(&mut tx, JobId::new(), kind, seconds).await?;
        }
        tx.commit().await
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Claimed>> {
        let names = |kind: &&'static str| (*kind).to_owned();
        let kinds: Vec<String> = self.registry.handlers.keys().map(names).collect();
        let stepwise: Vec<String> = self.registry.stepwise.iter().map(names).collect();
        let mut tx = self.db.system("claim jobs").await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let claimed = store::claim(&mut tx, &kinds, &stepwise, &self.owner, LEASE_SECONDS, limit).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    async fn execute(&self, job: Claimed) {
        let Some(handler) = self.registry.handlers.get(job.kind.as_str()).cloned() else { return };
        let started = std::time::Instant::now();
        let stop = self.tasks.stopping();
        let work = handler(job.payload.clone());
        tokio::pin!(work);
        let mut renew = tokio::time::interval(Duration::from_secs(LEASE_SECONDS.unsigned_abs().into()) / 3);
        renew.tick().await;
        let outcome = loop {
            tokio::select! {
                outcome = &mut work => break outcome,
                _ = renew.tick() => match self.renew(&job).await {
                    Ok(true) => {}
                    Ok(false) => return tracing::warn!(kind = job.kind, "the lease of a job is lost"),
                    Err(error) => tracing::warn!(?error, kind = job.kind, "the lease of a job was not renewed"),
                },
                () = stop.cancelled() => break Err(Error::unavailable("job.stopped", "the server stops")),
            }
        };
        let seconds = started.elapsed();
        let ok = outcome.is_ok();
        metrics::histogram!("image_factory_job_seconds", "kind" => job.kind.clone(), "ok" => ok.to_string())
            .record(seconds.as_secs_f64());
        if let Err(error) = &outcome {
            tracing::warn!(?error, kind = job.kind, attempt = job.attempt, "a job failed");
        }
        let ms = i64::try_from(seconds.as_millis()).unwrap_or(i64::MAX);
        if let Err(error) = self.report(&job, outcome, ms).await {
            tracing::warn!(?error, kind = job.kind, "the end of a job was not recorded; it will run again");
        }
    }

    async fn renew(&self, job: &Claimed) -> Result<bool> {
        let mut tx = self.db.system("renew job lease").await?;
        let held = store::renew(&mut tx, job.id, job.attempt, LEASE_SECONDS).await?;
        tx.commit().await?;
        Ok(held)
    }

    async fn report(&self, job: &Claimed, outcome: Result<Step>, duration_ms: i64) -> Result<()> {
        let stepwise = self.registry.stepwise.contains(job.kind.as_str());
        let again = match (&outcome, job.period_seconds) {
            (_, Some(period)) => Some(f64::from(period)),
            (Ok(Step::More(after)), None) => Some(after.as_secs_f64()),
            (Ok(Step::Done), None) => None,
            // The attempts of stepwise work are its steps.
            (Err(_), None) if stepwise => Some(backoff_seconds(STEP_BACKOFF)),
            (Err(_), None) => (job.attempt < job.max_attempts).then(|| backoff_seconds(job.attempt)),
        };
        let error = outcome.err().map(|e| e.chain());
        let mut tx = self.db.system("finish job").await?;
        match again {
            Some(delay) => {
                store::reschedule(&mut tx, job.id, job.attempt, delay, error.as_deref(), duration_ms).await?;
            }
            None => store::finish(&mut tx, job.id, job.attempt, error.as_deref(), duration_ms).await?,
        }
        tx.commit().await
    }
}

/// 1 s doubling to 10 minutes, half of it at random.
fn backoff_seconds(attempt: i32) -> f64 {
    let full = 2f64.powi(attempt.clamp(1, 30) - 1).min(600.0);
    full / 2.0 + rand::rng().random_range(0.0..=full / 2.0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn backoff_grows_and_stays_bounded() {
        for attempt in 1..100 {
            let s = super::backoff_seconds(attempt);
            assert!((0.5..=600.0).contains(&s), "{attempt}: {s}");
        }
    }
}
