//! Objects as files. An upload is a file under `staging/`, locked by its one writer; commit syncs it and renames it to
//! its key, then syncs the folder. All file operations run off the reactor, in pieces of a quarter of a megabyte.

use super::{
    ByteStream, Config, Incoming, Key, Listed, Object, ObjectStore, Staged, Upload, busy, check_name, staged_short,
};
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
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes collected before they are handed to the disk in one go.
const WRITE_BYTES: usize = 256 * 1024;
/// Bytes of one read.
const READ_SIZE: usize = 256 * 1024;
const READ_BYTES: u64 = READ_SIZE as u64;
/// Less than that is copied out of the buffer of a read.
const SMALL_BYTES: usize = 32 * 1024;
/// Reads in flight: the next is on its way while one is being sent.
const READ_AHEAD: usize = 2;
/// Buffers of reads that are kept for the next: fresh memory costs more than the read.
const KEEP_BUFFERS: usize = 32;

const STAGING: &str = "staging";

/// Objects in a folder.
#[derive(Debug, Clone)]
pub struct FsStore {
    folder: Arc<Path>,
    buffers: Arc<Buffers>,
}

impl FsStore {
    /// The folder, untouched; [`ObjectStore::prepare`] makes it.
    pub fn at(config: &Config) -> Self {
        Self { folder: Path::new(&config.folder).into(), buffers: Arc::default() }
    }

    fn staged_path(&self, upload: &str) -> Result<PathBuf> {
        check_name(upload)?;
        Ok(self.folder.join(STAGING).join(upload))
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

    async fn open(&self, upload: &str) -> Result<Option<Box<dyn Upload>>> {
        let path = self.staged_path(upload)?;
        let (folder, buffers) = (self.folder.clone(), self.buffers.clone());
        blocking(move || {
            let file = match OpenOptions::new().read(true).write(true).open(&path) {
                Ok(file) => file,
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
                Err(e) => return Err(failed("open an upload", &path, e)),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(busy()),
                Err(TryLockError::Error(e)) => return Err(failed("lock an upload", &path, e)),
            }
            // Whoever had the lock before may have ended the upload.
            if !path.exists() {
                return Ok(None);
            }
            let staged = file.metadata().map_err(|e| failed("open an upload", &path, e))?.len();
            Ok(Some(Box::new(FsUpload { file: Arc::new(file), path, folder, buffers, staged }) as Box<dyn Upload>))
        })
        .await
    }

    async fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Option<Object>> {
        open(self.path(key), range, self.buffers.clone()).await
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

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>> {
        let wanted = Wanted {
            root: self.folder.clone(),
            prefix: prefix.to_owned(),
            after: after.map(|k| k.as_str().to_owned()).unwrap_or_default(),
            limit,
        };
        blocking(move || {
            let mut found = Vec::new();
            wanted.collect("", &mut found).map_err(|e| failed("list objects", &wanted.root, e))?;
            Ok(found)
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

    async fn prepare(&self) -> Result<()> {
        let staging = self.folder.join(STAGING);
        blocking(move || std::fs::create_dir_all(&staging).map_err(|e| failed("make the storage folder", &staging, e)))
            .await
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

/// A staged file, locked. The lock dies with the process, so an upload is free again after a crash.
struct FsUpload {
    file: Arc<File>,
    path: PathBuf,
    folder: Arc<Path>,
    buffers: Arc<Buffers>,
    /// Bytes in the file.
    staged: u64,
}

#[async_trait::async_trait]
impl Upload for FsUpload {
    async fn append(&mut self, offset: u64, body: &mut Incoming<'_>) -> Result<u64> {
        let mut size = offset;
        let mut pieces = collect(body).await?;
        if pieces.is_empty() && self.staged == offset {
            return Ok(size);
        }
        // The first write puts the file in order, too: one trip off the reactor for a small body.
        let mut from = Some(offset);
        loop {
            size += pieces.iter().map(|p| p.len() as u64).sum::<u64>();
            let (file, path, from) = (self.file.clone(), self.path.clone(), from.take());
            let write = blocking(move || {
                from.map_or(Ok(()), |offset| position(&file, &path, offset))?;
                write_all(&file, &pieces).map_err(|e| failed("write an upload", &path, e))?;
                // Freed by the thread that made them, which finds them again.
                Ok(pieces)
            });
            // Unknown until the write has succeeded.
            self.staged = u64::MAX;
            // The next pieces arrive while these are written. Both are waited for, so that no write outlives the call.
            let (written, next) = futures::join!(write, collect(body));
            drop(written?);
            self.staged = size;
            pieces = next?;
            if pieces.is_empty() {
                return Ok(size);
            }
        }
    }

    async fn read(&self) -> Result<Object> {
        let (file, buffer) = (self.file.clone(), self.buffers.lend());
        let (size, first) = blocking(move || first_piece(&file, None, buffer)).await?;
        let body = body(self.file.clone(), first, 0..size, self.buffers.clone());
        Ok(Object { size, body })
    }

    async fn commit(self: Box<Self>, key: &Key) -> Result<()> {
        let target = self.folder.join(key.as_str());
        blocking(move || publish(&self.file, &self.path, &target).map_err(|e| failed("commit an upload", &target, e)))
            .await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        blocking(move || {
            std::fs::remove_file(&self.path)
                .or_else(absent_is_fine)
                .map_err(|e| failed("drop an upload", &self.path, e))
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

fn position(mut file: &File, path: &Path, offset: u64) -> Result<()> {
    let mut go = || -> io::Result<bool> {
        let staged = file.metadata()?.len();
        if staged > offset {
            file.set_len(offset)?;
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok(staged >= offset)
    };
    if go().map_err(|e| failed("open an upload", path, e))? { Ok(()) } else { Err(staged_short()) }
}

fn write_all(mut file: &File, pieces: &[Bytes]) -> io::Result<()> {
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
fn publish(file: &File, staged: &Path, target: &Path) -> io::Result<()> {
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

async fn open(path: PathBuf, range: Option<Range<u64>>, buffers: Arc<Buffers>) -> Result<Option<Object>> {
    let buffer = buffers.lend();
    let opened = blocking(move || {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed("open an object", &path, e)),
        };
        let (size, first) = first_piece(&file, range.as_ref(), buffer)?;
        let range = cut(range.as_ref(), size);
        Ok(Some((file, size, first, range)))
    })
    .await?;
    Ok(opened.map(|(file, size, first, range)| Object { size, body: body(Arc::new(file), first, range, buffers) }))
}

/// The size of the file and the first bytes of the range: a small object needs no second trip to the disk.
fn first_piece(file: &File, range: Option<&Range<u64>>, buffer: Lent) -> Result<(u64, Bytes)> {
    let size = file.metadata().map_err(|e| failed("look at an object", Path::new(""), e))?.len();
    let Range { start, end } = cut(range, size);
    Ok((size, read_at(file, start..end.min(start + READ_BYTES), buffer)?))
}

fn cut(range: Option<&Range<u64>>, size: u64) -> Range<u64> {
    let (start, end) = range.map_or((0, size), |r| (r.start, r.end.min(size)));
    start.min(end)..end
}

fn body(file: Arc<File>, first: Bytes, range: Range<u64>, buffers: Arc<Buffers>) -> ByteStream {
    let from = range.start + first.len() as u64;
    let starts = (0..range.end.saturating_sub(from).div_ceil(READ_BYTES)).map(move |n| from + n * READ_BYTES);
    let rest = stream::iter(starts)
        .map(move |start| {
            let (file, buffer) = (file.clone(), buffers.lend());
            let end = range.end.min(start + READ_BYTES);
            blocking(move || read_at(&file, start..end, buffer))
        })
        .buffered(READ_AHEAD);
    stream::once(async { Ok(first) }).chain(rest).boxed()
}

fn read_at(file: &File, range: Range<u64>, mut buffer: Lent) -> Result<Bytes> {
    buffer.length = usize::try_from(range.end - range.start).map_err(|_| Error::internal("a read of that size"))?;
    let place = &mut buffer.bytes[..buffer.length];
    file.read_exact_at(place, range.start).map_err(|e| failed("read an object", Path::new(""), e))?;
    // A small object may be kept for long, and keeps no buffer.
    if buffer.length < SMALL_BYTES { Ok(Bytes::copy_from_slice(place)) } else { Ok(Bytes::from_owner(buffer)) }
}

/// Buffers at rest, each of one read. They are made where they are filled from, and not by the threads of the disk: each
/// thread keeps a part of what it allocates.
#[derive(Debug, Default)]
struct Buffers(Mutex<Vec<Vec<u8>>>);

/// A buffer in use, which goes back when it is dropped.
struct Lent {
    bytes: Vec<u8>,
    /// How much of it counts.
    length: usize,
    home: Arc<Buffers>,
}

impl Buffers {
    fn lend(self: &Arc<Self>) -> Lent {
        let rested = self.at_rest().pop();
        let bytes = rested.unwrap_or_else(|| vec![0; READ_SIZE]);
        Lent { bytes, length: 0, home: self.clone() }
    }

    fn at_rest(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut at_rest = self.home.at_rest();
        if at_rest.len() < KEEP_BUFFERS {
            at_rest.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// What a listing looks for.
struct Wanted {
    root: Arc<Path>,
    prefix: String,
    /// Empty: from the first.
    after: String,
    limit: usize,
}

impl Wanted {
    /// Adds the objects of a folder (empty, or its path with a slash at its end). A folder is sorted by its name with that
    /// slash, which is where its objects stand among the keys; one without a wanted key is not read.
    fn collect(&self, folder: &str, found: &mut Vec<Listed>) -> io::Result<()> {
        let mut names = Vec::new();
        let entries = match std::fs::read_dir(self.root.join(folder)) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let slash = if entry.file_type()?.is_dir() { "/" } else { "" };
            let path = format!("{folder}{name}{slash}");
            if path.strip_suffix('/') != Some(STAGING) && self.may_hold(&path) {
                names.push(path);
            }
        }
        names.sort_unstable();
        for path in names {
            if found.len() >= self.limit {
                break;
            }
            if path.ends_with('/') {
                self.collect(&path, found)?;
            } else if let Ok(key) = Key::new(path) {
                match std::fs::metadata(self.root.join(key.as_str())).and_then(|m| Ok((m.len(), m.modified()?))) {
                    Ok((size_bytes, time)) => found.push(Listed { key, size_bytes, modified_at: time.into() }),
                    // Deleted meanwhile.
                    Err(e) if e.kind() == ErrorKind::NotFound => {}
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(())
    }

    fn may_hold(&self, path: &str) -> bool {
        if path.ends_with('/') {
            let prefixed = path.starts_with(&self.prefix) || self.prefix.starts_with(path);
            prefixed && (path > self.after.as_str() || self.after.starts_with(path))
        } else {
            path.starts_with(&self.prefix) && path > self.after.as_str()
        }
    }
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

fn failed(what: &str, path: &Path, e: io::Error) -> Error {
    match e.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Error::unavailable("storage.full", "the storage is full; an operator must make room").with_source(e)
        }
        _ => Error::internal(format!("cannot {what} ({})", path.display())).with_source(e),
    }
}
