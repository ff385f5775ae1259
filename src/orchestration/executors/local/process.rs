//! One command while it runs: its output, its signals, its end.

use super::lines::{LineSplitter, Mask};
use crate::kernel::{Clock, Error, Result};
use crate::orchestration::executors::RunEvent;
use crate::orchestration::methods::Stream;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin};
use tokio::time::{Instant, sleep_until, timeout};

/// Lines that are held of a process that was told to end; it may print for ever, and then has to wait.
const MAX_TAIL: usize = 1024;
/// How long the outputs of a dead process may stay open: a process in the kernel's hands dies a little later.
const DYING: Duration = Duration::from_secs(30);
const CHUNK: usize = 16 * 1024;

/// A sandboxed process.
pub(super) struct Process {
    /// `unshare`, which leads the process group and waits for the first process of the namespace.
    pub child: Child,
    pub outputs: Outputs,
    stdin: Option<ChildStdin>,
}

impl Process {
    /// Takes over a process that was started with pipes. `index` is its command's place in the plan.
    pub fn new(mut child: Child, index: usize, mask: &Mask, clock: &Clock) -> Result<Self> {
        let no_pipe = || Error::internal("a process was started without a pipe");
        let stdout = Box::new(child.stdout.take().ok_or_else(no_pipe)?);
        let stderr = Box::new(child.stderr.take().ok_or_else(no_pipe)?);
        Ok(Self {
            stdin: child.stdin.take(),
            outputs: Outputs {
                stdout: Output::new(stdout, Stream::Stdout, mask),
                stderr: Output::new(stderr, Stream::Stderr, mask),
                index,
                clock: clock.clone(),
                last_words: String::new(),
            },
            child,
        })
    }

    /// Waits until the sandbox stands, and lets the command start. An error tells why it does not stand.
    pub async fn release(&mut self) -> Result<()> {
        let mut said = Vec::new();
        while said != b"ready\n" {
            let mut part = [0; 64];
            let n = self.outputs.stdout.pipe.read(&mut part).await?;
            said.extend_from_slice(&part[..n]);
            if n == 0 || said.len() > 64 {
                let mut why = Vec::new();
                (&mut self.outputs.stderr.pipe).take(4096).read_to_end(&mut why).await?;
                let why = String::from_utf8_lossy(&why).trim().to_owned();
                return Err(Error::internal(format!("the sandbox could not be made: {why}")));
            }
        }
        if let Some(mut stdin) = self.stdin.take() {
            stdin.write_all(b"go\n").await?;
        }
        Ok(())
    }

    /// Ends the process: first asked, after the grace period killed. When this returns it is gone with all its children,
    /// and what it still printed is in `queue`.
    pub async fn stop(&mut self, grace: Duration, queue: &mut VecDeque<RunEvent>) -> std::io::Result<ExitStatus> {
        if let Some(group) = self.group() {
            // It may have ended by itself just now.
            let _ = killpg(group, Signal::SIGTERM);
        }
        let mut deadline = Instant::now() + grace;
        let status = loop {
            let Self { child, outputs, .. } = self;
            tokio::select! {
                biased;
                status = child.wait() => break status?,
                () = sleep_until(deadline) => {
                    self.kill();
                    deadline = Instant::now() + Duration::from_secs(1);
                }
                _ = outputs.more(queue), if outputs.open() && queue.len() < MAX_TAIL => {}
            }
        };
        let rest = async { while self.outputs.more(queue).await {} };
        if timeout(DYING, rest).await.is_err() {
            tracing::error!("processes of a run do not die");
        }
        Ok(status)
    }

    /// The process group; none when its leader has been waited for, since the id may be somebody else's by then.
    fn group(&self) -> Option<Pid> {
        one_process(&self.child.id()?.to_string())
    }

    /// Kills the first process of the namespace, and the kernel all others; `unshare` sees the end and ends.
    fn kill(&self) {
        let Some(group) = self.group() else { return };
        let children = std::fs::read_to_string(format!("/proc/{group}/task/{group}/children")).unwrap_or_default();
        let mut killed = false;
        for first in children.split_whitespace().filter_map(one_process) {
            killed |= kill(first, Signal::SIGKILL).is_ok();
        }
        if !killed {
            // A kernel that does not list children, or nothing was started yet.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Both outputs of a process.
pub(super) struct Outputs {
    stdout: Output,
    stderr: Output,
    index: usize,
    clock: Clock,
    /// The last line of standard error that says something.
    pub last_words: String,
}

impl Outputs {
    /// Whether more may come.
    pub fn open(&self) -> bool {
        self.stdout.open || self.stderr.open
    }

    /// Waits for bytes and adds the lines that they complete, none perhaps. False at the end of both. May be dropped
    /// while it waits.
    pub async fn more(&mut self, queue: &mut VecDeque<RunEvent>) -> bool {
        let (output, bytes) = tokio::select! {
            n = self.stdout.pipe.read(&mut self.stdout.chunk), if self.stdout.open => (&mut self.stdout, n),
            n = self.stderr.pipe.read(&mut self.stderr.chunk), if self.stderr.open => (&mut self.stderr, n),
            else => return false,
        };
        let (command, stream, at) = (self.index, output.stream, self.clock.now());
        let last_words = &mut self.last_words;
        let line = |text: String| {
            if stream == Stream::Stderr && !text.trim().is_empty() {
                last_words.clone_from(&text);
            }
            queue.push_back(RunEvent::Line { command, stream, text, at });
        };
        match bytes.unwrap_or(0) {
            0 => {
                output.open = false;
                output.splitter.finish(line);
            }
            n => output.splitter.push(&output.chunk[..n], line),
        }
        true
    }
}

struct Output {
    pipe: Box<dyn AsyncRead + Send + Unpin>,
    chunk: Vec<u8>,
    splitter: LineSplitter,
    stream: Stream,
    open: bool,
}

impl Output {
    fn new(pipe: Box<dyn AsyncRead + Send + Unpin>, stream: Stream, mask: &Mask) -> Self {
        Self { pipe, chunk: vec![0; CHUNK], splitter: LineSplitter::new(mask.clone()), stream, open: true }
    }
}

/// The id of one process, never 0, 1 or negative: to kill(2) those mean our own group, the machine's first process, and
/// everybody.
pub(super) fn one_process(id: &str) -> Option<Pid> {
    id.parse().ok().filter(|id| *id > 1).map(Pid::from_raw)
}

/// As a shell counts: the code, or 128 and the number of the signal.
pub(super) fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}
