//! An upload as objects of its own, until it is one: pieces of a fixed size, named by where they begin, of which only
//! the last may be short. A short one is replaced by a longer one with the same name, so the staged bytes survive any
//! request and any process, can be cut anywhere, and are put together at commit without passing through here.

use super::bucket::{Bucket, Source, When};
use super::hold::Hold;
use crate::kernel::{Error, Result};
use crate::platform::storage::{Incoming, Key, Object, Upload, busy, staged_short};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use std::pin::Pin;
use std::sync::Arc;

/// Size of a piece: what is held in memory, at most [`IN_FLIGHT`] times and once more while the next fills.
const PIECE: u64 = 8 << 20;
/// Size of a piece of what lies beyond [`LARGE_FROM`]: an object is put together of at most 10,000 pieces.
const LARGE_PIECE: u64 = 64 << 20;
const LARGE_FROM: u64 = 4096 * PIECE;
/// Largest object in bytes.
const MAX: u64 = LARGE_FROM + (10_000 - 4096) * LARGE_PIECE;
/// Pieces on their way to the bucket.
const IN_FLIGHT: usize = 2;

/// Where an upload is in the bucket.
#[derive(Debug, Clone)]
pub struct Stage {
    pub bucket: Arc<Bucket>,
    /// What the keys of its objects begin with.
    folder: String,
}

impl Stage {
    pub fn of(bucket: &Arc<Bucket>, upload: &str) -> Self {
        Self { bucket: bucket.clone(), folder: format!("{}{upload}/", bucket.staging()) }
    }

    /// The object that makes the upload exist, and its lock.
    pub fn marker(&self) -> String {
        format!("{}marker", self.folder)
    }

    fn piece(&self, start: u64) -> String {
        format!("{}{start:020}", self.folder)
    }

    /// Removes all of it, the marker first: nobody opens half an upload.
    pub async fn clear(&self) -> Result<()> {
        self.bucket.delete(&self.marker()).await?;
        let left = self.bucket.list(&self.folder, None, usize::MAX).await?;
        self.bucket.delete_all(left.into_iter().map(|o| o.key)).await
    }
}

/// The one writer of an upload.
pub struct S3Upload {
    stage: Stage,
    hold: Hold,
    pieces: Vec<Piece>,
    /// Staged objects that continue nothing: what a writer left that broke off.
    strays: Vec<String>,
    /// The content of the last piece, where it is known.
    tail: Option<Bytes>,
}

struct Piece {
    start: u64,
    size: u64,
    /// Not every service tells it in a listing.
    version: Option<String>,
}

impl Piece {
    fn end(&self) -> u64 {
        self.start + self.size
    }
}

impl S3Upload {
    /// What is staged, under a hold.
    pub async fn open(stage: Stage, hold: Hold) -> Result<Self> {
        let marker = stage.marker();
        let (mut pieces, mut strays, mut end) = (Vec::new(), Vec::new(), 0);
        for found in stage.bucket.list(&stage.folder, None, usize::MAX).await? {
            if found.key == marker {
                continue;
            }
            // A piece that is not whole can only be the last.
            if found.key == stage.piece(end) && pieces.last().is_none_or(|p: &Piece| p.size == room(p.start)) {
                pieces.push(Piece { start: end, size: found.size, version: found.version });
                end += found.size;
            } else {
                strays.push(found.key);
            }
        }
        Ok(Self { stage, hold, pieces, strays, tail: None })
    }

    fn size(&self) -> u64 {
        self.pieces.last().map_or(0, Piece::end)
    }

    /// Takes the piece off in which byte `offset` is to be written, and everything behind it.
    async fn unfinished(&mut self, offset: u64) -> Result<Growing> {
        if self.size() < offset {
            return Err(staged_short());
        }
        let whole = self.pieces.iter().position(|p| p.end() > offset || p.size < room(p.start));
        let mut behind = self.pieces.split_off(whole.unwrap_or(self.pieces.len())).into_iter().peekable();
        let tail = self.tail.take();
        let mut growing = Growing { start: self.size(), content: BytesMut::new(), replaces: None, short: false };
        // Nothing of a piece is kept that begins where the writing begins.
        let first = behind.next_if(|p| p.start < offset);
        self.strays.extend(behind.map(|p| self.stage.piece(p.start)));
        self.stage.bucket.delete_all(std::mem::take(&mut self.strays)).await?;
        let Some(piece) = first else { return Ok(growing) };
        let keep = offset - piece.start;
        let (content, version) = match (tail, &piece.version) {
            (Some(content), Some(version)) if content.len() as u64 == piece.size => (content, version.clone()),
            _ => self.fetch(&piece).await?,
        };
        growing.content.extend_from_slice(content.get(..usize::try_from(keep).unwrap_or(usize::MAX)).ok_or_else(busy)?);
        growing.replaces = Some(version);
        growing.short = keep < piece.size;
        Ok(growing)
    }

    async fn fetch(&self, piece: &Piece) -> Result<(Bytes, String)> {
        let key = self.stage.piece(piece.start);
        let found = self.stage.bucket.get(&key, None, piece.version.as_deref()).await?.ok_or_else(busy)?;
        let version = found.version.ok_or_else(|| Error::internal("the storage gave no ETag"))?;
        let object = Object { size: found.size, body: found.body };
        let content = object.bytes(usize::try_from(piece.size).unwrap_or(usize::MAX)).await?;
        Ok((content.into(), version))
    }

    async fn write(&self, start: u64, content: Bytes, replaces: Option<&str>) -> Result<Piece> {
        self.hold.check()?;
        if start >= MAX {
            return Err(Error::too_large(
                "storage.too_large",
                format!("an object has at most {MAX} bytes in a bucket"),
            ));
        }
        let size = content.len() as u64;
        let when = replaces.map_or(When::Absent, When::Version);
        let written = self.stage.bucket.put(&self.stage.piece(start), content, when).await?;
        Ok(Piece { start, size, version: Some(written.ok_or_else(busy)?) })
    }

    /// Writes the stream behind what `growing` holds; gives the new pieces and the content of the last.
    async fn extend(&self, mut growing: Growing, body: &mut Incoming<'_>) -> Result<(Vec<Piece>, Option<Bytes>)> {
        let mut written = Vec::new();
        let mut writes = FuturesUnordered::new();
        let mut rest = Bytes::new();
        loop {
            let size = room(growing.start);
            let filled = tokio::select! {
                filled = fill(&mut growing.content, &mut rest, size, body), if writes.len() < IN_FLIGHT => filled?,
                Some(piece) = writes.next(), if !writes.is_empty() => {
                    written.push(piece?);
                    continue;
                }
            };
            if !filled {
                break;
            }
            let next = Growing::at(growing.start + size);
            let full = std::mem::replace(&mut growing, next);
            writes.push(async move { self.write(full.start, full.content.freeze(), full.replaces.as_deref()).await });
        }
        let mut tail = None;
        if growing.short || !growing.content.is_empty() {
            let content = growing.content.freeze();
            tail = Some(content.clone());
            let last = self.write(growing.start, content, growing.replaces.as_deref());
            let (last, others) = futures::join!(last, writes.try_collect::<Vec<_>>());
            written.extend(others?);
            written.push(last?);
        } else {
            written.extend(writes.try_collect::<Vec<_>>().await?);
        }
        written.sort_unstable_by_key(|p| p.start);
        Ok((written, tail))
    }
}

/// A piece that is being filled.
struct Growing {
    start: u64,
    content: BytesMut,
    /// The version of the staged piece that it takes the place of.
    replaces: Option<String>,
    /// Whether the staged piece holds more than is to be kept.
    short: bool,
}

impl Growing {
    fn at(start: u64) -> Self {
        Self { start, content: BytesMut::new(), replaces: None, short: false }
    }
}

/// Size of the piece that begins here.
fn room(start: u64) -> u64 {
    if start < LARGE_FROM { PIECE } else { LARGE_PIECE }
}

/// Takes from the stream until there are `size` bytes; false when it ends before. Nothing is lost when it is dropped.
async fn fill(content: &mut BytesMut, rest: &mut Bytes, size: u64, body: &mut Incoming<'_>) -> Result<bool> {
    loop {
        let left = usize::try_from(size).unwrap_or(usize::MAX) - content.len();
        content.extend_from_slice(&rest.split_to(left.min(rest.len())));
        if content.len() as u64 == size {
            return Ok(true);
        }
        match body.try_next().await? {
            Some(piece) => *rest = piece,
            None => return Ok(false),
        }
    }
}

#[async_trait::async_trait]
impl Upload for S3Upload {
    async fn append(&mut self, offset: u64, body: &mut Incoming<'_>) -> Result<u64> {
        let mut body = body.peekable();
        if self.size() == offset && self.strays.is_empty() && Pin::new(&mut body).peek().await.is_none() {
            return Ok(offset);
        }
        let growing = self.unfinished(offset).await?;
        let (written, tail) = self.extend(growing, &mut body).await?;
        self.pieces.extend(written);
        self.tail = tail;
        Ok(self.size())
    }

    async fn read(&self) -> Result<Object> {
        let pieces: Vec<_> = self.pieces.iter().map(|p| (self.stage.piece(p.start), p.version.clone())).collect();
        let bucket = self.stage.bucket.clone();
        let body = stream::iter(pieces)
            .then(move |(key, version)| {
                let bucket = bucket.clone();
                async move { Ok::<_, Error>(bucket.get(&key, None, version.as_deref()).await?.ok_or_else(busy)?.body) }
            })
            .try_flatten();
        Ok(Object { size: self.size(), body: body.boxed() })
    }

    async fn commit(self: Box<Self>, key: &Key) -> Result<()> {
        self.hold.check()?;
        let (bucket, key) = (&self.stage.bucket, self.stage.bucket.object(key.as_str()));
        if bucket.head(&key).await?.is_none() {
            let names: Vec<_> = self.pieces.iter().map(|p| self.stage.piece(p.start)).collect();
            let sources: Vec<_> = names
                .iter()
                .zip(&self.pieces)
                .map(|(key, piece)| Source { key, version: piece.version.as_deref() })
                .collect();
            if sources.is_empty() {
                bucket.put(&key, Bytes::new(), When::Absent).await?;
            } else {
                bucket.assemble(&key, &sources).await?;
            }
        }
        self.stage.clear().await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.stage.clear().await
    }
}
