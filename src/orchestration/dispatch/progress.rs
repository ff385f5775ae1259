//! Turns the events of a run into log lines, steps and facts for the build's result. No I/O.

use crate::kernel::Digest;
use crate::orchestration::builds::{GitCommit, LogBatch, LogStream, NewLine, Outcome, ResultStatus, Step, StepStatus};
use crate::orchestration::executors::{RunEvent, RunOutcome, RunResult};
use crate::orchestration::methods::{Commit, Method, Stage, StepEvent, StepParser, Stream};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// What a run has said so far, and what of it is not stored yet.
pub struct Progress {
    parser: StepParser,
    commands: Vec<&'static str>,
    pending: LogBatch,
    pending_bytes: usize,
    next_line: i64,
    lines: i64,
    log_bytes: u64,
    max_log_bytes: u64,
    current: Option<Step>,
    total_layers: i32,
    reused_layers: i32,
    build_ms: Option<i64>,
    push_ms: Option<i64>,
}

impl Progress {
    /// For a run of this method, whose log goes on at `first_line`.
    pub fn new(method: Method, first_line: i64, max_log_bytes: u64) -> Self {
        Self {
            parser: StepParser::new(method),
            commands: Vec::new(),
            pending: LogBatch { first_line, ..LogBatch::default() },
            pending_bytes: 0,
            next_line: first_line,
            lines: 0,
            log_bytes: 0,
            max_log_bytes,
            current: None,
            total_layers: 0,
            reused_layers: 0,
            build_ms: None,
            push_ms: None,
        }
    }

    /// Bytes of lines that are not stored yet.
    pub fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    /// Whether something is not stored yet.
    pub fn has_pending(&self) -> bool {
        !self.pending.lines.is_empty() || !self.pending.steps.is_empty()
    }

    /// Takes what is not stored yet; the caller stores it, or gives up the run.
    pub fn take(&mut self) -> LogBatch {
        self.pending_bytes = 0;
        let next = LogBatch { first_line: self.next_line, ..LogBatch::default() };
        std::mem::replace(&mut self.pending, next)
    }

    /// A line of the service itself.
    pub fn say(&mut self, at: DateTime<Utc>, text: impl Into<String>) {
        self.push(at, LogStream::System, text.into());
    }

    /// Takes in an event; the last one gives the outcome of the build, or none when it says nothing about the build.
    pub fn take_in(&mut self, event: RunEvent) -> Option<RunOutcome> {
        match event {
            RunEvent::CommandStarted { name, at, .. } => {
                self.commands.push(name);
                let step = self.parser.command(name);
                self.step(step, at);
            }
            RunEvent::Line { stream, text, at, .. } => {
                let command = self.commands.last().copied().unwrap_or_default();
                let step = self.parser.line(command, stream, &text);
                self.step(step, at);
                let stream = match stream {
                    Stream::Stdout => LogStream::Stdout,
                    Stream::Stderr => LogStream::Stderr,
                };
                self.push(at, stream, text);
            }
            RunEvent::CommandFinished { index, exit_code, duration } => {
                let took = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
                match self.commands.get(index).copied() {
                    Some("build") => self.build_ms = Some(took),
                    Some("push") => self.push_ms = Some(self.push_ms.unwrap_or(0) + took),
                    _ => {}
                }
                self.end_step(exit_code, duration);
            }
            RunEvent::Finished(outcome) => return Some(outcome),
        }
        None
    }

    fn push(&mut self, time: DateTime<Utc>, stream: LogStream, text: String) {
        if self.log_bytes > self.max_log_bytes {
            return;
        }
        self.log_bytes += text.len() as u64;
        let text = if self.log_bytes > self.max_log_bytes {
            format!("The log is longer than {} bytes; what follows is not kept.", self.max_log_bytes)
        } else {
            text
        };
        self.pending_bytes += text.len() + 24;
        let step = self.current.as_ref().map(|s| s.number);
        self.pending.lines.push(NewLine { time, stream, step, text });
        self.next_line += 1;
        self.lines += 1;
    }

    fn step(&mut self, event: Option<StepEvent>, at: DateTime<Utc>) {
        match event {
            None => {}
            Some(StepEvent::Started { number, name, instruction, command }) => {
                self.close(StepStatus::Success, at, None);
                if is_layer(&instruction) {
                    self.total_layers += 1;
                }
                let step = Step {
                    number: i32::try_from(number).unwrap_or(i32::MAX),
                    name: if command.is_empty() { name } else { cut(&command, 500) },
                    instruction,
                    status: StepStatus::Running,
                    cached: false,
                    layer: None,
                    exit_code: None,
                    first_line: self.next_line,
                    started_at: at,
                    completed_at: None,
                };
                self.current = Some(step.clone());
                self.record(step);
            }
            Some(StepEvent::Cached) => {
                if let Some(step) = self.current.as_mut().filter(|s| !s.cached) {
                    step.cached = true;
                    if is_layer(&step.instruction) {
                        self.reused_layers += 1;
                    }
                }
            }
            Some(StepEvent::Layer { id }) => {
                if let Some(step) = &mut self.current {
                    step.layer = Some(id);
                }
            }
        }
    }

    fn end_step(&mut self, exit_code: i32, _took: Duration) {
        let at = self.pending.lines.last().map(|l| l.time).or(self.current.as_ref().map(|s| s.started_at));
        let status = if exit_code == 0 { StepStatus::Success } else { StepStatus::Failed };
        if let Some(at) = at {
            self.close(status, at, (exit_code != 0).then_some(exit_code));
        }
    }

    fn close(&mut self, status: StepStatus, at: DateTime<Utc>, exit_code: Option<i32>) {
        if let Some(step) = self.current.take() {
            let at = at.max(step.started_at);
            self.record(Step { status, exit_code, completed_at: Some(at), ..step });
        }
    }

    /// The newest state of a step replaces one that is not stored yet.
    fn record(&mut self, step: Step) {
        match self.pending.steps.iter_mut().find(|s| s.number == step.number) {
            Some(pending) => *pending = step,
            None => self.pending.steps.push(step),
        }
    }

    /// The result of the build; none when the run was interrupted and another attempt has to follow.
    pub fn outcome(&self, run: RunOutcome, timeout_seconds: i32) -> Option<Outcome> {
        let digest = text(&run.outputs, "digest").and_then(|d| d.parse::<Digest>().ok());
        let outcome = match run.result {
            RunResult::Interrupted { .. } => return None,
            RunResult::Succeeded => Outcome { digest, ..Outcome::of(ResultStatus::Success) },
            RunResult::Cancelled => {
                Outcome { reason: Some("cancelled on request".into()), ..Outcome::of(ResultStatus::Cancelled) }
            }
            RunResult::TimedOut => Outcome {
                reason: Some(format!("it took longer than its time limit of {timeout_seconds} seconds")),
                stage: Some(Stage::Build),
                ..Outcome::of(ResultStatus::Timeout)
            },
            RunResult::LimitExceeded { what } => {
                let reason = format!("it used more than its limit of {}", what.as_str());
                Outcome::failed(Stage::Build, reason)
            }
            RunResult::Failed { stage, exit_code, reason, .. } => {
                Outcome { exit_code, ..Outcome::failed(stage, reason) }
            }
        };
        let signed = |n: Option<u64>| n.and_then(|n| i64::try_from(n).ok());
        let usage = run.usage;
        Some(Outcome {
            commit: run.outputs.get("commit").and_then(|bytes| Commit::parse(bytes)).map(|c| GitCommit {
                author: format!("{} <{}>", c.author_name, c.author_email),
                message: c.message.lines().next().unwrap_or_default().to_owned(),
                branch: c.branch,
                sha: c.sha,
            }),
            build_ms: self.build_ms,
            push_ms: self.push_ms,
            peak_memory_bytes: signed(usage.peak_memory_bytes),
            cpu_ms: signed(usage.cpu_ms),
            disk_read_bytes: signed(usage.disk_read_bytes),
            disk_write_bytes: signed(usage.disk_write_bytes),
            total_layers: self.total_layers,
            reused_layers: self.reused_layers,
            log_lines: self.lines,
            ..outcome
        })
    }
}

fn text(outputs: &std::collections::BTreeMap<String, Vec<u8>>, name: &str) -> Option<String> {
    outputs.get(name).map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned())
}

fn is_layer(instruction: &str) -> bool {
    matches!(instruction, "RUN" | "COPY" | "ADD")
}

fn cut(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}
