//! The local executor: every command is a process of this machine, in namespaces of its own.

mod cgroup;
mod config;
mod folder;
mod lines;
mod process;
mod run;
mod sandbox;
mod spawner;
mod sweep;
mod tail;

pub use config::Config;

use super::{Executor, Inputs, RunEvents, RunName, RunSpec};
use crate::kernel::{Clock, Digest, Error, Result};
use crate::platform::tasks::{Tasks, blocking};
use async_trait::async_trait;
use run::Run;
use sandbox::Sandbox;
use spawner::Spawner;
use std::collections::{HashMap, HashSet};
use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Events that a slow reader may be behind; a process that prints more has to wait.
const EVENTS: usize = 256;

/// Runs plans as processes of this machine. Clones share the same runs.
#[derive(Clone)]
pub struct Local {
    inner: Arc<Inner>,
}

/// What separates a run from the machine, found by trying.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Isolation {
    /// What holds, a sentence each.
    pub provided: Vec<String>,
    /// What does not, a sentence each, with the reason where it can be helped.
    pub missing: Vec<String>,
}

struct Inner {
    config: Config,
    /// Absolute, without links.
    folder: PathBuf,
    sandbox: Sandbox,
    isolation: Isolation,
    inputs: Arc<dyn Inputs>,
    clock: Clock,
    tasks: Tasks,
    spawner: Spawner,
    runs: Mutex<HashMap<RunName, Handle>>,
    /// Held as long as we live: the folder is ours alone.
    _lock: File,
}

/// How others reach a run.
struct Handle {
    events: RunEvents,
    cancel: CancellationToken,
    gone: CancellationToken,
}

impl Local {
    /// Takes the folder, and finds out what the machine allows. Errors: `Unavailable` when another server uses the
    /// folder, or when no process can be separated from this machine.
    pub async fn new(config: Config, inputs: Arc<dyn Inputs>, clock: Clock, tasks: Tasks) -> Result<Self> {
        let wanted = config.folder.clone();
        let (folder, lock) = blocking(move || take_folder(&wanted)).await?;
        let key = format!("image-factory-{}", &Digest::of(folder.as_os_str().as_encoded_bytes()).hex()[..12]);
        let (sandbox, isolation) = Sandbox::probe(&folder, &key).await?;
        for missing in &isolation.missing {
            tracing::warn!("build isolation: {missing}");
        }
        let spawner = Spawner::start()?;
        let runs = Mutex::default();
        let inner = Inner { config, folder, sandbox, isolation, inputs, clock, tasks, spawner, runs, _lock: lock };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What separates a run from this machine.
    pub fn isolation(&self) -> &Isolation {
        &self.inner.isolation
    }
}

/// Makes the folder and locks it. The lock goes with the process, however it ends.
fn take_folder(wanted: &std::path::Path) -> Result<(PathBuf, File)> {
    let fault = |e: &std::io::Error| Error::unavailable("executor.folder", format!("{}: {e}", wanted.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(wanted).map_err(|e| fault(&e))?;
    let folder = wanted.canonicalize().map_err(|e| fault(&e))?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-".contains(&b);
    if !folder.as_os_str().as_encoded_bytes().iter().all(|b| plain(*b)) || folder.as_os_str().len() > 200 {
        return Err(Error::unavailable(
            "executor.folder",
            format!("{}: mounts need a path of letters, digits and ./_-, at most 200 characters", folder.display()),
        ));
    }
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join(".lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok((folder, lock)),
        Err(TryLockError::WouldBlock) => Err(Error::unavailable(
            "executor.folder",
            format!("{} is used by another server; give every server a folder of its own", folder.display()),
        )),
        Err(TryLockError::Error(e)) => Err(e.into()),
    }
}

impl Inner {
    fn runs(&self) -> MutexGuard<'_, HashMap<RunName, Handle>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a run, unless a new one of its name has begun.
    fn forget(&self, run: &RunName, read: &CancellationToken) {
        self.runs().retain(|name, handle| name != run || handle.events.read != *read);
    }
}

#[async_trait]
impl Executor for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    async fn ensure_started(&self, spec: RunSpec) -> Result<RunEvents> {
        let mut runs = self.inner.runs();
        if let Some(known) = runs.get(&spec.name).filter(|known| !known.events.read.is_cancelled()) {
            return Ok(known.events.clone());
        }
        if self.inner.tasks.stopping().is_cancelled() {
            return Err(Error::unavailable("executor.stopping", "the server is shutting down"));
        }
        let (sender, receiver) = mpsc::channel(EVENTS);
        let events = RunEvents::new(receiver);
        let handle =
            Handle { events: events.clone(), cancel: CancellationToken::new(), gone: CancellationToken::new() };
        let run = Run {
            executor: self.inner.clone(),
            events: sender,
            read: events.read.clone(),
            cancel: handle.cancel.clone(),
            gone: handle.gone.clone(),
            spec,
        };
        runs.insert(run.spec.name.clone(), handle);
        self.inner.tasks.spawn("run", run.drive());
        Ok(events)
    }

    async fn cancel(&self, run: &RunName) -> Result<()> {
        let known = self.inner.runs().get(run).map(|h| (h.cancel.clone(), h.gone.clone()));
        match known {
            Some((cancel, gone)) => {
                cancel.cancel();
                gone.cancelled().await;
                Ok(())
            }
            None => self.inner.wipe(run).await,
        }
    }

    async fn sweep(&self, keep: &HashSet<RunName>) -> Result<()> {
        for run in self.inner.leftovers().await? {
            let ours = keep.contains(&run) || self.inner.runs().contains_key(&run);
            if !ours {
                tracing::info!(%run, "removing what a run left behind");
                self.inner.wipe(&run).await?;
            }
        }
        Ok(())
    }
}
