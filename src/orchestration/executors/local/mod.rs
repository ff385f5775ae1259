//! The local executor: every command is a process of this machine, in namespaces of its own.

mod config;

pub use config::Config;

use super::{Executor, Inputs, RunEvents, RunName, RunSpec};
use crate::kernel::{Clock, Error, Result};
use crate::platform::tasks::Tasks;
use async_trait::async_trait;
use std::collections::HashSet;
use std::sync::Arc;

/// Runs plans as processes of this machine. Clones share the same runs.
#[derive(Clone)]
pub struct Local {
    _inner: (),
}

/// What separates a run from the machine, found by trying.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Isolation {
    /// What holds, a sentence each.
    pub provided: Vec<String>,
    /// What does not, a sentence each, with the reason where it can be helped.
    pub missing: Vec<String>,
}

impl Local {
    /// Takes the folder, and finds out what the machine allows. Errors: `Unavailable` when another server uses the
    /// folder, or when the machine lets us make no namespaces.
    pub async fn new(config: Config, inputs: Arc<dyn Inputs>, clock: Clock, tasks: Tasks) -> Result<Self> {
        let _ = (config, inputs, clock, tasks);
        Err(Error::internal("not built yet"))
    }

    /// What separates a run from this machine.
    pub fn isolation(&self) -> &Isolation {
        todo_isolation()
    }
}

fn todo_isolation() -> &'static Isolation {
    static NONE: Isolation = Isolation { provided: Vec::new(), missing: Vec::new() };
    &NONE
}

#[async_trait]
impl Executor for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    async fn ensure_started(&self, _spec: RunSpec) -> Result<RunEvents> {
        Err(Error::internal("not built yet"))
    }

    async fn cancel(&self, _run: &RunName) -> Result<()> {
        Err(Error::internal("not built yet"))
    }

    async fn sweep(&self, _keep: &HashSet<RunName>) -> Result<()> {
        Err(Error::internal("not built yet"))
    }
}
