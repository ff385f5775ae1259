//! This process as a worker: who it is, which tools it has.

use crate::kernel::Result;
use crate::kernel::ids::WorkerId;
use crate::orchestration::methods::Method;
use std::io::Write;
use std::path::Path;

/// The identity of the worker whose executor holds this folder: made at the first start, the same after a restart. The
/// executor's lock on the folder says that no other process is this worker, so whatever an earlier life of it left behind
/// is dead and may be taken over at once.
pub fn identity(folder: &Path) -> Result<WorkerId> {
    let path = folder.join(".worker-id");
    if let Some(id) = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()) {
        return Ok(id);
    }
    let id = WorkerId::new();
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    write!(new, "{id}")?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|e| e.error)?;
    Ok(id)
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
    fn an_identity_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let id = identity(folder.path()).unwrap();
        assert_eq!(identity(folder.path()).unwrap(), id);
        assert_ne!(identity(tempfile::tempdir().unwrap().path()).unwrap(), id);
    }
}
