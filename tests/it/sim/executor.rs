//! An executor whose runs do nothing for a few milliseconds. Strict: it remembers every run, refuses to run one name twice
//! at the same time, and keeps the protocol of the port.

use async_trait::async_trait;
use image_factory::kernel::Result;
use image_factory::orchestration::executors::{
    Executor, RunEvent, RunEvents, RunName, RunOutcome, RunResult, RunSpec, Usage,
};
use rand::RngExt;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Runs that end by themselves.
#[derive(Default)]
pub struct NoOp {
    running: Mutex<HashMap<RunName, CancellationToken>>,
    started: Mutex<HashSet<RunName>>,
    silent_at_first: bool,
}

impl NoOp {
    /// Loses sight of every first attempt, which runs on until it is cancelled.
    pub fn falling_silent_at_first() -> Self {
        Self { silent_at_first: true, ..Self::default() }
    }

    /// How many runs were started.
    pub fn started(&self) -> usize {
        self.started.lock().unwrap().len()
    }
}

#[async_trait]
impl Executor for NoOp {
    fn name(&self) -> &'static str {
        "no-op"
    }

    async fn ensure_started(&self, spec: RunSpec) -> Result<RunEvents> {
        let cancel = CancellationToken::new();
        let (build, attempt) = spec.name.as_str().rsplit_once('-').unwrap();
        let another = self.running.lock().unwrap().keys().find(|name| name.as_str().starts_with(build)).cloned();
        assert!(another.is_none(), "{} is to start while {another:?} runs", spec.name);
        assert!(self.running.lock().unwrap().insert(spec.name.clone(), cancel.clone()).is_none(), "{} runs", spec.name);
        assert!(self.started.lock().unwrap().insert(spec.name.clone()), "{} was started twice", spec.name);
        let (sender, receiver) = tokio::sync::mpsc::channel(8);
        let pause = Duration::from_millis(rand::rng().random_range(1..30));
        if self.silent_at_first && attempt == "1" {
            return Ok(RunEvents::new(receiver));
        }
        tokio::spawn(async move {
            let cancelled = cancel.run_until_cancelled(tokio::time::sleep(pause)).await.is_none();
            let result = if cancelled { RunResult::Cancelled } else { RunResult::Succeeded };
            let _ = sender
                .send(RunEvent::Finished(RunOutcome { result, outputs: BTreeMap::new(), usage: Usage::default() }))
                .await;
        });
        Ok(RunEvents::new(receiver))
    }

    async fn cancel(&self, run: &RunName) -> Result<()> {
        if let Some(cancel) = self.running.lock().unwrap().remove(run) {
            cancel.cancel();
        }
        Ok(())
    }

    async fn sweep(&self, _: &HashSet<RunName>) -> Result<()> {
        Ok(())
    }
}
