//! Pushing blobs. The storage's writer is opened BEFORE the record of the upload is read: whoever holds it knows that
//! the record stands still, so two requests can never write over each other.

use super::Registry;
use crate::images::registry::access::{Access, Place};
use crate::images::registry::error;
use crate::images::registry::model::{Action, RepositoryName, StreamHasher};
use crate::images::registry::store;
use crate::images::registry::store::blobs::{Outcome, Pushed};
use crate::images::registry::store::uploads::{NewUpload, UploadRow};
use crate::kernel::ids::{ExecutionId, ImageId, TenantId, UploadId};
use crate::kernel::{Digest, Error, Kind, Result};
use crate::platform::storage::{Key, Upload};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A request's body. Its errors are the client's.
pub type BodyStream = BoxStream<'static, Result<Bytes>>;

/// Bytes between two acknowledgements inside one request: at most so many are sent again after a crash.
const CHECKPOINT_BYTES: u64 = 64 * 1024 * 1024;

/// From verified bytes to their record: less than the shortest time after which garbage is deleted.
const KEEP_WITHIN: Duration = Duration::from_mins(30);

/// How far an upload is.
#[derive(Debug, Clone, Copy)]
pub struct UploadStatus {
    /// Its id.
    pub id: UploadId,
    /// Acknowledged bytes.
    pub received_bytes: u64,
}

/// What a writer knows of the bytes so far.
struct Progress {
    received: u64,
    hasher: StreamHasher,
    /// The one process that wrote them all.
    writer: Option<Uuid>,
}

impl Registry {
    /// Starts an upload.
    pub async fn start_upload(&self, access: &Access, name: &RepositoryName) -> Result<UploadId> {
        let place = self.place_to_write(access, name, Action::Push).await?;
        let id = UploadId::new();
        self.parts.store.begin(&id.to_string()).await?;
        let new = NewUpload {
            id,
            project: place.project_id,
            name: name.image(),
            execution: access.lease.map(|l| l.execution),
            started_by: &access.actor.to_string(),
            writer: self.process,
            now: self.parts.clock.now(),
        };
        let mut at = self.parts.db.statement(place.tenant_id).await?;
        if !store::uploads::insert(&mut at, &new).await? {
            store::repositories::ensure(&mut at, place.project_id, name, new.now).await?;
            store::uploads::insert(&mut at, &new).await?;
        }
        at.keep();
        Ok(id)
    }

    /// How far an upload is.
    pub async fn upload_status(&self, access: &Access, name: &RepositoryName, id: UploadId) -> Result<UploadStatus> {
        let place = access.place(name, Action::Push)?;
        let row = self.upload_row(place, name, id).await?;
        Ok(UploadStatus { id, received_bytes: row.received_bytes })
    }

    /// Takes a chunk, which must begin where the upload ends if it says where it begins. What was received is kept also
    /// when the client breaks off.
    pub async fn append_upload(
        &self,
        access: &Arc<Access>,
        name: &RepositoryName,
        id: UploadId,
        at: Option<u64>,
        mut body: BodyStream,
    ) -> Result<UploadStatus> {
        let place = self.place_to_write(access, name, Action::Push).await?;
        let (this, name) = (self.clone(), name.clone());
        self.detached("upload", async move {
            let (mut upload, row) = this.open_upload(place, &name, id, at).await?;
            let mut progress = this.progress(&row)?;
            let received = this.receive(place.tenant_id, Some(row), &mut *upload, &mut progress, &mut body).await;
            this.unless_broken(place.tenant_id, id, upload, received).await?;
            Ok(UploadStatus { id, received_bytes: progress.received })
        })
        .await
    }

    /// Takes the last bytes, if any, and makes the upload a blob of the repository.
    pub async fn finish_upload(
        &self,
        access: &Arc<Access>,
        name: &RepositoryName,
        id: UploadId,
        at: Option<u64>,
        digest: Digest,
        mut body: BodyStream,
    ) -> Result<()> {
        let place = self.place_to_write(access, name, Action::Push).await?;
        let (this, access, name) = (self.clone(), access.clone(), name.clone());
        self.detached("upload", async move {
            let opened = this.open_upload(place, &name, id, at).await;
            let (mut upload, row) = match opened {
                Err(error) if error.kind() == Kind::NotFound => {
                    return this.finish_committed(place, &name, id, digest, error).await;
                }
                opened => opened?,
            };
            let mut progress = this.progress(&row)?;
            let repository = row.repository_id;
            let received = this.receive(place.tenant_id, Some(row), &mut *upload, &mut progress, &mut body).await;
            let upload = this.unless_broken(place.tenant_id, id, upload, received).await?;
            let verified = this.verify(&*upload, &progress, &digest).await;
            let upload = this.unless_broken(place.tenant_id, id, upload, verified).await?;
            // The rest takes a moment; whether the robot may still write is asked as late as possible.
            this.place_to_write(&access, &name, Action::Push).await?;
            let pushed = this.pushed(place, repository, &digest, progress.received, Some(id));
            this.keep(upload, id, pushed).await
        })
        .await
    }

    /// Takes a whole blob in one request.
    pub async fn push_blob(
        &self,
        access: &Arc<Access>,
        name: &RepositoryName,
        digest: Digest,
        mut body: BodyStream,
    ) -> Result<()> {
        let place = self.place_to_write(access, name, Action::Push).await?;
        let (this, access, name) = (self.clone(), access.clone(), name.clone());
        self.detached("upload", async move {
            let id = UploadId::new();
            this.parts.store.begin(&id.to_string()).await?;
            let upload = this.parts.store.open(&id.to_string()).await?;
            let mut upload = upload.ok_or_else(|| Error::internal("an upload vanished while it was written"))?;
            let mut progress = Progress { received: 0, hasher: StreamHasher::default(), writer: Some(this.process) };
            let mut taken = this.receive(place.tenant_id, None, &mut *upload, &mut progress, &mut body).await;
            if taken.is_ok() {
                taken = this.verify(&*upload, &progress, &digest).await;
            }
            if taken.is_ok() {
                taken = this.place_to_write(&access, &name, Action::Push).await.map(drop);
            }
            if let Err(error) = taken {
                // The reaper takes what cannot be removed now.
                let _ = upload.abort().await;
                return Err(error);
            }
            let mut at = this.parts.db.statement(place.tenant_id).await?;
            let now = this.parts.clock.now();
            let repository = store::repositories::ensure(&mut at, place.project_id, &name, now).await?;
            at.keep();
            this.keep(upload, id, this.pushed(place, repository, &digest, progress.received, None)).await
        })
        .await
    }

    /// Ends an upload without a blob.
    pub async fn cancel_upload(&self, access: &Access, name: &RepositoryName, id: UploadId) -> Result<()> {
        let place = self.place_to_write(access, name, Action::Push).await?;
        self.upload_row(place, name, id).await?;
        self.forget(place.tenant_id, id).await?;
        self.parts.store.abort(&id.to_string()).await.or_else(|e| if is_busy(&e) { Ok(()) } else { Err(e) })
    }

    /// Frees the unfinished uploads of an execution that has ended or lost its lease.
    pub async fn release_execution(&self, execution: ExecutionId) -> Result<()> {
        let mut tx = self.parts.db.system("free uploads of an execution").await?;
        let ids = store::uploads::delete_of_execution(&mut tx, execution).await?;
        tx.commit().await?;
        for id in ids {
            // One that is being written to right now ends at its next acknowledgement; the reaper takes its file.
            if let Err(error) = self.parts.store.abort(&id.to_string()).await
                && !is_busy(&error)
            {
                return Err(error);
            }
        }
        Ok(())
    }

    async fn upload_row(&self, place: Place, name: &RepositoryName, id: UploadId) -> Result<UploadRow> {
        let mut at = self.parts.db.statement(place.tenant_id).await?;
        let found = store::uploads::find(&mut at, id, place.project_id, name.image()).await?;
        at.keep();
        found.ok_or_else(error::upload_unknown)
    }

    async fn open_upload(
        &self,
        place: Place,
        name: &RepositoryName,
        id: UploadId,
        at: Option<u64>,
    ) -> Result<(Box<dyn Upload>, UploadRow)> {
        let opened = self.parts.store.open(&id.to_string()).await;
        let upload = opened.map_err(|e| if is_busy(&e) { error::upload_busy() } else { e })?;
        let upload = upload.ok_or_else(error::upload_unknown)?;
        let row = self.upload_row(place, name, id).await?;
        if at.is_some_and(|at| at != row.received_bytes) {
            return Err(error::out_of_order(row.received_bytes));
        }
        Ok((upload, row))
    }

    fn progress(&self, row: &UploadRow) -> Result<Progress> {
        let fresh = row.received_bytes == 0;
        Ok(Progress {
            received: row.received_bytes,
            hasher: StreamHasher::restore(row.hash_state.as_deref())?,
            writer: row.writer.filter(|w| *w == self.process).or(fresh.then_some(self.process)),
        })
    }

    /// Writes the body, acknowledging it from time to time where the upload has a record.
    async fn receive(
        &self,
        tenant: TenantId,
        mut row: Option<UploadRow>,
        upload: &mut dyn Upload,
        progress: &mut Progress,
        body: &mut BodyStream,
    ) -> Result<()> {
        let started = Instant::now();
        let from = progress.received;
        let outcome = loop {
            let mut segment = Segment {
                body,
                hasher: &mut progress.hasher,
                left: CHECKPOINT_BYTES,
                room: self.parts.config.max_blob_bytes.saturating_sub(progress.received),
                max: self.parts.config.max_blob_bytes,
                outcome: None,
            };
            let size = upload.append(progress.received, &mut segment).await?;
            let outcome = segment.outcome;
            if let Some(row) = row.as_mut().filter(|_| size > progress.received) {
                let state = progress.hasher.save();
                let now = self.parts.clock.now();
                let mut at = self.parts.db.statement(tenant).await?;
                let advanced = store::uploads::advance(&mut at, row, size, &state, progress.writer, now).await?;
                at.keep();
                if !advanced {
                    return Err(error::upload_unknown());
                }
                row.received_bytes = size;
            }
            progress.received = size;
            match outcome {
                None => {}
                Some(outcome) => break outcome,
            }
        };
        let bytes = progress.received - from;
        metrics::counter!("image_factory_registry_received_bytes_total").increment(bytes);
        self.accesses.add(tenant, |sums| sums.pushed_bytes += bytes);
        metrics::histogram!("image_factory_registry_upload_seconds").record(started.elapsed().as_secs_f64());
        outcome
    }

    /// Whether the bytes are those of the digest.
    async fn verify(&self, upload: &dyn Upload, progress: &Progress, expected: &Digest) -> Result<()> {
        let found = if progress.writer.is_some() {
            progress.hasher.clone().digest()
        } else {
            // Another process wrote a part, and its machine may have lost what was not yet synced: read all of it.
            let mut hasher = StreamHasher::default();
            let mut bytes = upload.read().await?.body;
            while let Some(piece) = bytes.next().await {
                hasher.update(&piece?);
            }
            hasher.digest()
        };
        if found == *expected { Ok(()) } else { Err(error::digest_mismatch(expected, &found)) }
    }

    /// Gives the writer back unless the upload cannot be continued; then it ends here.
    async fn unless_broken(
        &self,
        tenant: TenantId,
        id: UploadId,
        upload: Box<dyn Upload>,
        outcome: Result<()>,
    ) -> Result<Box<dyn Upload>> {
        let Err(error) = outcome else { return Ok(upload) };
        let lost = error.code() == "storage.staged_short";
        if lost || matches!(error.code(), "DIGEST_INVALID" | "SIZE_INVALID" | "BLOB_UPLOAD_UNKNOWN") {
            self.forget(tenant, id).await?;
            upload.abort().await?;
        }
        Err(if lost { error::upload_unknown() } else { error })
    }

    /// The process died between committing the bytes and recording the blob: the client asks again.
    async fn finish_committed(
        &self,
        place: Place,
        name: &RepositoryName,
        id: UploadId,
        digest: Digest,
        error: Error,
    ) -> Result<()> {
        let row = self.upload_row(place, name, id).await?;
        let same = StreamHasher::restore(row.hash_state.as_deref())?.digest() == digest;
        let key = Key::blob(&digest).of_upload(id.0);
        match self.parts.store.size(&key).await? {
            Some(size) if same && size == row.received_bytes => {
                self.record(&self.pushed(place, row.repository_id, &digest, size, Some(id)), &key).await
            }
            _ => Err(error),
        }
    }

    fn pushed<'a>(
        &self,
        place: Place,
        repository: ImageId,
        digest: &'a Digest,
        size: u64,
        upload: Option<UploadId>,
    ) -> Pushed<'a> {
        Pushed { tenant: place.tenant_id, repository, digest, size, upload, now: self.parts.clock.now() }
    }

    /// Makes verified bytes a blob of the repository: by the object that is stored already, else by these. Bounded in time,
    /// so that garbage collection can tell an object that nobody will record any more.
    async fn keep(&self, upload: Box<dyn Upload>, id: UploadId, pushed: Pushed<'_>) -> Result<()> {
        let keep = async {
            let mut tx = self.parts.db.system("adopt a blob").await?;
            match store::blobs::adopt(&mut tx, &pushed).await? {
                Outcome::Linked => {
                    tx.commit().await?;
                    // The reaper takes what cannot be removed now.
                    let _ = upload.abort().await;
                    Ok(())
                }
                Outcome::UploadEnded => Err(error::upload_unknown()),
                Outcome::Surplus | Outcome::Unknown => {
                    drop(tx);
                    let key = Key::blob(pushed.digest).of_upload(id.0);
                    upload.commit(&key).await?;
                    self.record(&pushed, &key).await
                }
            }
        };
        let late = |_| Error::unavailable("storage.slow", "the storage took too long; try again");
        tokio::time::timeout(KEEP_WITHIN, keep).await.map_err(late)?
    }

    async fn record(&self, pushed: &Pushed<'_>, key: &Key) -> Result<()> {
        let mut tx = self.parts.db.system("record a blob").await?;
        let outcome = store::blobs::record(&mut tx, pushed, key.as_str()).await?;
        if matches!(outcome, Outcome::Unknown | Outcome::UploadEnded) {
            return Err(error::upload_unknown());
        }
        tx.commit().await?;
        // Nobody else knows the key. What cannot be removed now stays garbage.
        if outcome == Outcome::Surplus && self.parts.store.delete(key).await.is_ok() {
            let mut tx = self.parts.db.system("forget a surplus object").await?;
            store::garbage::forget(&mut tx, &[key.as_str().to_owned()]).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn forget(&self, tenant: TenantId, id: UploadId) -> Result<()> {
        let mut at = self.parts.db.statement(tenant).await?;
        store::uploads::delete(&mut at, id).await?;
        at.keep();
        Ok(())
    }
}

fn is_busy(error: &Error) -> bool {
    error.code() == "storage.upload_busy"
}

/// A part of a body on its way to the storage: hashed as it passes, ended by the next checkpoint, by the end of the body
/// or by an error, which it keeps: what came before it counts.
struct Segment<'a> {
    body: &'a mut BodyStream,
    hasher: &'a mut StreamHasher,
    left: u64,
    room: u64,
    max: u64,
    outcome: Option<Result<()>>,
}

impl Stream for Segment<'_> {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 || self.outcome.is_some() {
            return Poll::Ready(None);
        }
        let outcome = match ready!(self.body.poll_next_unpin(context)) {
            Some(Ok(piece)) => {
                let length = piece.len() as u64;
                if length <= self.room {
                    self.room -= length;
                    self.left = self.left.saturating_sub(length);
                    self.hasher.update(&piece);
                    return Poll::Ready(Some(Ok(piece)));
                }
                Err(error::blob_too_large(self.max))
            }
            Some(Err(error)) => Err(error),
            None => Ok(()),
        };
        self.outcome = Some(outcome);
        Poll::Ready(None)
    }
}
