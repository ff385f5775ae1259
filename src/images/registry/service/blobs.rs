//! Pulling, mounting and unlinking blobs.

use super::Registry;
use super::access_log::Noted;
use crate::images::registry::access::{Access, Place};
use crate::images::registry::error;
use crate::images::registry::model::{AccessKind, Action, RepositoryName};
use crate::images::registry::store;
use crate::images::registry::store::blobs::RepositoryBlob;
use crate::kernel::ids::{ImageId, ProjectId};
use crate::kernel::{Digest, Error, Kind, Result};
use crate::platform::db::TenantConnection;
use crate::platform::storage::{self, ByteStream, Key};
use chrono::Duration;
use std::ops::Range;

/// A link that is younger holds long enough for whoever relies on it.
pub(super) const RENEW_AFTER: Duration = Duration::hours(1);

/// A blob to be sent.
pub struct ServedBlob {
    /// Its size in bytes.
    pub size_bytes: u64,
    source: Source,
}

/// Where the bytes of a blob are.
enum Source {
    Here(Key),
    /// Not in the cache yet that the repository belongs to.
    Upstream(Place, RepositoryName, Digest),
}

impl Registry {
    /// A blob that the repository serves.
    pub async fn blob(&self, access: &Access, name: &RepositoryName, blob: &Digest) -> Result<ServedBlob> {
        let place = access.place(name, Action::Pull)?;
        let mut at = self.parts.db.statement(place.tenant_id).await?;
        let found = find(&mut at, place.project_id, name, blob).await.and_then(|(_, found)| served(&found));
        if found.as_ref().err().is_none_or(|e| e.kind() == Kind::NotFound) {
            at.keep();
        }
        match found {
            Err(absent) if absent.kind() == Kind::NotFound && self.is_cache(access, place).await? => {
                let size = self.parts.upstreams.blob_size(place, name, blob).await?;
                let source = Source::Upstream(place, name.clone(), *blob);
                size.map(|size_bytes| ServedBlob { size_bytes, source }).ok_or(absent)
            }
            found => found,
        }
    }

    /// Like [`Self::blob`], for somebody who asks whether there is one. Who may push takes it for a promise: a manifest
    /// that he pushes next may name the blob.
    pub async fn promise_blob(&self, access: &Access, name: &RepositoryName, blob: &Digest) -> Result<ServedBlob> {
        let place = access.place(name, Action::Pull)?;
        if self.is_cache(access, place).await? {
            return self.blob(access, name, blob).await;
        }
        let now = self.parts.clock.now();
        let mut at = self.parts.db.statement(place.tenant_id).await?;
        let (repository, found) = find(&mut at, place.project_id, name, blob).await?;
        if found.linked_at < now - RENEW_AFTER
            && access.place(name, Action::Push).is_ok()
            && !store::blobs::renew(&mut at, repository, blob, now).await?
        {
            return Err(error::blob_unknown(blob));
        }
        at.keep();
        served(&found)
    }

    /// The bytes of a blob.
    pub async fn blob_body(&self, blob: &ServedBlob, range: Option<Range<u64>>) -> Result<ByteStream> {
        match &blob.source {
            Source::Here(key) => {
                let object = self.parts.store.get(key, range).await?;
                let lost = || Error::internal(format!("the storage has lost the object {key}"));
                Ok(object.ok_or_else(lost)?.body)
            }
            Source::Upstream(place, name, digest) => {
                let range = range.unwrap_or(0..blob.size_bytes);
                self.parts.upstreams.blob(self, *place, name, digest, range).await
            }
        }
    }

    /// Where a client may fetch a blob itself; none where it is served from here.
    pub async fn blob_address(&self, blob: &ServedBlob) -> Result<Option<String>> {
        match &blob.source {
            Source::Here(key) => self.parts.store.address(key).await,
            Source::Upstream(..) => Ok(None),
        }
    }

    /// Records what the storage is. Says so when it is not the one that the blobs were written to.
    pub async fn record_storage(&self, kind: storage::Kind) -> Result<()> {
        let mut tx = self.parts.db.system("record the kind of the storage").await?;
        if store::backends::set_kind(&mut tx, kind.as_str()).await? && store::backends::has_blobs(&mut tx).await? {
            tracing::warn!(
                kind = kind.as_str(),
                "the storage is another one than before: its objects must be copied there"
            );
        }
        tx.commit().await
    }

    /// Lets a repository serve a blob of another one. False when the source does not have it, or the caller may not read
    /// it there, which is the same to him.
    pub async fn mount(
        &self,
        access: &Access,
        name: &RepositoryName,
        blob: &Digest,
        from: &RepositoryName,
    ) -> Result<bool> {
        let place = self.place_to_write(access, name, Action::Push).await?;
        let Some(source) = self.readable(access, from).await? else { return Ok(false) };
        let mut tx = self.parts.db.tenant(source.tenant_id).await?;
        let found = store::blobs::find(&mut tx, source.project_id, from.image(), blob).await?;
        drop(tx);
        // A damaged one is worth nothing: the client pushes it again.
        let Some(found) = found.blob.filter(|b| !b.rotten) else { return Ok(false) };
        self.accesses.ready().await?;
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        let now = self.parts.clock.now();
        let repository = store::repositories::ensure(&mut tx, place.project_id, name, now).await?;
        if !store::blobs::link(&mut tx, repository, blob, found.size_bytes, now).await? {
            return Ok(false);
        }
        let (image, reference) = (repository, from.to_string());
        let noted = Noted { image, action: AccessKind::Mount, reference, digest: blob, bytes: found.size_bytes };
        store::accesses::insert(&mut tx, &[self.accesses.entry(access, place, noted)]).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A repository serves a blob no longer. Refused while a manifest of it needs the blob.
    pub async fn delete_blob(&self, access: &Access, name: &RepositoryName, blob: &Digest) -> Result<()> {
        let place = self.place_to_write(access, name, Action::Delete).await?;
        self.accesses.ready().await?;
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        let repository = store::repositories::find(&mut tx, place.project_id, name.image()).await?;
        let repository = repository.ok_or_else(error::name_unknown)?;
        store::usage::lock(&mut tx).await?;
        if store::blobs::is_needed(&mut tx, repository, blob).await? {
            return Err(error::unsupported("a manifest of this repository needs the blob; delete that first"));
        }
        if !store::blobs::unlink(&mut tx, repository, blob).await? {
            return Err(error::blob_unknown(blob));
        }
        let (image, reference) = (repository, blob.to_string());
        let noted = Noted { image, action: AccessKind::Delete, reference, digest: blob, bytes: 0 };
        store::accesses::insert(&mut tx, &[self.accesses.entry(access, place, noted)]).await?;
        tx.commit().await
    }
}

async fn find(
    tx: &mut impl TenantConnection,
    project: ProjectId,
    name: &RepositoryName,
    blob: &Digest,
) -> Result<(ImageId, RepositoryBlob)> {
    let found = store::blobs::find(tx, project, name.image(), blob).await?;
    let repository = found.repository.ok_or_else(error::name_unknown)?;
    let linked = found.blob.ok_or_else(|| error::blob_unknown(blob))?;
    if linked.rotten {
        metrics::counter!("image_factory_registry_rotten_blobs_refused_total").increment(1);
        return Err(error::blob_rotten(blob));
    }
    Ok((repository, linked))
}

fn served(found: &RepositoryBlob) -> Result<ServedBlob> {
    Ok(ServedBlob { size_bytes: found.size_bytes, source: Source::Here(Key::new(found.storage_key.as_str())?) })
}
