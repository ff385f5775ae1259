//! Where a plan runs: the port, which knows runs and not builds.

pub mod local;

use crate::kernel::{Error, Result};
use crate::orchestration::methods::{Plan, Stage, Stream};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

/// Runs plans.
///
/// The protocol: whoever holds the lease of an execution calls [`Self::ensure_started`] with a name made from the build
/// and the attempt, reads the events to the end, and calls [`Self::cancel`] when the run must not go on. Both may be
/// repeated at any time, by anyone, with the same effect. After a crash, [`Self::sweep`] is called once before the first
/// start.
#[async_trait]
pub trait Executor: Send + Sync {
    /// For logs and for `build_executions.executor`: `local`, `tekton`.
    fn name(&self) -> &'static str;

    /// Starts the run, or attaches to it when a run of this name exists already. A run is forgotten when its
    /// [`RunEvent::Finished`] has been read, or when it was cancelled.
    ///
    /// Events come through a bounded channel: a slow reader slows the process down, and no line is ever lost. Readers of
    /// the same run share its events, each is delivered once. Nothing is read from a run without a reader: it waits,
    /// until it is attached to, cancelled or out of time.
    ///
    /// An error means that nothing was started and that it may be tried again. All that happens later, a missing input
    /// object as well, is told by [`RunEvent::Finished`].
    async fn ensure_started(&self, spec: RunSpec) -> Result<RunEvents>;

    /// Stops the run: terminates its processes, kills them after a grace period, and removes what they left. When this
    /// returns, nothing is left: no process, mount, folder or cgroup. Readers get the lines that were still on the way
    /// and [`RunResult::Cancelled`], unless it had ended before. A run that is not known is no error.
    async fn cancel(&self, run: &RunName) -> Result<()>;

    /// Removes what is left of all runs but those in `keep`: after a crash, before the first start.
    async fn sweep(&self, keep: &HashSet<RunName>) -> Result<()>;
}

/// The name of a run: `[a-z0-9-]`, 1 to 63 characters, first and last not a hyphen (a DNS label, RFC 1123), since it
/// names folders, cgroups and objects of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunName(String);

impl RunName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let ok = (1..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if ok { Ok(Self(text.into())) } else { Err(Error::invalid("run.name_invalid", "a run's name is a DNS label")) }
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What to run, under which name, within which limits.
#[derive(Debug, Clone)]
pub struct RunSpec {
    /// The same for the same attempt, whoever asks.
    pub name: RunName,
    /// What to do.
    pub plan: Plan,
    /// How far it may go.
    pub limits: Limits,
}

/// The limits of a run. What is `None` is the executor's default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time, from the start.
    pub timeout: Duration,
    /// Memory of all processes together, the page cache that they filled included.
    pub memory_bytes: Option<u64>,
    /// Processes and threads at the same time.
    pub max_processes: Option<u32>,
    /// Disk space of the run's folder.
    pub disk_bytes: Option<u64>,
}

/// What happens in a run, in order.
#[derive(Debug, Clone)]
pub enum RunEvent {
    /// A command has started.
    CommandStarted {
        /// Its place in the plan, from 0.
        index: usize,
        /// Its name in the plan.
        name: &'static str,
        /// When.
        at: DateTime<Utc>,
    },
    /// A line of output, without its end. At most [`RunEvent::MAX_LINE_BYTES`]: longer ones come in parts. Bytes that are
    /// not UTF-8, and NUL, are replaced by U+FFFD; of text overwritten by carriage returns only the last state comes.
    Line {
        /// The command's place in the plan.
        command: usize,
        /// Where it was printed.
        stream: Stream,
        /// The text.
        text: String,
        /// When it was read.
        at: DateTime<Utc>,
    },
    /// A command has ended, after its last line.
    CommandFinished {
        /// Its place in the plan.
        index: usize,
        /// Its exit code; 128 and the signal's number when a signal ended it.
        exit_code: i32,
        /// How long it took.
        duration: Duration,
    },
    /// The last event.
    Finished(RunOutcome),
}

impl RunEvent {
    /// The longest line, in bytes of UTF-8.
    pub const MAX_LINE_BYTES: usize = 16 * 1024;
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutcome {
    /// Success, or what stood in its way.
    pub result: RunResult,
    /// The plan's output files by name, as far as they exist.
    pub outputs: BTreeMap<String, Vec<u8>>,
    /// What it used.
    pub usage: Usage,
}

/// Success, or what stood in its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunResult {
    /// Every command exited with 0.
    Succeeded,
    /// A command failed, or an input was not to be had; later commands did not run.
    Failed {
        /// The command's place in the plan; none when it failed before the first.
        command: Option<usize>,
        /// The command's stage.
        stage: Stage,
        /// Its exit code.
        exit_code: Option<i32>,
        /// For people: the last thing it said.
        reason: String,
    },
    /// By [`Executor::cancel`].
    Cancelled,
    /// Longer than [`Limits::timeout`].
    TimedOut,
    /// Over one of the other limits.
    LimitExceeded {
        /// Which one.
        what: Limit,
    },
    /// The executor could not bring the run to an end: it is shutting down, or the machine did not let it. Says nothing
    /// about the plan: another attempt may succeed.
    Interrupted {
        /// For the log.
        reason: String,
    },
}

/// A limit other than time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::memory_bytes`].
    Memory,
    /// [`Limits::max_processes`].
    Processes,
    /// [`Limits::disk_bytes`].
    Disk,
}

impl Limit {
    /// `memory`, `processes` or `disk`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Processes => "processes",
            Self::Disk => "disk",
        }
    }
}

/// What a run used. None: not measured on this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The highest memory of all processes together, page cache included.
    pub peak_memory_bytes: Option<u64>,
    /// Processor time, user and system.
    pub cpu_ms: Option<u64>,
    /// Read from disks.
    pub disk_read_bytes: Option<u64>,
    /// Written to disks.
    pub disk_write_bytes: Option<u64>,
}

/// Reads the events of a run. Dropping it leaves the run alone.
#[derive(Debug, Clone)]
pub struct RunEvents {
    receiver: Arc<Mutex<mpsc::Receiver<RunEvent>>>,
    /// Set when the last event has been read.
    read: CancellationToken,
}

impl RunEvents {
    /// Events as an executor sends them.
    pub fn new(receiver: mpsc::Receiver<RunEvent>) -> Self {
        Self { receiver: Arc::new(Mutex::new(receiver)), read: CancellationToken::new() }
    }

    /// The next event; none after [`RunEvent::Finished`]. Safe to drop while waiting: no event is lost.
    pub async fn next(&mut self) -> Option<RunEvent> {
        let event = self.receiver.lock().await.recv().await;
        self.take_note(event.as_ref());
        event
    }

    /// Waits for at least one event and takes all that are there, at most `limit`. Zero after the last one.
    pub async fn next_many(&mut self, events: &mut Vec<RunEvent>, limit: usize) -> usize {
        let count = self.receiver.lock().await.recv_many(events, limit).await;
        self.take_note(events.last());
        count
    }

    fn take_note(&self, event: Option<&RunEvent>) {
        if matches!(event, None | Some(RunEvent::Finished(_))) {
            self.read.cancel();
        }
    }
}

/// Opens objects of the object store for an executor.
#[async_trait]
pub trait Inputs: Send + Sync {
    /// The object's bytes from the start. `NotFound` when there is none.
    async fn open(&self, object: &str) -> Result<Box<dyn AsyncRead + Send + Unpin>>;
}
