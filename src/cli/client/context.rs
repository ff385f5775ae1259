//! Packs a folder as a build context and uploads it.

use super::Connection;
use crate::orchestration::builds::ContextView;
use anyhow::{Context, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::TryStreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::File;
use std::path::Path;
use tokio_util::io::ReaderStream;

/// Packs the folder (without `.git`) and uploads it; gives the context's id.
pub async fn upload(connection: &Connection, project: &str, folder: &Path) -> anyhow::Result<ContextView> {
    ensure!(folder.is_dir(), "{} is no folder", folder.display());
    let folder = folder.to_owned();
    let archive = crate::platform::tasks::blocking(move || Ok(pack(&folder))).await??;
    let size = archive.metadata()?.len();
    let bar = progress(size, "Uploading the context");
    let moving = bar.clone();
    let body = ReaderStream::with_capacity(tokio::fs::File::from_std(archive), 256 * 1024)
        .inspect_ok(move |piece| moving.inc(piece.len() as u64));
    let path = format!("/projects/{project}/contexts");
    let context = connection.upload(&path, "application/gzip", size, reqwest::Body::wrap_stream(body)).await;
    bar.finish_and_clear();
    context
}

fn pack(folder: &Path) -> anyhow::Result<File> {
    let mut tar = tar::Builder::new(GzEncoder::new(tempfile::tempfile()?, Compression::fast()));
    tar.follow_symlinks(false);
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if name == ".git" {
            continue;
        }
        let packed = if entry.file_type()?.is_dir() {
            tar.append_dir_all(&name, &path)
        } else {
            tar.append_path_with_name(&path, &name)
        };
        packed.with_context(|| format!("cannot pack {}", path.display()))?;
    }
    let mut file = tar.into_inner()?.finish()?;
    std::io::Seek::rewind(&mut file)?;
    Ok(file)
}

/// A progress line on standard error, where that is a terminal.
fn progress(size: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}");
    let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr()).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
