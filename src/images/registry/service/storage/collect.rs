//! Garbage collection beside pushes, in five kinds of steps: manifests that retention lets go, links that no manifest
//! needs, blobs that no repository links, objects that no record names, objects that are garbage.
//!
//! Why nothing is lost: a link goes only under the tenant's turn, which commits of manifests take, too. A blob's row goes
//! only when nobody links it, and whoever links it holds the row by the foreign key. Every push writes to a key of its
//! own, so an object is garbage for ever. Why nothing is leaked: the row and the garbage entry change places in one
//! statement, an entry goes only after its object, and objects that a crash kept from being recorded are found by listing.

use super::Registry;
use crate::images::registry::model::{RunKind, StorageRun};
use crate::images::registry::service::blobs::RENEW_AFTER;
use crate::images::registry::store;
use crate::images::registry::store::garbage::{Garbage, Link};
use crate::images::registry::store::retention::RepositoryAt;
use crate::kernel::{Digest, Result};
use crate::platform::storage::{Key, Listed};
use chrono::{DateTime, Duration, Utc};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};

/// Rows that one step looks at.
const ROWS: i64 = 1000;
/// Objects that one step lists or deletes.
const OBJECTS: usize = 500;
/// Objects deleted at the same time.
const PARALLEL: usize = 8;
/// Where blobs are.
const BLOBS: &str = "blobs/";
/// How long an object stays after it became garbage: longer than a push takes to record one, and than a client that was
/// told where it is takes to open it.
const DELETE_AFTER: Duration = Duration::hours(1);

/// Where a run goes on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cursor {
    /// After this repository.
    Manifests(Option<RepositoryAt>),
    /// After this link.
    Links(Option<Link>),
    /// After this blob.
    Blobs(Option<Digest>),
    /// After this object.
    Orphans(Option<String>),
    /// After this garbage.
    Garbage(String),
    /// After this blob, in a verification.
    Scrub(Option<Digest>),
}

impl Cursor {
    pub(super) fn first(kind: RunKind) -> Self {
        match kind {
            RunKind::Collect => Self::Manifests(None),
            RunKind::Scrub => Self::Scrub(None),
        }
    }
}

impl Registry {
    /// One step of a run; gives where to go on, nothing at its end.
    pub(super) async fn step(&self, run: &mut StorageRun, at: Cursor) -> Result<Option<Cursor>> {
        Ok(match at {
            Cursor::Manifests(after) => match self.collect_manifests(run, after.as_ref()).await? {
                Some(last) => Some(Cursor::Manifests(Some(last))),
                None => Some(Cursor::Links(None)),
            },
            Cursor::Links(after) => match self.collect_links(run, after.as_ref()).await? {
                Some(last) => Some(Cursor::Links(Some(last))),
                None => Some(Cursor::Blobs(None)),
            },
            Cursor::Blobs(after) => match self.collect_blobs(run, after.as_ref()).await? {
                Some(last) => Some(Cursor::Blobs(Some(last))),
                None => Some(Cursor::Orphans(None)),
            },
            Cursor::Orphans(after) => match self.collect_orphans(run, after).await? {
                Some(last) => Some(Cursor::Orphans(Some(last))),
                None => Some(Cursor::Garbage(String::new())),
            },
            Cursor::Garbage(after) => self.delete_garbage(run, &after).await?.map(Cursor::Garbage),
            Cursor::Scrub(after) => self.scrub(run, after.as_ref()).await?.map(|last| Cursor::Scrub(Some(last))),
        })
    }

    /// Before this time nothing that is on its way now can have begun.
    pub(in crate::images::registry::service) fn grace_ends(&self) -> DateTime<Utc> {
        self.parts.clock.now() - Duration::hours(self.config().collect_grace_hours.max(1).into())
    }

    /// Before this time no link was made that anybody relies on: one is renewed only when it is older than an hour.
    fn links_end(&self) -> DateTime<Utc> {
        self.grace_ends() - RENEW_AFTER
    }

    async fn collect_links(&self, run: &mut StorageRun, after: Option<&Link>) -> Result<Option<Link>> {
        let before = self.links_end();
        let mut tx = self.parts.db.system("look for idle links").await?;
        let seen = store::garbage::links(&mut tx, after, before, ROWS).await?;
        drop(tx);
        let idle: Vec<Link> = seen.iter().filter(|(_, idle)| *idle).map(|(link, _)| *link).collect();
        if run.dry_run {
            run.counts.links += idle.len() as u64;
        } else {
            for of_tenant in idle.chunk_by(|a, b| a.tenant == b.tenant) {
                let mut tx = self.parts.db.tenant(of_tenant[0].tenant).await?;
                store::usage::lock(&mut tx).await?;
                let gone = store::garbage::unlink_idle(&mut tx, of_tenant, before).await?;
                tx.commit().await?;
                run.counts.links += gone;
                metrics::counter!("image_factory_storage_collected_links_total").increment(gone);
            }
        }
        Ok(seen.last().map(|(link, _)| *link))
    }

    async fn collect_blobs(&self, run: &mut StorageRun, after: Option<&Digest>) -> Result<Option<Digest>> {
        let before = self.links_end();
        let mut tx = self.parts.db.system("collect blobs").await?;
        let seen = store::garbage::blobs(&mut tx, after, before, run.dry_run, ROWS).await?;
        let unlinked: Vec<_> = seen.iter().filter(|b| b.unlinked).collect();
        for blob in &unlinked {
            run.found("blob", blob.digest.to_string(), blob.size_bytes);
        }
        if run.dry_run {
            run.counts.blobs += unlinked.len() as u64;
            run.counts.bytes += unlinked.iter().map(|b| b.size_bytes).sum::<u64>();
        } else if !unlinked.is_empty() {
            let digests: Vec<Digest> = unlinked.iter().map(|b| b.digest).collect();
            let (gone, bytes) = store::garbage::discard(&mut tx, &digests, self.parts.clock.now()).await?;
            tx.commit().await?;
            run.counts.blobs += gone;
            metrics::counter!("image_factory_storage_collected_blobs_total").increment(gone);
            metrics::counter!("image_factory_storage_collected_bytes_total").increment(bytes);
        }
        Ok(seen.last().map(|b| b.digest))
    }

    async fn collect_orphans(&self, run: &mut StorageRun, after: Option<String>) -> Result<Option<String>> {
        let before = self.grace_ends();
        let after = after.map(Key::new).transpose()?;
        let listed = self.parts.store.list(BLOBS, after.as_ref(), OBJECTS).await?;
        let old: Vec<Listed> = listed.iter().filter(|o| o.modified_at < before).cloned().collect();
        let mut tx = self.parts.db.system("collect orphans").await?;
        let keys = store::garbage::orphans(&mut tx, &old).await?;
        let orphans: Vec<&Listed> = old.iter().filter(|o| keys.iter().any(|k| k == o.key.as_str())).collect();
        if !run.dry_run && !orphans.is_empty() {
            store::garbage::insert(&mut tx, &orphans, self.parts.clock.now()).await?;
            tx.commit().await?;
        }
        for orphan in &orphans {
            run.found("orphan", orphan.key.as_str(), orphan.size_bytes);
            run.counts.orphans += 1;
            run.counts.bytes += if run.dry_run { orphan.size_bytes } else { 0 };
        }
        Ok(listed.last().map(|o| o.key.as_str().to_owned()))
    }

    async fn delete_garbage(&self, run: &mut StorageRun, after: &str) -> Result<Option<String>> {
        let now = self.parts.clock.now();
        // All of it would go in the end.
        let before = if run.dry_run { now } else { now - DELETE_AFTER };
        let mut tx = self.parts.db.system("look for garbage").await?;
        if after.is_empty() && !run.dry_run {
            store::garbage::spare_named(&mut tx).await?;
        }
        let due = store::garbage::due(&mut tx, after, before, i64::try_from(OBJECTS).unwrap_or(i64::MAX)).await?;
        tx.commit().await?;
        let last = due.last().map(|g| g.storage_key.clone());
        if run.dry_run {
            run.counts.objects += due.len() as u64;
            run.counts.bytes += due.iter().map(|g| g.size_bytes).sum::<u64>();
            return Ok(last);
        }
        let delete = |garbage: Garbage| async move {
            let deleted = match Key::new(garbage.storage_key.as_str()) {
                Ok(key) => self.parts.store.delete(&key).await,
                Err(error) => Err(error),
            };
            (garbage, deleted)
        };
        let mut deleted = stream::iter(due).map(delete).buffer_unordered(PARALLEL);
        let mut keys = Vec::new();
        while let Some((garbage, outcome)) = deleted.next().await {
            match outcome {
                Ok(()) => {
                    run.counts.objects += 1;
                    run.counts.bytes += garbage.size_bytes;
                    metrics::counter!("image_factory_storage_deleted_objects_total").increment(1);
                    keys.push(garbage.storage_key);
                }
                Err(error) => {
                    tracing::warn!(
                        ?error,
                        key = garbage.storage_key,
                        "an object is not deleted; the next run tries again"
                    );
                    run.counts.errors += 1;
                    run.found("error", garbage.storage_key, garbage.size_bytes);
                }
            }
        }
        let mut tx = self.parts.db.system("forget garbage").await?;
        store::garbage::forget(&mut tx, &keys).await?;
        tx.commit().await?;
        Ok(last)
    }
}
