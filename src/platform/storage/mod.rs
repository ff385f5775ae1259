//! Object storage: bytes by key. What is written is staged first and becomes visible whole, durable and by one rename,
//! or not at all; what is read is streamed. Nothing here holds an object in memory.

mod config;
pub mod fs;
mod key;
pub mod s3;

pub use config::{Config, Kind, S3Config};
pub use key::Key;

use crate::kernel::{Digest, Error, Result};
use crate::platform::tasks::Tasks;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use fs::FsStore;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use s3::S3Store;
use sha2::{Digest as _, Sha256};
use std::ops::Range;
use std::sync::Arc;

/// The store of a configuration, untouched: the service may start before it answers.
pub fn at(config: &Config, tasks: &Tasks) -> Arc<dyn ObjectStore> {
    match config.kind {
        Kind::Filesystem => Arc::new(FsStore::at(config)),
        Kind::S3 => Arc::new(S3Store::at(&config.s3, tasks.clone())),
    }
}

/// Bytes on their way out of the store, in pieces of at most a megabyte.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// Bytes on their way in. An error of the stream ends the write with that error.
pub type Incoming<'a> = dyn Stream<Item = Result<Bytes>> + Send + Unpin + 'a;

/// An object that is being read.
pub struct Object {
    /// Size of the whole object in bytes, also where a range was asked for.
    pub size: u64,
    /// The bytes of the range, or all.
    pub body: ByteStream,
}

/// What an upload left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// Its name.
    pub upload: String,
    /// When it last grew.
    pub modified_at: DateTime<Utc>,
}

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Where it is.
    pub key: Key,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// When it was written.
    pub modified_at: DateTime<Utc>,
}

/// A place for objects. An upload is named by its owner (letters, digits and `-`, at most 64), outlives the process, and
/// ends by `commit` or `abort`.
#[async_trait::async_trait]
pub trait ObjectStore: Send + Sync {
    /// Starts an upload, empty. Starting it twice is the same as once.
    async fn begin(&self, upload: &str) -> Result<()>;

    /// Opens an upload to write it, alone: whoever decides by a record of its own where to go on reads that record after
    /// this. None when there is no such upload; Conflict `storage.upload_busy` while another writer has it. The writer's
    /// hold ends with the value, and with the process.
    async fn open(&self, upload: &str) -> Result<Option<Box<dyn Upload>>>;

    /// Opens an object, or a range of its bytes (cut to its size); none when there is none.
    async fn get(&self, key: &Key, range: Option<Range<u64>>) -> Result<Option<Object>>;

    /// Size of an object in bytes; none when there is none.
    async fn size(&self, key: &Key) -> Result<Option<u64>>;

    /// Address under which a client may fetch the object itself, for some minutes; none where it is to be served from
    /// here. The object need not exist.
    async fn address(&self, _key: &Key) -> Result<Option<String>> {
        Ok(None)
    }

    /// At most `limit` objects whose keys begin with `prefix` and come after `after`, in the order of their bytes. What is
    /// staged is no object yet.
    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Listed>>;

    /// Deletes an object, if there is one.
    async fn delete(&self, key: &Key) -> Result<()>;

    /// Forgets an upload, if there is one. Conflict `storage.upload_busy` while somebody writes to it.
    async fn abort(&self, upload: &str) -> Result<()> {
        match self.open(upload).await? {
            Some(upload) => upload.abort().await,
            None => Ok(()),
        }
    }

    /// Uploads that have not grown since `before`, and what else an interrupted commit left, to be given to `abort`.
    async fn staged(&self, before: DateTime<Utc>) -> Result<Vec<Staged>>;

    /// Makes the store ready for its first object, where that takes something.
    async fn prepare(&self) -> Result<()> {
        Ok(())
    }

    /// Whether the store can be read and written.
    async fn check(&self) -> Result<()>;

    /// Writes a whole object of at most `max_bytes`; returns its size and digest. Leaves nothing behind when it fails.
    async fn put(&self, key: &Key, body: &mut Incoming<'_>, max_bytes: u64) -> Result<(u64, Digest)> {
        let name = format!("put-{}", uuid::Uuid::now_v7());
        self.begin(&name).await?;
        let gone = || Error::internal("an upload vanished while it was written");
        let mut upload = self.open(&name).await?.ok_or_else(gone)?;
        let mut hasher = Sha256::new();
        let mut seen = 0u64;
        let mut measured = body.map(|piece| {
            let piece = piece?;
            seen += piece.len() as u64;
            if seen > max_bytes {
                return Err(Error::too_large("storage.too_large", format!("more than {max_bytes} bytes were sent")));
            }
            hasher.update(&piece);
            Ok(piece)
        });
        let written = upload.append(0, &mut measured).await;
        drop(measured);
        if let Err(error) = written {
            // The reaper takes what cannot be removed now.
            let _ = upload.abort().await;
            return Err(error);
        }
        upload.commit(key).await?;
        Ok((seen, Digest::from(<[u8; 32]>::from(hasher.finalize()))))
    }
}

/// Whether this may be the name of an upload.
fn check_name(upload: &str) -> Result<()> {
    let good = (1..=64).contains(&upload.len()) && upload.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if good { Ok(()) } else { Err(Error::internal(format!("{upload:?} is not the name of an upload"))) }
}

/// Another writer has the upload.
fn busy() -> Error {
    Error::conflict("storage.upload_busy", "another request is writing to this upload")
}

/// Less is staged than the offset says.
fn staged_short() -> Error {
    Error::conflict("storage.staged_short", "the storage holds less of the upload than was recorded")
}

/// The one writer of an upload.
#[async_trait::async_trait]
pub trait Upload: Send + Sync {
    /// Writes the stream at `offset` and returns the upload's new size. What was staged beyond the offset is cut off: it
    /// was never acknowledged. Conflict `storage.staged_short` when less than the offset is staged.
    async fn append(&mut self, offset: u64, body: &mut Incoming<'_>) -> Result<u64>;

    /// Reads what is staged, to verify it.
    async fn read(&self) -> Result<Object>;

    /// Makes the upload durable, then visible under the key. An object that is there already wins.
    async fn commit(self: Box<Self>, key: &Key) -> Result<()>;

    /// Forgets the upload.
    async fn abort(self: Box<Self>) -> Result<()>;
}

impl Object {
    /// All of it in memory, for small objects: more than `max_bytes` is an error.
    pub async fn bytes(self, max_bytes: usize) -> Result<Vec<u8>> {
        self.body
            .try_fold(Vec::new(), async |mut all, piece| {
                if all.len() + piece.len() > max_bytes {
                    return Err(Error::too_large("storage.too_large", "the object is larger than its reader takes"));
                }
                all.extend_from_slice(&piece);
                Ok(all)
            })
            .await
    }
}
