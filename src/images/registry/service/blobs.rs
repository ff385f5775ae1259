//! Pulling, mounting and unlinking blobs.

use super::Registry;
use crate::images::registry::access::{Access, Place};
use crate::images::registry::error;
use crate::images::registry::model::{Action, RepositoryName};
use crate::images::registry::store;
use crate::kernel::{Digest, Error, Result};
use crate::platform::storage::{self, ByteStream, Key};
use std::ops::Range;

/// A blob that a repository serves.
#[derive(Debug, Clone, Copy)]
pub struct FoundBlob {
    /// Its size in bytes.
    pub size: u64,
    /// The cache that it is not in yet.
    upstream: Option<Place>,
}

impl Registry {
    /// Finds a blob that the repository serves.
    pub async fn find_blob(&self, access: &Access, name: &RepositoryName, blob: &Digest) -> Result<FoundBlob> {
        let place = access.place(name, Action::Pull)?;
        let mut at = self.parts.db.statement(place.tenant_id).await?;
        let found = store::blobs::find(&mut at, place.project_id, name.image(), blob).await?;
        at.keep();
        if let Some(size) = found.size_bytes {
            return Ok(FoundBlob { size, upstream: None });
        }
        if self.is_cache(access, place).await? {
            let size = self.parts.upstreams.blob_size(place, name, blob).await?;
            let size = size.ok_or_else(|| error::blob_unknown(blob))?;
            return Ok(FoundBlob { size, upstream: Some(place) });
        }
        Err(if found.repository.is_none() { error::name_unknown() } else { error::blob_unknown(blob) })
    }

    /// The bytes of a blob that [`Self::find_blob`] found.
    pub async fn blob_body(
        &self,
        name: &RepositoryName,
        blob: &Digest,
        found: &FoundBlob,
        range: Option<Range<u64>>,
    ) -> Result<ByteStream> {
        if let Some(place) = found.upstream {
            let range = range.unwrap_or(0..found.size);
            return self.parts.upstreams.blob(self, place, name, blob, range).await;
        }
        let object = self.parts.store.get(&Key::blob(blob), range).await?;
        let object = object.ok_or_else(|| Error::internal(format!("the storage has lost the blob {blob}")))?;
        Ok(object.body)
    }

    /// Where a client may fetch a blob itself that [`Self::find_blob`] found; none where it is served from here.
    pub async fn blob_address(&self, blob: &Digest, found: &FoundBlob) -> Result<Option<String>> {
        if found.upstream.is_some() { Ok(None) } else { self.parts.store.address(&Key::blob(blob)).await }
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
        let Some(size) = found.size_bytes else { return Ok(false) };
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        let now = self.parts.clock.now();
        let repository = store::repositories::ensure(&mut tx, place.project_id, name, now).await?;
        store::blobs::link(&mut tx, repository, blob, size, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A repository serves a blob no longer. Refused while a manifest of it needs the blob.
    pub async fn delete_blob(&self, access: &Access, name: &RepositoryName, blob: &Digest) -> Result<()> {
        let place = self.place_to_write(access, name, Action::Delete).await?;
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
        tx.commit().await
    }
}
