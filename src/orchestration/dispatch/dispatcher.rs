//! The loop of a worker: takes over what an earlier life of it left, claims builds while it has room, supervises them.

use super::service::Dispatch;
use super::supervisor::Supervisor;
use super::worker::Worker;
use crate::kernel::ids::WorkerId;
use crate::kernel::{Clock, Result};
use crate::orchestration::executors::Executor;
use crate::platform::events::{Signals, Topic};
use crate::platform::tasks::Tasks;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// A sign of life of the worker.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(20);

/// The dispatcher of this process.
pub struct Dispatcher {
    dispatch: Dispatch,
    executor: Arc<dyn Executor>,
    worker: Worker,
    signals: Signals,
    clock: Clock,
    tasks: Tasks,
    max_log_bytes: u64,
}

impl Dispatcher {
    /// The worker with this id, see [`super::identity`].
    pub fn new(
        dispatch: Dispatch,
        executor: Arc<dyn Executor>,
        id: WorkerId,
        signals: Signals,
        clock: Clock,
        tasks: Tasks,
        max_log_bytes: u64,
    ) -> Self {
        let config = &dispatch.config;
        let slots = match config.concurrent_builds {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get),
            n => n,
        };
        let name = match config.worker_name.as_str() {
            "" => host_name(),
            name => name.to_owned(),
        };
        let slots = i32::try_from(slots).unwrap_or(i32::MAX);
        let worker = Worker::discover(id, name, executor.name(), slots);
        Self { dispatch, executor, worker, signals, clock, tasks, max_log_bytes }
    }

    /// Starts it; it ends when the process is told to stop, after its runs are given back.
    pub fn start(self) {
        let tasks = self.tasks.clone();
        tasks.spawn("dispatcher", async move {
            let stop = self.tasks.stopping();
            // The database may not answer yet: nothing is claimed before the past is cleared.
            while let Err(error) = self.take_over().await {
                tracing::warn!(?error, "the worker cannot start yet");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                    () = stop.cancelled() => return,
                }
            }
            self.run().await;
        });
    }

    /// The executor's folder is ours alone, so whatever ran here before is dead: clean up and queue its builds again.
    async fn take_over(&self) -> Result<()> {
        self.executor.sweep(&HashSet::new()).await?;
        self.dispatch.builds.rescue(Some(self.worker.id)).await?;
        self.dispatch.announce(&self.worker, false).await?;
        tracing::info!(worker = %self.worker.id, name = self.worker.name, methods = ?self.worker.methods, "the worker is ready");
        Ok(())
    }

    async fn run(self) {
        let stop = self.tasks.stopping();
        let mut wake = self.signals.subscribe();
        let slots = Arc::new(Semaphore::new(usize::try_from(self.worker.concurrent_builds).unwrap_or(1)));
        let poll = Duration::from_millis(self.dispatch.config.poll_ms.max(10));
        let supervisor = Supervisor {
            builds: self.dispatch.builds.clone(),
            executor: self.executor.clone(),
            signals: self.signals.clone(),
            clock: self.clock.clone(),
            config: self.dispatch.config.clone(),
            max_log_bytes: self.max_log_bytes,
            stop: stop.clone(),
        };
        let mut announce = tokio::time::interval(ANNOUNCE_EVERY);
        while !stop.is_cancelled() {
            let free = slots.available_permits();
            let looked = Instant::now();
            let claimed = if free == 0 { Vec::new() } else { self.claim(free).await };
            let left = u32::try_from(free.saturating_sub(claimed.len())).unwrap_or(u32::MAX);
            metrics::gauge!("image_factory_worker_slots_free").set(f64::from(left));
            let more = !claimed.is_empty();
            for run in claimed {
                let Ok(slot) = slots.clone().acquire_owned().await else { return };
                let supervisor = supervisor.clone();
                self.tasks.spawn("run", async move {
                    Box::pin(supervisor.run(run)).await;
                    drop(slot);
                });
            }
            if more {
                continue;
            }
            tokio::select! {
                // A free slot is worth a look at the queue; without one there is nothing to look for.
                () = room(&slots), if free == 0 => {}
                _ = Signals::wait(&mut wake, poll, looked, |topic, _| topic == Topic::Queue), if free > 0 => {}
                _ = announce.tick() => {
                    if let Err(error) = self.dispatch.announce(&self.worker, false).await {
                        tracing::warn!(?error, "the worker's sign of life was not recorded");
                    }
                }
                () = stop.cancelled() => {}
            }
        }
        // Runs see the same signal and give their builds back.
        if let Err(error) = self.dispatch.announce(&self.worker, true).await {
            tracing::debug!(?error, "the worker left without saying so");
        }
    }

    async fn claim(&self, free: usize) -> Vec<crate::orchestration::builds::RunRef> {
        match self.dispatch.claim(&self.worker, free).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(?error, "builds cannot be claimed");
                Vec::new()
            }
        }
    }
}

/// The machine's name, as Linux tells it.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "worker".into() } else { name.trim().to_owned() }
}

async fn room(slots: &Semaphore) {
    drop(slots.acquire().await);
}
