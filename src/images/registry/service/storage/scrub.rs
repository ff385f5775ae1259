//! Verification: every stored blob is read again, at a gentle pace, and held against its digest. What is damaged is served
//! no longer, and its object is kept for whoever wants to know why; the next push of the same digest heals it.

use super::Registry;
use crate::images::registry::events;
use crate::images::registry::model::{StorageRun, StreamHasher};
use crate::images::registry::store;
use crate::images::registry::store::scrub::StoredBlob;
use crate::kernel::{Digest, Result};
use crate::platform::events::publish_all;
use crate::platform::storage::Key;
use futures::TryStreamExt;
use std::time::{Duration, Instant};

/// Most blobs that one step reads.
const BLOBS: i64 = 100;
/// Bytes after which a step ends: what a kill makes it read again.
const STEP_BYTES: u64 = 64 * 1024 * 1024;
/// Repositories that are told of a damaged blob.
const MAX_TOLD: i64 = 10_000;

/// What reading a blob again shows.
enum Verdict {
    Sound,
    Missing,
    Damaged,
}

/// So many bytes in a second, and not more.
struct Pace {
    since: Instant,
    bytes: u64,
    per_second: u64,
}

impl Registry {
    /// Verifies some blobs after this one; gives the last.
    pub(super) async fn scrub(&self, run: &mut StorageRun, after: Option<&Digest>) -> Result<Option<Digest>> {
        let mut tx = self.parts.db.system("blobs to verify").await?;
        let blobs = store::scrub::next(&mut tx, after, BLOBS).await?;
        drop(tx);
        let per_second = self.config().scrub_bytes_per_second.max(1);
        let mut pace = Pace { since: Instant::now(), bytes: 0, per_second };
        let mut last = None;
        for blob in blobs {
            last = Some(blob.digest);
            match self.read_again(&blob, &mut pace).await {
                Ok(Verdict::Sound) => {}
                Ok(Verdict::Missing) => self.report_rot(run, &blob, false).await?,
                Ok(Verdict::Damaged) => self.report_rot(run, &blob, true).await?,
                Err(error) => {
                    tracing::warn!(?error, key = blob.storage_key, "a blob cannot be read now");
                    run.counts.errors += 1;
                    run.found("error", blob.digest.to_string(), blob.size_bytes);
                }
            }
            run.counts.verified += 1;
            run.counts.verified_bytes += blob.size_bytes;
            metrics::counter!("image_factory_storage_verified_bytes_total").increment(blob.size_bytes);
            if pace.bytes > STEP_BYTES {
                break;
            }
        }
        Ok(last)
    }

    async fn read_again(&self, blob: &StoredBlob, pace: &mut Pace) -> Result<Verdict> {
        let key = Key::new(blob.storage_key.as_str())?;
        let Some(object) = self.parts.store.get(&key, None).await? else { return Ok(Verdict::Missing) };
        let mut hasher = StreamHasher::default();
        let mut bytes = object.body;
        while let Some(piece) = bytes.try_next().await? {
            hasher.update(&piece);
            pace.keep(piece.len() as u64).await;
        }
        Ok(if hasher.digest() == blob.digest { Verdict::Sound } else { Verdict::Damaged })
    }

    async fn report_rot(&self, run: &mut StorageRun, blob: &StoredBlob, keep: bool) -> Result<()> {
        if run.dry_run {
            run.counts.corrupt += 1;
            run.found("corrupt", blob.digest.to_string(), blob.size_bytes);
            return Ok(());
        }
        let mut tx = self.parts.db.system("a blob is damaged").await?;
        if !store::scrub::mark_rotten(&mut tx, blob, keep, self.parts.clock.now()).await? {
            return Ok(());
        }
        let told = store::scrub::repositories_with(&mut tx, &blob.digest, MAX_TOLD).await?;
        let facts: Vec<_> = told
            .chunk_by(|a, b| a.0 == b.0)
            .map(|of_tenant| {
                let names: Vec<&str> = of_tenant.iter().map(|(_, name)| name.as_str()).collect();
                events::rotten(&self.parts.clock, of_tenant[0].0, &blob.digest, &names)
            })
            .collect();
        publish_all(&mut tx, &facts).await?;
        tx.commit().await?;
        tracing::error!(digest = %blob.digest, key = blob.storage_key, "a stored blob is damaged");
        metrics::counter!("image_factory_storage_rotten_blobs_total").increment(1);
        run.counts.corrupt += 1;
        run.found("corrupt", blob.digest.to_string(), blob.size_bytes);
        Ok(())
    }
}

impl Pace {
    /// Waits until these bytes are not too many.
    async fn keep(&mut self, bytes: u64) {
        self.bytes += bytes;
        let due = Duration::from_millis(self.bytes.saturating_mul(1000) / self.per_second);
        if let Some(early) = due.checked_sub(self.since.elapsed()) {
            tokio::time::sleep(early).await;
        }
    }
}
