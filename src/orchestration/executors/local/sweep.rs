//! Removing what a run left on the machine, by its name alone: no memory of it is needed.

use super::Inner;
use super::folder;
use super::process::one_process;
use super::sandbox::MARK;
use crate::kernel::{Error, Result};
use crate::orchestration::executors::RunName;
use crate::platform::tasks::blocking;
use nix::sys::signal::{Signal, kill};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(10);

impl Inner {
    /// Removes processes, groups and folder of a run, as far as they exist.
    pub(super) async fn wipe(&self, run: &RunName) -> Result<()> {
        let folder = self.folder.join(run.as_str());
        let group = self.sandbox.cgroups.as_ref().map(|c| c.group(run.as_str()));
        let exists = {
            let folder = folder.clone();
            blocking(move || Ok(folder.exists())).await?
        };
        if exists {
            self.kill_processes(&folder).await?;
        }
        if let Some(group) = group {
            blocking(move || {
                for process in group.processes() {
                    let _ = kill(process, Signal::SIGKILL);
                }
                group.remove()
            })
            .await?;
        }
        if exists {
            // The last write of a copy that was given up may come in between.
            if folder::remove(&self.sandbox, &folder).await.is_err() {
                folder::remove(&self.sandbox, &folder).await?;
            }
        }
        Ok(())
    }

    /// The runs that have left a folder or groups.
    pub(super) async fn leftovers(&self) -> Result<BTreeSet<RunName>> {
        let (folder, cgroups) = (self.folder.clone(), self.sandbox.cgroups.clone());
        blocking(move || {
            let entries = std::fs::read_dir(folder)?;
            let folders = entries.flatten().filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir()));
            let folders = folders.filter_map(|e| e.file_name().into_string().ok());
            let groups = cgroups.map(|c| c.runs()).unwrap_or_default();
            Ok(folders.chain(groups).filter_map(|name| name.parse().ok()).collect())
        })
        .await
    }

    async fn kill_processes(&self, folder: &Path) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let folder: PathBuf = folder.to_owned();
            let left = blocking(move || Ok(kill_marked(&folder))).await?;
            if left == 0 {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Error::internal(format!("{left} processes of a run do not die")));
            }
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Kills the processes that bear the mark of this run, and says how many there were. With the first process of a
/// namespace the kernel kills all others, marked or not.
fn kill_marked(folder: &Path) -> usize {
    let mark = format!("{MARK}={}", folder.display());
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let marked = processes.filter_map(|entry| {
        let pid = one_process(entry.file_name().to_str()?)?;
        let environment = std::fs::read(entry.path().join("environ")).ok()?;
        environment.split(|b| *b == 0).any(|variable| variable == mark.as_bytes()).then_some(pid)
    });
    let mut count = 0;
    for process in marked {
        // It may have died since it was seen.
        let _ = kill(process, Signal::SIGKILL);
        count += 1;
    }
    count
}
