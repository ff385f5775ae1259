//! Objects as files. An upload is a file under `staging/`, locked by its one writer; commit syncs it and renames it to
//! its key, then syncs the folder. All file operations run off the reactor, in pieces of about a megabyte.

use super::{ByteStream, Config, Incoming, Key, Object, ObjectStore, Staged};
use crate::kernel::{Error, Result};
use crate::platform::tasks::blocking;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, IoSlice, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes collected before they are handed to the disk in one go.
const WRITE_BYTES: usize = 1024 * 1024;
/// Bytes of one read.
const READ_BYTES: u64 = 256 * 1024;
/// Reads in flight: the next is on its way while one is being sent.
const READ_AHEAD: usize = 2;

const STAGING: &str = "staging";

/// Objects in a folder.
#[derive(Debug, Clone)]
pub struct FsStore {
    folder: Arc<Path>,
}

impl FsStore {
    /// Opens the folder, making it where it is missing.
    pub async fn open(config: &Config) -> Result<Self> {
        let folder: Arc<Path> = Path::new(&config.folder).into();
        let staging = folder.join(STAGING);
        blocking(move || std::fs::create_dir_all(&staging).map_err(|e| failed("make the storage folder", &staging, e)))
            .await?;
        Ok(Self { folder })
    }

    fn staged_path(&self, upload: &str) -> Result<PathBuf> {
        let good = (1..=64).contains(&upload.len()) && upload.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if good {
            Ok(self.folder.join(STAGING).join(upload))
        } else {
            Err(Error::internal(format!("{upload:?} is not the name of an upload")))
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(key.as_str())
    }
}

#[async_trait::async_trait]
impl ObjectStore for FsStore {
    async fn begin(&self, upload: &str) -> Result<()> {
        let path = self.staged_path(upload)?;
        blocking(move || {
            let made = OpenOptions::new().append(true).create(true).open(&path);
            made.map(drop).map_err(|e| failed("start an upload", &path, e))
        })
        .await
    }

    async fn append(&self, upload: &str, offset: u64, body: &mut Incoming<'_>) -> Result<u64> {
        let path = self.staged_path(upload)?;
        let mut file = blocking(move || open_for_append(&path, offset)).await?;
        let mut size = offset;
        let mut pieces = collect(body).await?;
        while !pieces.is_empty() {
            size += pieces.iter().map(|p| p.len() as u64).sum::<u64>();
            let write = blocking(move || {
                write_all(&mut file, &pieces).map_err(|e| failed("write an upload", Path::new(STAGING), e))?;
                Ok(file)
            });
            // The next pieces arrive while these are written. Both are waited for, so that no write outlives the call.
            let (written, next) = futures::join!(write, collect(body));
            file = written?;
            pieces = next?;
        }
        Ok(size)
    }

    async fn read_staged(&self, upload: &str) -> Result<Option<Object>> {
        open(self.staged_path(upload)?, None).await
    }

    async fn commit(&self, upload: &str, key: &Key) -> Result<()> {
        let staged = self.staged_path(upload)?;
        let target = self.path(key);
        blocking(move || {
            publish(&staged, &target).map_err(|e| match e.kind() {
                ErrorKind::NotFound => Error::not_found("upload").with_source(e),
                ErrorKind::WouldBlock => busy(),
                _ => failed("commit an upload", &target, e),
            })
        })
        .await
    }

    async fn abort(&self, upload: &str) -> Result<()> {
        let path = self.staged_path(upload)?;
        blocking(move || match File::open(&path) {
            Ok(file) => {
                lock(&file, &path)?;
                std::fs::remove_file(&path).or_else(absent_is_fine).map_err(|e| failed("drop an upload", &path, e))
            }
            Err(e) => absent_is_fine(e).map_err(|e| failed("drop an upload", &path, e)),
        })
        .await
    }

    async fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Option<Object>> {
        open(self.path(key), range).await
    }

    async fn size(&self, key: &Key) -> Result<Option<u64>> {
        let path = self.path(key);
        blocking(move || match std::fs::metadata(&path) {
            Ok(m) => Ok(Some(m.len())),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("look at an object", &path, e)),
        })
        .await
    }

    async fn delete(&self, key: &Key) -> Result<()> {
        let path = self.path(key);
        blocking(move || {
            std::fs::remove_file(&path).or_else(absent_is_fine).map_err(|e| failed("delete an object", &path, e))
        })
        .await
    }

    async fn staged(&self, before: DateTime<Utc>) -> Result<Vec<Staged>> {
        let folder = self.folder.join(STAGING);
        blocking(move || list_staged(&folder, before).map_err(|e| failed("list uploads", &folder, e))).await
    }

    async fn check(&self) -> Result<()> {
        let probe = self.folder.join(STAGING).join(format!("probe-{}", uuid::Uuid::now_v7()));
        blocking(move || {
            std::fs::write(&probe, b"probe")
                .and_then(|()| std::fs::remove_file(&probe))
                .map_err(|e| failed("write to the storage folder", &probe, e))
        })
        .await
    }
}

/// Takes pieces from the stream until they are worth a write; empty at its end.
async fn collect(body: &mut Incoming<'_>) -> Result<Vec<Bytes>> {
    let mut pieces = Vec::new();
    let mut size = 0;
    while size < WRITE_BYTES {
        match body.try_next().await? {
            Some(piece) => {
                size += piece.len();
                if !piece.is_empty() {
                    pieces.push(piece);
                }
            }
            None => break,
        }
    }
    Ok(pieces)
}

/// The writer's lock dies with its process, so an upload is free again after a crash.
fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(busy()),
        Err(TryLockError::Error(e)) => Err(failed("lock an upload", path, e)),
    }
}

fn open_for_append(path: &Path, offset: u64) -> Result<File> {
    let file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Err(Error::not_found("upload").with_source(e)),
        Err(e) => return Err(failed("open an upload", path, e)),
    };
    lock(&file, path)?;
    let position = || -> io::Result<bool> {
        let staged = file.metadata()?.len();
        if staged > offset {
            file.set_len(offset)?;
        }
        (&file).seek(SeekFrom::Start(offset))?;
        Ok(staged >= offset)
    };
    if !position().map_err(|e| failed("open an upload", path, e))? {
        return Err(Error::conflict("storage.staged_short", "the storage holds less of the upload than was recorded"));
    }
    Ok(file)
}

fn write_all(file: &mut File, pieces: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|p| IoSlice::new(p)).collect();
    let mut rest = slices.as_mut_slice();
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => IoSlice::advance_slices(&mut rest, n),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Syncs the staged file BEFORE it gets its name: a name must never stand for bytes that a power cut can take.
fn publish(staged: &Path, target: &Path) -> io::Result<()> {
    let file = match File::open(staged) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound && target.exists() => return Ok(()),
        Err(e) => return Err(e),
    };
    file.try_lock().map_err(io::Error::from)?;
    if target.exists() {
        return std::fs::remove_file(staged).or_else(absent_is_fine);
    }
    file.sync_all()?;
    let folder = target.parent().unwrap_or(target);
    if !folder.exists() {
        make_durable_folder(folder)?;
    }
    std::fs::rename(staged, target)?;
    File::open(folder)?.sync_all()
}

fn make_durable_folder(folder: &Path) -> io::Result<()> {
    let Some(parent) = folder.parent() else { return Ok(()) };
    if !parent.exists() {
        make_durable_folder(parent)?;
    }
    match std::fs::create_dir(folder) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ => File::open(parent)?.sync_all(),
    }
}

async fn open(path: PathBuf, range: Option<Range<u64>>) -> Result<Option<Object>> {
    let opened = blocking(move || {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed("open an object", &path, e)),
        };
        let size = file.metadata().map_err(|e| failed("open an object", &path, e))?.len();
        let Range { start, end } = range.unwrap_or(0..size);
        let end = end.min(size);
        let start = start.min(end);
        let first = read_at(&file, start..end.min(start + READ_BYTES))?;
        Ok(Some((file, size, first, start..end)))
    })
    .await?;
    Ok(opened.map(|(file, size, first, range)| Object { size, body: body(file, first, range) }))
}

fn body(file: File, first: Bytes, range: Range<u64>) -> ByteStream {
    let from = range.start + first.len() as u64;
    if from >= range.end {
        return stream::once(async { Ok(first) }).boxed();
    }
    let file = Arc::new(file);
    let starts = (0..(range.end - from).div_ceil(READ_BYTES)).map(move |n| from + n * READ_BYTES);
    let rest = stream::iter(starts)
        .map(move |start| {
            let file = file.clone();
            let end = range.end.min(start + READ_BYTES);
            blocking(move || read_at(&file, start..end))
        })
        .buffered(READ_AHEAD);
    stream::once(async { Ok(first) }).chain(rest).boxed()
}

fn read_at(file: &File, range: Range<u64>) -> Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(|_| Error::internal("a read of that size"))?;
    let mut buffer = vec![0; length];
    file.read_exact_at(&mut buffer, range.start).map_err(|e| failed("read an object", Path::new(""), e))?;
    Ok(buffer.into())
}

fn list_staged(folder: &Path, before: DateTime<Utc>) -> io::Result<Vec<Staged>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let modified_at = match entry.metadata().and_then(|m| m.modified()) {
            Ok(time) => DateTime::<Utc>::from(time),
            // Committed or dropped meanwhile.
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        if let (true, Ok(upload)) = (modified_at < before, entry.file_name().into_string()) {
            found.push(Staged { upload, modified_at });
        }
    }
    Ok(found)
}

fn absent_is_fine(e: io::Error) -> io::Result<()> {
    if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) }
}

fn busy() -> Error {
    Error::conflict("storage.upload_busy", "another request is writing to this upload")
}

fn failed(what: &str, path: &Path, e: io::Error) -> Error {
    match e.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Error::unavailable("storage.full", "the storage is full; an operator must make room").with_source(e)
        }
        _ => Error::internal(format!("cannot {what} ({})", path.display())).with_source(e),
    }
}
