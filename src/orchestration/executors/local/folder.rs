//! A run's folder: what is put in before, measured meanwhile, read and removed after.

use super::sandbox::{Sandbox, WORK, place};
use crate::kernel::{Error, Kind, Result};
use crate::orchestration::executors::Inputs;
use crate::orchestration::methods::{Content, Plan};
use crate::platform::tasks::blocking;
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use tokio::io::AsyncReadExt as _;

/// Why a folder could not be filled.
pub(super) enum FillError {
    /// The object is not there: the plan's fault.
    Missing(String),
    /// The objects take more than the run may use.
    TooLarge,
    /// The machine's or the store's.
    Other(Error),
}

impl<E: Into<Error>> From<E> for FillError {
    fn from(e: E) -> Self {
        Self::Other(e.into())
    }
}

/// Makes the folder and writes the plan's files.
pub(super) async fn make(run: &Path, plan: &Plan) -> Result<()> {
    let (run, files) = (run.to_owned(), plan.files.clone());
    blocking(move || {
        std::fs::DirBuilder::new().mode(0o700).create(&run)?;
        let work = run.join(WORK);
        for folder in ["home", "tmp", "out"] {
            std::fs::create_dir_all(work.join(folder))?;
        }
        for file in files {
            let path = work.join(&file.path);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut to = std::fs::OpenOptions::new().write(true).create_new(true).mode(file.mode).open(path)?;
            match &file.content {
                Content::Text(text) => to.write_all(place(text).as_bytes())?,
                Content::Bytes(bytes) => to.write_all(bytes)?,
                Content::Secret(secret) => to.write_all(secret.expose_secret().as_bytes())?,
            }
        }
        Ok(())
    })
    .await
}

/// Lays out the root of the command at this place of the plan.
pub(super) async fn lay_out(sandbox: &Sandbox, run: &Path, index: usize) -> Result<PathBuf> {
    let (sandbox, run) = (sandbox.clone(), run.to_owned());
    blocking(move || {
        let control = run.join(format!("command-{index}"));
        sandbox.lay_out(&run, &control)?;
        Ok(control)
    })
    .await
}

/// Copies the plan's input objects.
pub(super) async fn fill(run: &Path, plan: &Plan, inputs: &dyn Inputs, max_bytes: u64) -> Result<(), FillError> {
    let mut left = max_bytes;
    for input in &plan.inputs {
        let object = match inputs.open(&input.object).await {
            Ok(object) => object,
            Err(e) if e.kind() == Kind::NotFound => return Err(FillError::Missing(input.path.clone())),
            Err(e) => return Err(FillError::Other(e)),
        };
        let mut file = tokio::fs::File::create_new(run.join(WORK).join(&input.path)).await?;
        let copied = tokio::io::copy(&mut object.take(left.saturating_add(1)), &mut file).await?;
        file.sync_data().await.or_else(|_| Ok::<_, Error>(()))?;
        left = left.checked_sub(copied).ok_or(FillError::TooLarge)?;
    }
    Ok(())
}

/// The disk space of everything in the folder.
pub(super) async fn measure(sandbox: &Sandbox, run: &Path) -> Result<u64> {
    let mut du = sandbox.tool("du");
    // Files come and go meanwhile, about which du complains; its sum is right nevertheless.
    let out = du.args(["--summarize", "--block-size=1", "--one-file-system", "--"]).arg(run).output().await?;
    let text = String::from_utf8_lossy(&out.stdout);
    let sum = text.split_whitespace().next().and_then(|n| n.parse().ok());
    sum.ok_or_else(|| Error::internal(format!("du: {}", String::from_utf8_lossy(&out.stderr))))
}

/// The plan's outputs, as far as they are ordinary files inside the folder.
pub(super) async fn outputs(run: &Path, plan: &Plan) -> BTreeMap<String, Vec<u8>> {
    let (run, outputs) = (run.join(WORK), plan.outputs.clone());
    let read = move || {
        let read_one = |path: &str, max_bytes| -> std::io::Result<Vec<u8>> {
            let path: PathBuf = run.join(path).canonicalize()?;
            let outside = !path.starts_with(run.canonicalize()?);
            if outside || !path.metadata()?.is_file() {
                return Err(std::io::ErrorKind::InvalidInput.into());
            }
            let mut bytes = Vec::new();
            std::fs::File::open(path)?.take(max_bytes).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let found = outputs.into_iter().filter_map(|o| Some((o.name, read_one(&o.path, o.max_bytes).ok()?)));
        Ok(found.collect())
    };
    blocking(read).await.unwrap_or_default()
}

/// What a command used, as the first process of its namespace has left it: bytes read from and written to disks, and
/// milliseconds of processor time.
pub(super) async fn usage(control: &Path) -> Option<(u64, u64, u64)> {
    let path = control.join("usage");
    let text = blocking(move || Ok(std::fs::read_to_string(path)?)).await;
    parse_usage(&text.ok()?)
}

fn parse_usage(text: &str) -> Option<(u64, u64, u64)> {
    let field = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)?.trim().parse::<u64>().ok());
    let stat = text.lines().last()?.rsplit_once(") ")?.1;
    // proc(5): cutime and cstime are fields 16 and 17, the first behind the name is field 3; in hundredths of a second.
    let ticks: u64 = stat.split(' ').skip(13).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    Some((field("read_bytes:")?, field("write_bytes:")?, ticks * 10))
}

/// Removes a folder and all in it, however deep.
pub(super) async fn remove(sandbox: &Sandbox, run: &Path) -> Result<()> {
    let out = sandbox.tool("rm").args(["-rf", "--one-file-system", "--"]).arg(run).output().await?;
    if out.status.success() {
        return Ok(());
    }
    Err(Error::internal(format!("{}: {}", run.display(), String::from_utf8_lossy(&out.stderr).trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_from_what_the_kernel_writes() {
        let text = "rchar: 5\nread_bytes: 7\nwrite_bytes: 9\ncancelled_write_bytes: 0\n\
                    1 (sh) x) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 70 30 20 0 1 0 9 1 1 1\n";
        assert_eq!(parse_usage(text), Some((7, 9, 1000)));
        assert_eq!(parse_usage(""), None);
    }
}
