//! Pulls of blobs: one process fetches and stores, its client reads along; others wait for what was stored.

use super::Pull;
use crate::images::registry::BodyStream;
use crate::kernel::{Digest, Error, Result, found};
use crate::platform::storage::ByteStream;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

/// How long a fetch is another's when it is not renewed, and how often it is. Longer than an upstream may be silent.
const LEASE: Duration = Duration::from_mins(1);
const RENEW: Duration = Duration::from_secs(15);
/// How often those look who wait for another's fetch.
const POLL: Duration = Duration::from_millis(250);
/// How long the fetch waits for a client that reads slowly; it then gets the rest from the storage.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pieces on their way to the client.
const AHEAD: usize = 16;

/// The client of a pull.
#[derive(Clone)]
struct Reader {
    pieces: mpsc::Sender<Result<Bytes>>,
    /// Where in the blob the next piece begins that it wants.
    at: Arc<AtomicU64>,
    end: u64,
}

impl Reader {
    fn at(&self) -> u64 {
        self.at.load(Ordering::Relaxed)
    }

    /// Gives it what it wants of a piece that begins at `start`. False when it does not take it.
    async fn give(&self, start: u64, piece: &Bytes) -> bool {
        let (from, to) = (self.at(), self.end.min(start + piece.len() as u64));
        if from < start || from >= to {
            return true;
        }
        let index = |at: u64| usize::try_from(at - start).unwrap_or(usize::MAX);
        let wanted = piece.slice(index(from)..index(to));
        let taken = self.pieces.send_timeout(Ok(wanted), PATIENCE).await.is_ok();
        if taken {
            self.at.store(to, Ordering::Relaxed);
        }
        taken
    }
}

impl Pull {
    /// A blob that is not here, from there. It is stored even when the client goes away meanwhile.
    pub(super) fn relay(self, blob: Digest, range: Range<u64>) -> ByteStream {
        let (pieces, read) = mpsc::channel(AHEAD);
        let reader = Reader { pieces, at: Arc::new(AtomicU64::new(range.start)), end: range.end };
        let tasks = self.upstreams.tasks.clone();
        tasks.spawn("upstreams.relay", async move {
            if let Err(error) = self.serve(&blob, &reader).await {
                tracing::warn!(%error, repository = %self.name, %blob, "a pull through a cache failed");
                // Nobody may be listening any more.
                let _ = reader.pieces.send(Err(error)).await;
            }
        });
        ReceiverStream::new(read).boxed()
    }

    async fn serve(&self, blob: &Digest, reader: &Reader) -> Result<()> {
        let subject = format!("blob {}@{blob}", self.name.image());
        let holder = Uuid::now_v7();
        loop {
            let here = found(self.registry.blob(&self.access(), &self.name, blob).await)?;
            if let Some(here) = here {
                let rest = reader.at()..reader.end;
                let mut body = self.registry.blob_body(&here, Some(rest)).await?;
                while let Some(piece) = body.try_next().await? {
                    if reader.pieces.send(Ok(piece)).await.is_err() {
                        break;
                    }
                }
                return Ok(());
            }
            if self.claim(&subject, holder, LEASE).await? {
                let stored = self.store(&subject, holder, blob, reader).await;
                self.release(&subject, holder).await?;
                stored?;
            } else if reader.pieces.is_closed() {
                return Ok(());
            } else {
                tokio::time::sleep(POLL).await;
            }
        }
    }

    /// Fetches and stores a blob while the client reads along, all but the last piece: that follows from the storage,
    /// when the whole is verified.
    async fn store(&self, subject: &str, holder: Uuid, blob: &Digest, reader: &Reader) -> Result<()> {
        let body = self.upstreams.client.blob(&self.remote, self.name.image(), blob).await?;
        let body =
            body.ok_or_else(|| Error::unavailable("upstream.blob_gone", "the upstream registry has lost the blob"))?;
        let body = self.read_along(body, subject.to_owned(), holder, reader.clone());
        self.registry.push_blob(&Arc::new(self.access()), &self.name, *blob, body).await?;
        metrics::counter!("image_factory_upstream_blobs_total").increment(1);
        for manifest in self.waiting_for(blob).await? {
            self.settle(manifest).await;
        }
        Ok(())
    }

    /// Passes a body on; renews the lease from time to time.
    fn read_along(&self, body: BodyStream, subject: String, holder: Uuid, reader: Reader) -> BodyStream {
        struct State {
            body: BodyStream,
            held: Option<(u64, Bytes)>,
            next: u64,
            reader: Option<Reader>,
            renewed: Instant,
        }
        let start = State { body, held: None, next: 0, reader: Some(reader), renewed: Instant::now() };
        let pull = self.clone();
        stream::try_unfold((start, pull, subject), move |(mut s, pull, subject)| async move {
            let Some(piece) = s.body.try_next().await? else { return Ok(None) };
            if s.renewed.elapsed() > RENEW {
                if !pull.claim(&subject, holder, LEASE).await? {
                    return Err(Error::unavailable("upstream.fetch_lost", "another process fetches the blob now"));
                }
                s.renewed = Instant::now();
            }
            if let (Some((at, held)), Some(reader)) = (s.held.take(), &s.reader)
                && !reader.give(at, &held).await
            {
                s.reader = None;
            }
            s.held = Some((s.next, piece.clone()));
            s.next += piece.len() as u64;
            Ok(Some((piece, (s, pull, subject))))
        })
        .boxed()
    }
}
