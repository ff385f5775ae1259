//! Who may write to an upload. Its marker object is the lock: empty while it is free, else held by whoever replaced it
//! on condition of its version. A holder renews it and frees it in the end; one that died is followed after [`LEASE`].
//!
//! The clock only decides how soon that is. Every write of a holder is bound to the versions it knows, so one that comes
//! back from a long sleep is refused and can spoil nothing.

use super::bucket::{Bucket, When};
use crate::kernel::{Clock, Result};
use crate::platform::storage::busy;
use crate::platform::tasks::Tasks;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a hold lasts that is not renewed.
const LEASE: Duration = Duration::from_secs(15);
const RENEW: Duration = Duration::from_secs(5);
/// Tries while another process may just be letting go, and the wait between them.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// The uploads that this process holds.
#[derive(Debug, Clone, Default)]
pub struct Writers(Arc<Mutex<HashMap<String, Phase>>>);

#[derive(Debug)]
enum Phase {
    Writing,
    /// The marker is being freed; the receiver sees the end.
    Leaving(watch::Receiver<()>),
}

/// A place in [`Writers`], given up with the value.
struct Seat {
    writers: Writers,
    upload: String,
}

/// The right to write. It ends with the value, and with the process.
pub struct Hold {
    writers: Writers,
    upload: String,
    left: watch::Receiver<()>,
    lost: CancellationToken,
    /// Ends the keeper when it goes.
    _stop: oneshot::Sender<()>,
}

impl Hold {
    /// Takes the upload of this marker. None when there is no such upload; Conflict `storage.upload_busy` while another
    /// writer has it.
    pub async fn take(
        bucket: &Arc<Bucket>,
        tasks: &Tasks,
        writers: &Writers,
        upload: &str,
        marker: String,
    ) -> Result<Option<Self>> {
        let seat = writers.sit(upload).await?;
        let Some(version) = claim(bucket, &marker).await? else { return Ok(None) };
        let (stop, stopped) = oneshot::channel();
        let (leave, left) = watch::channel(());
        let lost = CancellationToken::new();
        let keeper = Keeper { bucket: bucket.clone(), marker, version, lost: lost.clone() };
        tasks.spawn("storage.hold", async move {
            keeper.run(stopped).await;
            drop(seat);
            drop(leave);
        });
        Ok(Some(Self { writers: writers.clone(), upload: upload.to_owned(), left, lost, _stop: stop }))
    }

    /// Conflict when another writer has taken over: this one was silent for too long.
    pub fn check(&self) -> Result<()> {
        if self.lost.is_cancelled() { Err(busy()) } else { Ok(()) }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.writers.lock().insert(self.upload.clone(), Phase::Leaving(self.left.clone()));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.writers.lock().remove(&self.upload);
    }
}

impl Writers {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Phase>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for one of this process who is just leaving; one who writes makes it busy.
    async fn sit(&self, upload: &str) -> Result<Seat> {
        loop {
            let mut leaving = {
                let mut uploads = self.lock();
                match uploads.get(upload) {
                    None => {
                        uploads.insert(upload.to_owned(), Phase::Writing);
                        return Ok(Seat { writers: self.clone(), upload: upload.to_owned() });
                    }
                    Some(Phase::Writing) => return Err(busy()),
                    Some(Phase::Leaving(left)) => left.clone(),
                }
            };
            // An error is the end that was waited for.
            let _ = leaving.changed().await;
        }
    }
}

/// Makes the marker ours; gives its version, or none when there is no marker.
async fn claim(bucket: &Bucket, marker: &str) -> Result<Option<String>> {
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let Some(found) = bucket.head(marker).await? else { return Ok(None) };
        let age = Clock::system().now() - found.modified_at;
        let free = found.size == 0 || age.to_std().is_ok_and(|age| age > LEASE);
        if let (true, Some(version)) = (free, found.version)
            && let Some(ours) = bucket.put(marker, unique(), When::Version(&version)).await?
        {
            return Ok(Some(ours));
        }
    }
    Err(busy())
}

/// Renews the marker until the writer goes, then frees it.
struct Keeper {
    bucket: Arc<Bucket>,
    marker: String,
    version: String,
    lost: CancellationToken,
}

impl Keeper {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        while tokio::time::timeout(RENEW, &mut stopped).await.is_err() {
            self.replace(unique()).await;
        }
        self.replace(Bytes::new()).await;
    }

    async fn replace(&mut self, content: Bytes) {
        if self.lost.is_cancelled() {
            return;
        }
        match self.bucket.put(&self.marker, content, When::Version(&self.version)).await {
            Ok(Some(version)) => self.version = version,
            // Also when the upload ended: its marker is gone.
            Ok(None) => self.lost.cancel(),
            // Unknown: the next renewal tells.
            Err(error) => tracing::warn!(%error, marker = self.marker, "cannot renew the hold on an upload"),
        }
    }
}

/// Content that no other holder writes, so that no two versions are the same.
fn unique() -> Bytes {
    Uuid::now_v7().to_string().into()
}
