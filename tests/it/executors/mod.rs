//! The local executor, against the machine itself.

mod buildah;
mod crash;
mod isolation;
mod limits;
mod output;

use async_trait::async_trait;
use image_factory::kernel::{Clock, Error, Result};
use image_factory::orchestration::executors::local::{Config, Local};
use image_factory::orchestration::executors::{Inputs, Limits, RunEvent, RunEvents, RunOutcome, RunSpec};
use image_factory::orchestration::methods::{Plan, PlanCommand, Stage, Stream};
use image_factory::platform::tasks::Tasks;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio::time::Instant;

/// A local executor with a folder of its own.
pub struct Server {
    pub executor: Local,
    pub tasks: Tasks,
    pub folder: PathBuf,
    _home: tempfile::TempDir,
}

impl Server {
    pub async fn start() -> Self {
        Self::with_objects(BTreeMap::new()).await
    }

    pub async fn with_objects(objects: BTreeMap<String, Vec<u8>>) -> Self {
        let home = tempfile::Builder::new().prefix("if-").tempdir().unwrap();
        let folder = home.path().join("runs");
        let tasks = Tasks::default();
        let executor = local(&folder, &tasks, Objects(objects)).await.unwrap();
        Self { executor, tasks, folder, _home: home }
    }
}

pub async fn local(folder: &Path, tasks: &Tasks, objects: Objects) -> Result<Local> {
    let config = Config { folder: folder.into(), grace_seconds: 1, ..Config::default() };
    Local::new(config, Arc::new(objects), Clock::system(), tasks.clone()).await
}

/// An object store of a few objects.
pub struct Objects(pub BTreeMap<String, Vec<u8>>);

#[async_trait]
impl Inputs for Objects {
    async fn open(&self, object: &str) -> Result<Box<dyn AsyncRead + Send + Unpin>> {
        let bytes = self.0.get(object).ok_or_else(|| Error::not_found("object"))?;
        Ok(Box::new(std::io::Cursor::new(bytes.clone())))
    }
}

/// A plan of shell commands.
pub fn plan(scripts: &[&str]) -> Plan {
    let command = |script: &&str| PlanCommand {
        name: "build",
        stage: Stage::Build,
        argv: vec!["sh".into(), "-c".into(), (*script).into()],
        env: BTreeMap::new(),
        cwd: String::new(),
        privileged: false,
    };
    Plan { commands: scripts.iter().map(command).collect(), ..Plan::default() }
}

pub fn spec(name: &str, plan: Plan) -> RunSpec {
    let limits = Limits { timeout: Duration::from_mins(2), memory_bytes: None, max_processes: None, disk_bytes: None };
    RunSpec { name: name.parse().unwrap(), plan, limits }
}

/// All events to the end.
pub async fn read(mut events: RunEvents) -> Vec<RunEvent> {
    let mut all = Vec::new();
    while let Some(event) = events.next().await {
        let last = matches!(event, RunEvent::Finished(_));
        all.push(event);
        if last {
            break;
        }
    }
    all
}

pub fn outcome(events: &[RunEvent]) -> &RunOutcome {
    match events.last() {
        Some(RunEvent::Finished(outcome)) => outcome,
        other => panic!("the last event is {other:?}"),
    }
}

pub fn lines(events: &[RunEvent], of: usize, from: Stream) -> Vec<&str> {
    let line = |event| match event {
        &RunEvent::Line { command, stream, ref text, .. } if (command, stream) == (of, from) => Some(text.as_str()),
        _ => None,
    };
    events.iter().filter_map(line).collect()
}

/// The whole output, for messages.
pub fn transcript(events: &[RunEvent]) -> String {
    events
        .iter()
        .map(|e| if let RunEvent::Line { text, .. } = e { format!("{text}\n") } else { format!("{e:?}\n") })
        .collect()
}

/// Processes of the machine whose command line contains a text.
pub fn processes_with(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let command_lines = entries.filter_map(|e| std::fs::read(e.path().join("cmdline")).ok());
    command_lines
        .map(|c| String::from_utf8_lossy(&c).replace('\0', " "))
        .filter(|c| c.contains(text) && !c.contains("--exact"))
        .collect()
}

/// Mounts of the machine under a folder.
pub fn mounts_under(folder: &Path) -> Vec<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    mounts.lines().filter(|l| l.contains(&*folder.to_string_lossy())).map(str::to_owned).collect()
}

/// Control groups of a run.
pub fn groups_of(run: &str) -> Vec<PathBuf> {
    walkdir::WalkDir::new("/sys/fs/cgroup")
        .max_depth(5)
        .into_iter()
        .flatten()
        .filter(|e| e.file_type().is_dir() && e.file_name() == run)
        .map(walkdir::DirEntry::into_path)
        .collect()
}

/// Asserts that a run has left no process, mount, folder or control group.
pub fn assert_nothing_left(server_folder: &Path, run: &str) {
    let folder = server_folder.join(run);
    assert_eq!(processes_with(&folder.to_string_lossy()), [""; 0]);
    assert_eq!(mounts_under(&folder), [""; 0]);
    assert!(!folder.exists());
    assert_eq!(groups_of(run), Vec::<PathBuf>::new());
}

/// Polls until a condition holds.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
