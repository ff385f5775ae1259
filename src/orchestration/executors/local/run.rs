//! The life of one run, from its folder to its last event.

use super::cgroup::{Counts, Group, GroupLimits};
use super::folder::{self, FillError};
use super::lines::Mask;
use super::process::{Outputs, Process, exit_code, keep_in_step};
use super::{Config, Inner};
use crate::kernel::Result;
use crate::orchestration::executors::{Limit, RunEvent, RunName, RunOutcome, RunResult, RunSpec, Usage};
use crate::orchestration::methods::{PlanCommand, Stage};
use crate::platform::tasks::blocking;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// How often it is looked at how far a process is ahead of its reader.
const KEEP_IN_STEP: Duration = Duration::from_millis(50);
/// How long a reader may take for the last events while the server shuts down.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Why a run is ended from outside.
#[derive(Debug, Clone, Copy)]
enum Abort {
    Cancelled,
    Stopping,
    TimedOut,
    DiskFull,
}

impl From<Abort> for RunResult {
    fn from(why: Abort) -> Self {
        match why {
            Abort::Cancelled => Self::Cancelled,
            Abort::Stopping => Self::Interrupted { reason: "the server is shutting down".into() },
            Abort::TimedOut => Self::TimedOut,
            Abort::DiskFull => Self::LimitExceeded { what: Limit::Disk },
        }
    }
}

/// A run that was just asked for.
pub(super) struct Run {
    pub executor: Arc<Inner>,
    pub spec: RunSpec,
    pub events: mpsc::Sender<RunEvent>,
    /// Set when the last event has been read.
    pub read: CancellationToken,
    /// Set by whoever wants it to end.
    pub cancel: CancellationToken,
    /// Set when nothing of it is left on the machine.
    pub gone: CancellationToken,
}

/// What [`Run::drive`] works on.
struct Course {
    executor: Arc<Inner>,
    spec: RunSpec,
    /// With the run's own limits.
    config: Config,
    folder: PathBuf,
    group: Option<Group>,
    mask: Mask,
    events: mpsc::Sender<RunEvent>,
    /// What the channel has no room for yet: the lines of one chunk, or of a process that was stopped.
    queue: VecDeque<RunEvent>,
    usage: Usage,
}

/// What is left to say of a run that has ended.
struct Delivery {
    events: mpsc::Sender<RunEvent>,
    queue: VecDeque<RunEvent>,
    read: CancellationToken,
}

impl Run {
    /// Runs to the end, cleans up, and delivers every event.
    pub async fn drive(self) {
        let Self { executor, spec, events, read, cancel, gone } = self;
        // Whoever waits for the end must not wait for ever, should this task be dropped.
        let gone = gone.drop_guard();
        let stopping = executor.tasks.stopping();
        let name = spec.name.clone();
        let mut config = executor.config.clone();
        config.memory_bytes = spec.limits.memory_bytes.unwrap_or(config.memory_bytes);
        config.max_processes = spec.limits.max_processes.unwrap_or(config.max_processes);
        config.disk_bytes = spec.limits.disk_bytes.unwrap_or(config.disk_bytes);
        let deadline = Instant::now() + spec.limits.timeout;
        let folder = executor.folder.join(name.as_str());
        let abort = {
            let (executor, folder, cancel, stopping) =
                (executor.clone(), folder.clone(), cancel.clone(), stopping.clone());
            async move {
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => Abort::Cancelled,
                    () = stopping.cancelled() => Abort::Stopping,
                    () = sleep_until(deadline) => Abort::TimedOut,
                    () = disk_is_full(&executor, &folder, config.disk_bytes) => Abort::DiskFull,
                }
            }
        };
        let mut course = Course {
            executor: executor.clone(),
            spec,
            config,
            folder,
            group: None,
            mask: Mask::default(),
            events,
            queue: VecDeque::new(),
            usage: Usage::default(),
        };
        let result = Box::pin(course.run(pin!(abort))).await.unwrap_or_else(|e| {
            tracing::error!(run = %name, error = %e.chain(), "a run cannot go on");
            RunResult::Interrupted { reason: e.chain() }
        });
        let outputs = folder::outputs(&course.folder, &course.spec.plan).await;
        course.clean_up().await;
        if cancel.is_cancelled() {
            // Before `cancel` returns, so that the name is free when it does.
            executor.forget(&name, &read);
        }
        drop(gone);
        let Course { events, mut queue, usage, .. } = course;
        queue.push_back(RunEvent::Finished(RunOutcome { result, outputs, usage }));
        Delivery { events, queue, read }.deliver(&executor, &name, &cancel).await;
    }
}

impl Delivery {
    /// Hands over the last events, and forgets the run when they have been read or nobody needs to know it any more.
    async fn deliver(self, executor: &Inner, name: &RunName, cancel: &CancellationToken) {
        let Self { events, queue, read } = self;
        let mut delivery = pin!(async {
            for event in queue {
                if events.send(event).await.is_err() {
                    return;
                }
            }
            read.cancelled().await;
        });
        let stopping = executor.tasks.stopping();
        let too_late = || async {
            stopping.cancelled().await;
            sleep(LAST_WORDS).await;
        };
        let cancelled = tokio::select! {
            () = &mut delivery => false,
            () = cancel.cancelled() => true,
            () = too_late() => false,
        };
        executor.forget(name, &read);
        if cancelled {
            // Nobody can attach any more; those who read already get the rest.
            tokio::select! {
                () = delivery => {}
                () = too_late() => {}
            }
        }
    }
}

impl Course {
    async fn run(&mut self, mut abort: Pin<&mut impl Future<Output = Abort>>) -> Result<RunResult> {
        self.mask = Mask::new(&self.spec.plan.masks)?;
        self.executor.wipe(&self.spec.name).await?;
        self.make_group().await?;
        folder::make(&self.folder, &self.spec.plan).await?;
        let inputs = self.executor.inputs.clone();
        let filled = tokio::select! {
            biased;
            why = &mut abort => return Ok(why.into()),
            filled = folder::fill(&self.folder, &self.spec.plan, &*inputs, self.config.disk_bytes) => filled,
        };
        match filled {
            Ok(()) => {}
            Err(FillError::TooLarge) => return Ok(RunResult::LimitExceeded { what: Limit::Disk }),
            Err(FillError::Missing(path)) => {
                let reason = format!("{path} is not in the object store any more; upload it again");
                return Ok(RunResult::Failed { command: None, stage: Stage::Fetch, exit_code: None, reason });
            }
            Err(FillError::Other(e)) => return Err(e),
        }
        for index in 0..self.spec.plan.commands.len() {
            let command = self.spec.plan.commands[index].clone();
            if let Some(end) = self.command(index, &command, abort.as_mut()).await? {
                return Ok(end);
            }
        }
        Ok(RunResult::Succeeded)
    }

    async fn make_group(&mut self) -> Result<()> {
        let Some(groups) = self.executor.sandbox.cgroups.clone() else { return Ok(()) };
        let (name, config) = (self.spec.name.clone(), &self.config);
        let limits = GroupLimits { memory_bytes: config.memory_bytes, max_processes: config.max_processes };
        self.group = Some(blocking(move || groups.create(name.as_str(), limits)).await?);
        Ok(())
    }

    /// Runs one command. Gives the run's result when it ends here.
    async fn command(
        &mut self,
        index: usize,
        command: &PlanCommand,
        mut abort: Pin<&mut impl Future<Output = Abort>>,
    ) -> Result<Option<RunResult>> {
        let executor = self.executor.clone();
        let entrances = self.group.as_ref().map(Group::entrances).unwrap_or_default();
        let before = self.counts().await;
        let control = folder::lay_out(&executor.sandbox, &self.folder, index).await?;
        let (outputs, [stdout, stderr]) = Outputs::create(&control, index, &self.mask, &executor.clock)?;
        let mut child = executor.sandbox.command(&self.folder, &control, &entrances, command, &self.config);
        child.stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
        let mut process = Process::new(executor.spawner.spawn(child).await?, outputs);
        let started = tokio::select! {
            biased;
            why = &mut abort => {
                process.stop(Duration::ZERO, &mut VecDeque::new()).await?;
                return Ok(Some(why.into()));
            }
            released = process.release() => { released?; Instant::now() }
        };
        self.queue.push_back(RunEvent::CommandStarted { index, name: command.name, at: executor.clock.now() });
        let ended = self.pump(&mut process, abort).await?;
        let (status, aborted) = match ended {
            Ok(status) => (status, None),
            Err(why) => {
                let grace = Duration::from_secs(self.config.grace_seconds);
                (process.stop(grace, &mut self.queue).await?, Some(why))
            }
        };
        let exit_code = exit_code(status);
        self.queue.push_back(RunEvent::CommandFinished { index, exit_code, duration: started.elapsed() });
        self.add_usage(&control).await;
        if let Some(why) = aborted {
            return Ok(Some(why.into()));
        }
        if exit_code == 0 {
            return Ok(None);
        }
        if let Some(what) = self.exceeded(before).await {
            return Ok(Some(RunResult::LimitExceeded { what }));
        }
        let reason = match process.outputs.last_words {
            words if words.is_empty() => format!("{} ended with exit code {exit_code}", command.name),
            words => words,
        };
        Ok(Some(RunResult::Failed { command: Some(index), stage: command.stage, exit_code: Some(exit_code), reason }))
    }

    /// Moves the output to the reader until the process has ended and all is handed over, or something ends it.
    async fn pump(
        &mut self,
        process: &mut Process,
        mut abort: Pin<&mut impl Future<Output = Abort>>,
    ) -> Result<Result<std::process::ExitStatus, Abort>> {
        let Process { child, outputs, held, .. } = process;
        let mut status = None;
        let mut step = interval(KEEP_IN_STEP);
        step.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            while let Some(event) = self.queue.pop_front() {
                if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
                    self.queue.push_front(event);
                    break;
                }
            }
            if let (Some(status), true, false) = (status, self.queue.is_empty(), outputs.open()) {
                return Ok(Ok(status));
            }
            tokio::select! {
                biased;
                why = &mut abort => return Ok(Err(why)),
                room = self.events.reserve(), if !self.queue.is_empty() => {
                    // Without a receiver nobody will ever ask for the line.
                    if let (Ok(room), Some(event)) = (room, self.queue.pop_front()) {
                        room.send(event);
                    }
                }
                _ = step.tick(), if status.is_none() => keep_in_step(child, outputs, held).await?,
                _ = outputs.more(&mut self.queue), if self.queue.is_empty() && outputs.open() => {}
                ended = child.wait(), if status.is_none() => {
                    status = Some(ended?);
                    outputs.ended();
                }
            }
        }
    }

    async fn counts(&self) -> Counts {
        let Some(group) = self.group.clone() else { return Counts::default() };
        blocking(move || Ok(group.counts())).await.unwrap_or_default()
    }

    /// Adds what the last command used.
    async fn add_usage(&mut self, control: &Path) {
        let counts = self.counts().await;
        let used = folder::usage(control).await;
        self.usage.peak_memory_bytes = counts.peak_memory_bytes;
        let add = |sum: Option<u64>, more: Option<u64>| sum.into_iter().chain(more).reduce(|a, b| a + b);
        self.usage.disk_read_bytes = add(self.usage.disk_read_bytes, used.map(|u| u.0));
        self.usage.disk_write_bytes = add(self.usage.disk_write_bytes, used.map(|u| u.1));
        self.usage.cpu_ms = counts.cpu_ms.or_else(|| add(self.usage.cpu_ms, used.map(|u| u.2)));
    }

    /// The limit that made a command fail, if it was one.
    async fn exceeded(&self, before: Counts) -> Option<Limit> {
        let now = self.counts().await;
        if now.memory_kills > before.memory_kills {
            return Some(Limit::Memory);
        }
        if now.refused_processes > before.refused_processes {
            return Some(Limit::Processes);
        }
        let used = folder::measure(&self.executor.sandbox, &self.folder).await.unwrap_or(0);
        (used >= self.config.disk_bytes).then_some(Limit::Disk)
    }

    /// Removes folder and groups. What resists is left for the next sweep.
    async fn clean_up(&mut self) {
        let removed = self.executor.wipe(&self.spec.name).await;
        if let Err(e) = removed {
            tracing::error!(run = %self.spec.name, error = %e.chain(), "a run left something behind");
        }
    }
}

/// Resolves when the folder holds more than it may. Measuring takes at most a tenth of the time.
async fn disk_is_full(executor: &Inner, folder: &Path, max_bytes: u64) {
    let mut pause = Duration::from_secs(1);
    loop {
        sleep(pause).await;
        let started = Instant::now();
        match timeout(Duration::from_mins(5), folder::measure(&executor.sandbox, folder)).await {
            Ok(Ok(used)) if used > max_bytes => return,
            Ok(Ok(_)) => {}
            Ok(Err(e)) => tracing::warn!(error = %e.chain(), "the disk space of a run cannot be measured"),
            Err(_) => tracing::warn!("measuring the disk space of a run takes too long"),
        }
        pause = (started.elapsed() * 10).max(Duration::from_secs(1));
    }
}
