//! Control groups: limits and usage of all processes of a run together, where the machine lets us make them.
//! Version 1 (one hierarchy per controller) and version 2 (Linux kernel documentation, "Control Group v2").

use super::process::one_process;
use crate::kernel::{Error, Result};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where groups can be made. The group of a run is named by the server's key and the run.
#[derive(Debug, Clone)]
pub(super) struct Cgroups {
    hierarchies: Hierarchies,
    /// Keeps servers of one machine apart.
    key: String,
}

#[derive(Debug, Clone)]
enum Hierarchies {
    V1 { memory: PathBuf, pids: PathBuf, cpuacct: PathBuf },
    V2 { own: PathBuf },
}

/// Where the server itself moves under version 2.
const LEAF: &str = "server";

/// What a run may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupLimits {
    pub memory_bytes: u64,
    pub max_processes: u32,
}

/// The groups of one run.
#[derive(Debug, Clone)]
pub(super) struct Group {
    memory: PathBuf,
    pids: PathBuf,
    cpu: PathBuf,
    v2: bool,
}

/// What the kernel counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub peak_memory_bytes: Option<u64>,
    pub cpu_ms: Option<u64>,
    /// Processes killed since memory was used up.
    pub memory_kills: u64,
    /// Attempts to start a process beyond the limit.
    pub refused_processes: u64,
}

impl Cgroups {
    /// Finds where groups can be made, and tries it.
    pub fn find(key: &str) -> Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let found = Self { hierarchies: hierarchies(&mounts)?, key: key.into() };
        if let Hierarchies::V2 { own } = &found.hierarchies {
            delegate(own)?;
        }
        let limits = GroupLimits { memory_bytes: 1 << 30, max_processes: 100 };
        found.create(&format!("probe-{}", std::process::id()), limits)?.remove()?;
        Ok(found)
    }

    /// Makes the groups of a run, empty, with their limits.
    pub fn create(&self, run: &str, limits: GroupLimits) -> Result<Group> {
        let group = self.group(run);
        group.remove()?;
        let limit = |folder: &Path, file: &str, value: u64| fs::write(folder.join(file), value.to_string());
        for folder in group.folders() {
            fs::create_dir_all(folder)?;
        }
        if group.v2 {
            limit(&group.memory, "memory.max", limits.memory_bytes)?;
            // Without swap in the kernel there is no such file.
            let _ = limit(&group.memory, "memory.swap.max", 0);
        } else {
            limit(&group.memory, "memory.limit_in_bytes", limits.memory_bytes)?;
            let _ = limit(&group.memory, "memory.memsw.limit_in_bytes", limits.memory_bytes);
        }
        limit(&group.pids, "pids.max", limits.max_processes.into())?;
        Ok(group)
    }

    /// The groups of a run, whether they exist or not.
    pub fn group(&self, run: &str) -> Group {
        let name = format!("{}-{run}", self.key);
        match &self.hierarchies {
            Hierarchies::V1 { memory, pids, cpuacct } => {
                Group { memory: memory.join(&name), pids: pids.join(&name), cpu: cpuacct.join(&name), v2: false }
            }
            Hierarchies::V2 { own } => {
                let folder = own.join(name);
                Group { memory: folder.clone(), pids: folder.clone(), cpu: folder, v2: true }
            }
        }
    }

    /// The names of all runs that have groups.
    pub fn runs(&self) -> Vec<String> {
        let folders = match &self.hierarchies {
            Hierarchies::V1 { memory, pids, cpuacct } => vec![memory, pids, cpuacct],
            Hierarchies::V2 { own } => vec![own],
        };
        let entries = folders.into_iter().filter_map(|f| fs::read_dir(f).ok()).flatten().flatten();
        let names = entries.filter_map(|e| e.file_name().into_string().ok());
        names.filter_map(|name| Some(name.strip_prefix(&self.key)?.strip_prefix('-')?.to_owned())).collect()
    }
}

fn hierarchies(mounts: &str) -> Result<Hierarchies> {
    let of_type = |kind: &'static str| {
        mounts.lines().map(|l| l.split(' ').collect::<Vec<_>>()).filter(move |f| f.len() > 3 && f[2] == kind)
    };
    let v1 = |controller: &str| {
        of_type("cgroup").find(|f| f[3].split(',').any(|o| o == controller)).map(|f| PathBuf::from(f[1]))
    };
    if let (Some(memory), Some(pids), Some(cpuacct)) = (v1("memory"), v1("pids"), v1("cpuacct")) {
        return Ok(Hierarchies::V1 { memory, pids, cpuacct });
    }
    let unavailable = |why| Error::unavailable("executor.no_cgroups", why);
    let mount = of_type("cgroup2").next().ok_or_else(|| unavailable("no control groups are mounted"))?;
    let own = fs::read_to_string("/proc/self/cgroup")?;
    let own = own.lines().find_map(|l| l.strip_prefix("0::/")).unwrap_or_default();
    let own = own.strip_suffix(LEAF).unwrap_or(own).trim_end_matches('/');
    Ok(Hierarchies::V2 { own: Path::new(mount[1]).join(own) })
}

/// Lets children of our own group have limits. A group with processes cannot have such children, so that ours move to a
/// leaf first.
fn delegate(own: &Path) -> Result<()> {
    let enable = || fs::write(own.join("cgroup.subtree_control"), "+memory +pids +cpu");
    if enable().is_ok() {
        return Ok(());
    }
    let leaf = own.join(LEAF);
    fs::create_dir_all(&leaf)?;
    for process in fs::read_to_string(own.join("cgroup.procs"))?.lines() {
        // It may have ended meanwhile.
        let _ = fs::write(leaf.join("cgroup.procs"), process);
    }
    Ok(enable()?)
}

impl Group {
    fn folders(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.memory, &self.pids, &self.cpu].into_iter().take(if self.v2 { 1 } else { 3 })
    }

    /// Whoever writes 0 to each of these files is in the groups, with all that it starts.
    pub fn entrances(&self) -> Vec<PathBuf> {
        self.folders().map(|f| f.join("cgroup.procs")).collect()
    }

    /// What the kernel has counted so far.
    pub fn counts(&self) -> Counts {
        let number = |folder: &Path, file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
        let field = |folder: &Path, file: &str, name: &str| {
            let text = fs::read_to_string(folder.join(file)).ok()?;
            text.lines().find_map(|l| l.strip_prefix(name)?.trim().parse::<u64>().ok())
        };
        let (peak, cpu_ms, kills) = if self.v2 {
            (
                number(&self.memory, "memory.peak"),
                field(&self.cpu, "cpu.stat", "usage_usec ").map(|us| us / 1000),
                field(&self.memory, "memory.events", "oom_kill "),
            )
        } else {
            (
                number(&self.memory, "memory.max_usage_in_bytes"),
                number(&self.cpu, "cpuacct.usage").map(|ns| ns / 1_000_000),
                field(&self.memory, "memory.oom_control", "oom_kill "),
            )
        };
        Counts {
            peak_memory_bytes: peak,
            cpu_ms,
            memory_kills: kills.unwrap_or(0),
            refused_processes: field(&self.pids, "pids.events", "max ").unwrap_or(0),
        }
    }

    /// The processes in the groups. (Those outside our own process namespace are listed as 0, which is left out.)
    pub fn processes(&self) -> Vec<Pid> {
        let files = self.entrances().into_iter().filter_map(|f| fs::read_to_string(f).ok());
        files.flat_map(|text| text.lines().filter_map(one_process).collect::<Vec<_>>()).collect()
    }

    /// Removes the groups. Processes that are being killed may keep them for a moment.
    pub fn remove(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(5);
        for folder in self.folders() {
            loop {
                match fs::remove_dir(folder) {
                    Ok(()) => break,
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => break,
                    Err(e) if Instant::now() > deadline => return Err(e.into()),
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "only called off the runtime; the kernel gives no signal"
                    )]
                    Err(_) => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_found_in_the_mounts() {
        let v1 = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /c/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n\
                  cgroup /c/memory cgroup rw,memory 0 0\ncgroup /c/pids cgroup rw,pids 0 0\n\
                  cgroup2 /c/unified cgroup2 rw 0 0\n";
        let Hierarchies::V1 { memory, cpuacct, .. } = hierarchies(v1).unwrap() else { panic!("not version 1") };
        assert_eq!((memory, cpuacct), ("/c/memory".into(), "/c/cpu,cpuacct".into()));
        let v2 = hierarchies("cgroup2 /c cgroup2 rw 0 0\n").unwrap();
        assert!(matches!(v2, Hierarchies::V2 { own } if own.starts_with("/c")));
        assert!(hierarchies("proc /proc proc rw 0 0\n").is_err());
    }
}
