//! Background tasks of the process: named, told to stop together, waited for at shutdown. The only place that spawns.

use std::future::Future;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A handle to spawn with and to stop all by. Clones share the same tasks.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Runs a task until it ends by itself; it should watch [`Self::stopping`].
    #[expect(clippy::disallowed_methods, reason = "this is where tasks are spawned")]
    pub fn spawn<T: Send + 'static>(
        &self,
        name: &'static str,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        use tracing::Instrument;
        tokio::spawn(self.tracker.track_future(task.instrument(tracing::info_span!("task", name))))
    }

    /// Runs a task that is simply dropped when the process stops.
    pub fn spawn_until_stopped(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.spawn(name, async move {
            stop.run_until_cancelled(task).await;
        });
    }

    /// Resolves when the process has been told to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells every task to stop and waits for them, at most `patience`. False when some did not end in time.
    pub async fn shutdown(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}

/// Runs blocking or CPU-heavy work off the reactor.
#[expect(clippy::disallowed_methods, reason = "this is where tasks are spawned")]
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> crate::kernel::Result<T> + Send + 'static,
) -> crate::kernel::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| crate::kernel::Error::internal("a blocking task panicked").with_source(e))?
}
