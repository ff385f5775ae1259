//! This process as a worker: who it is, which tools it has.

use crate::kernel::ids::WorkerId;
use crate::kernel::{Error, Result};
use crate::orchestration::methods::Method;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

/// The identity of a worker, kept in its folder. The lock on it says that no other process runs builds there; it goes
/// with the process, so whoever holds it may take over at once what an earlier life left behind.
#[derive(Debug)]
pub struct WorkerIdentity {
    id: WorkerId,
    _lock: Flock<File>,
}

impl WorkerIdentity {
    /// Takes the identity of this folder, made at the first start.
    pub fn acquire(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("worker-id");
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        let mut file = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, e)| {
            Error::conflict("worker.folder_in_use", format!("another process runs builds in {}", folder.display()))
                .with_source(e)
        })?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let id = match text.trim().parse() {
            Ok(id) => id,
            Err(_) => {
                let id = WorkerId::new();
                file.rewind()?;
                file.set_len(0)?;
                file.write_all(id.to_string().as_bytes())?;
                file.sync_all()?;
                id
            }
        };
        Ok(Self { id, _lock: file })
    }

    /// The same after a restart.
    pub fn id(&self) -> WorkerId {
        self.id
    }
}

/// What is announced of a worker.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Its id.
    pub id: WorkerId,
    /// Its name.
    pub name: String,
    /// The executor it runs builds with.
    pub executor: &'static str,
    /// Builds at the same time.
    pub concurrent_builds: i32,
    /// Programs found.
    pub tools: Vec<String>,
    /// Methods whose tools are all there.
    pub methods: Vec<Method>,
}

impl Worker {
    /// Looks for the tools of every method on the path that runs get.
    pub fn discover(id: WorkerId, name: String, executor: &'static str, concurrent_builds: i32) -> Self {
        let found = |tool: &str| {
            ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
                .iter()
                .any(|folder| Path::new(folder).join(tool).is_file())
        };
        let mut tools: Vec<String> =
            Method::ALL.iter().flat_map(|m| m.required_tools()).filter(|t| found(t)).map(|t| (*t).to_owned()).collect();
        tools.sort();
        tools.dedup();
        let methods = Method::ALL.into_iter().filter(|m| m.required_tools().iter().all(|t| found(t))).collect();
        Self { id, name, executor, concurrent_builds, tools, methods }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_survives_a_restart_and_is_held_by_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let first = WorkerIdentity::acquire(folder.path()).unwrap();
        assert_eq!(WorkerIdentity::acquire(folder.path()).unwrap_err().code(), "worker.folder_in_use");
        let id = first.id();
        drop(first);
        assert_eq!(WorkerIdentity::acquire(folder.path()).unwrap().id(), id);
    }
}
