//! One command while it runs: its output, its signals, its end.

use super::lines::{LineSplitter, Mask};
use super::tail::{Changes, Tail};
use crate::kernel::{Clock, Error, Result};
use crate::orchestration::executors::RunEvent;
use crate::orchestration::methods::Stream;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin};
use tokio::time::{Instant, sleep_until};

/// Lines that are held of a process that was told to end; it may print for ever, and then has to wait.
const MAX_TAIL: usize = 1024;
/// What is kept of each output that a process which was told to end has left unread.
const LAST_WORDS: u64 = 128 * 1024;
/// A process that is so many bytes ahead of its reader is held back ...
const AHEAD: u64 = 64 * 1024 * 1024;
/// ... until it is so little ahead.
const CAUGHT_UP: u64 = AHEAD / 4;
const CHUNK: usize = 16 * 1024;

/// A sandboxed process.
pub(super) struct Process {
    /// `unshare`, which leads the process group and waits for the first process of the namespace.
    pub child: Child,
    pub outputs: Outputs,
    /// Whether it is stopped until its reader catches up.
    pub held: bool,
    stdin: Option<ChildStdin>,
}

impl Process {
    /// Takes over a process that was started with these outputs and a pipe to its input.
    pub fn new(mut child: Child, outputs: Outputs) -> Self {
        Self { stdin: child.stdin.take(), outputs, held: false, child }
    }

    /// Waits until the sandbox stands, and lets the command start. An error tells why it does not stand.
    pub async fn release(&mut self) -> Result<()> {
        let mut said = Vec::new();
        while said != b"ready\n" {
            let ended = self.child.try_wait()?.is_some();
            let mut part = [0; 64];
            let n = self.outputs.stdout.tail.read(&mut part).await?;
            said.extend_from_slice(&part[..n]);
            if (n == 0 && ended) || said.len() > 64 {
                let mut why = [0; 4096];
                let n = self.outputs.stderr.tail.read(&mut why).await?;
                let why = String::from_utf8_lossy(&why[..n]).trim().to_owned();
                return Err(Error::internal(format!("the sandbox could not be made: {why}")));
            }
            if n == 0 {
                tokio::select! {
                    () = self.outputs.changes.next() => {}
                    _ = self.child.wait() => {}
                }
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
        if let Some(group) = group(&self.child) {
            // It may have ended by itself just now.
            let _ = killpg(group, Signal::SIGTERM);
            let _ = killpg(group, Signal::SIGCONT);
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
        self.outputs.ended();
        self.outputs.skip(queue).await?;
        while self.outputs.more(queue).await {}
        Ok(status)
    }

    /// Kills the first process of the namespace, and the kernel all others; `unshare` sees the end and ends.
    fn kill(&self) {
        let Some(group) = group(&self.child) else { return };
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

/// Holds the process back while its reader is far behind: a program that is stopped prints nothing, and needs no disk.
pub(super) async fn keep_in_step(child: &Child, outputs: &Outputs, held: &mut bool) -> std::io::Result<()> {
    let behind = outputs.behind().await?;
    let too_far = if *held { behind > CAUGHT_UP } else { behind > AHEAD };
    if too_far != *held
        && let Some(group) = group(child)
    {
        let _ = killpg(group, if too_far { Signal::SIGSTOP } else { Signal::SIGCONT });
        *held = too_far;
    }
    Ok(())
}

/// Both outputs of a process.
pub(super) struct Outputs {
    stdout: Output,
    stderr: Output,
    changes: Changes,
    /// Nobody is left who could print.
    ended: bool,
    /// All that was printed has been read.
    done: bool,
    index: usize,
    clock: Clock,
    /// The last line of standard error that says something.
    pub last_words: String,
}

impl Outputs {
    /// Files in a folder, with the ends that the process gets. `index` is its command's place in the plan.
    pub fn create(folder: &Path, index: usize, mask: &Mask, clock: &Clock) -> Result<(Self, [Stdio; 2])> {
        let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
        let (stdout_tail, stdout_end) = Tail::create(&stdout)?;
        let (stderr_tail, stderr_end) = Tail::create(&stderr)?;
        let outputs = Self {
            stdout: Output::new(stdout_tail, Stream::Stdout, mask),
            stderr: Output::new(stderr_tail, Stream::Stderr, mask),
            changes: Changes::of(&[&stdout, &stderr]),
            ended: false,
            done: false,
            index,
            clock: clock.clone(),
            last_words: String::new(),
        };
        Ok((outputs, [stdout_end, stderr_end]))
    }

    /// Whether more may come.
    pub fn open(&self) -> bool {
        !self.done
    }

    /// The process has been waited for: its namespace, and everybody in it, is gone.
    pub fn ended(&mut self) {
        self.ended = true;
    }

    /// Waits for bytes and adds the lines that they complete, none perhaps. False at the end of both. May be dropped
    /// while it waits.
    pub async fn more(&mut self, queue: &mut VecDeque<RunEvent>) -> bool {
        while !self.done {
            let mut found = false;
            for output in [&mut self.stdout, &mut self.stderr] {
                let n = output.tail.read(&mut output.chunk).await.unwrap_or(0);
                found |= n > 0;
                let line = line(self.index, output.stream, &self.clock, &mut self.last_words, queue);
                output.splitter.push(&output.chunk[..n], line);
            }
            if found {
                return true;
            }
            if self.ended {
                self.finish(queue);
                return true;
            }
            self.changes.next().await;
        }
        false
    }

    /// Bytes that have not been read.
    pub async fn behind(&self) -> std::io::Result<u64> {
        Ok(self.stdout.tail.behind().await? + self.stderr.tail.behind().await?)
    }

    /// Leaves out what nobody will have the time to read.
    async fn skip(&mut self, queue: &mut VecDeque<RunEvent>) -> std::io::Result<()> {
        for output in [&mut self.stdout, &mut self.stderr] {
            let skipped = output.tail.skip(LAST_WORDS).await?;
            if skipped > 0 {
                let mut line = line(self.index, output.stream, &self.clock, &mut self.last_words, queue);
                output.splitter.finish(&mut line);
                line(format!("({skipped} bytes of output are left out here)"));
            }
        }
        Ok(())
    }

    /// What is left are lines without an end.
    fn finish(&mut self, queue: &mut VecDeque<RunEvent>) {
        self.done = true;
        for output in [&mut self.stdout, &mut self.stderr] {
            output.splitter.finish(line(self.index, output.stream, &self.clock, &mut self.last_words, queue));
        }
    }
}

/// Takes lines of one output, of now.
fn line<'a>(
    command: usize,
    stream: Stream,
    clock: &Clock,
    last_words: &'a mut String,
    queue: &'a mut VecDeque<RunEvent>,
) -> impl FnMut(String) + 'a {
    let at = clock.now();
    move |text| {
        if stream == Stream::Stderr && !text.trim().is_empty() {
            last_words.clone_from(&text);
        }
        queue.push_back(RunEvent::Line { command, stream, text, at });
    }
}

struct Output {
    tail: Tail,
    chunk: Vec<u8>,
    splitter: LineSplitter,
    stream: Stream,
}

impl Output {
    fn new(tail: Tail, stream: Stream, mask: &Mask) -> Self {
        Self { tail, chunk: vec![0; CHUNK], splitter: LineSplitter::new(mask.clone()), stream }
    }
}

/// The process group; none when its leader has been waited for, since the id may be somebody else's by then.
fn group(leader: &Child) -> Option<Pid> {
    one_process(&leader.id()?.to_string())
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
