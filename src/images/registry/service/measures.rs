//! How large layers are when they are unpacked: each is read once, behind, and the result kept for all who have it.

use super::Registry;
use crate::images::registry::model::{Compression, Descriptor, Manifest, Unpacked};
use crate::images::registry::store;
use crate::images::registry::store::layers::Queued;
use crate::kernel::ids::ImageId;
use crate::kernel::{Digest, Result};
use crate::platform::db::TenantTx;
use crate::platform::storage::Key;
use crate::platform::tasks::blocking;
use futures::StreamExt;
use std::collections::HashMap;

/// A layer that unpacks to more is not measured: 100 GiB.
const MAX_UNPACKED_BYTES: u64 = 100 * 1024 * 1024 * 1024;

impl Registry {
    /// Has the layers of a manifest measured after the caller's transaction.
    pub(super) async fn queue_measure(
        &self,
        tx: &mut TenantTx,
        repository: ImageId,
        digest: Digest,
        manifest: &Manifest,
    ) -> Result<()> {
        if manifest.layers.iter().any(|l| measurable(l).is_some()) {
            store::layers::queue(tx, repository, &digest).await?;
        }
        Ok(())
    }

    /// Measures what is queued, one manifest after another.
    pub async fn measure_queued(&self) -> Result<()> {
        loop {
            let mut tx = self.parts.db.system("look for layers to measure").await?;
            let next = store::layers::next(&mut tx).await?;
            drop(tx);
            let Some(next) = next else { return Ok(()) };
            // One that fails is given up, and the others go on with the next run: it may fail for ever.
            let measured = self.measure(&next).await;
            let mut tx = self.parts.db.system("layers are measured").await?;
            store::layers::done(&mut tx, &next).await?;
            tx.commit().await?;
            measured?;
        }
    }

    /// Measures the layers that nobody has measured, and tells the catalogue their sum where all are known.
    async fn measure(&self, what: &Queued) -> Result<()> {
        let mut tx = self.parts.db.tenant(what.tenant_id).await?;
        let found = store::manifests::describe(&mut tx, what.repository_id, Some(&what.digest)).await?;
        drop(tx);
        // Deleted meanwhile.
        let Some(found) = found else { return Ok(()) };
        let manifest = Manifest::parse(Some(&found.manifest.media_type), &found.manifest.content)?;
        let mut known = self.measured(&manifest).await?;
        for (digest, compression) in manifest.layers.iter().filter_map(measurable) {
            if let std::collections::hash_map::Entry::Vacant(unknown) = known.entry(digest) {
                let Some(size) = self.unpack(what, &digest, compression).await? else { return Ok(()) };
                let mut tx = self.parts.db.system("keep the size of a layer").await?;
                store::layers::keep(&mut tx, &digest, size, self.parts.clock.now()).await?;
                tx.commit().await?;
                unknown.insert(size);
            }
        }
        let sizes = manifest.layers.iter().map(|l| known.get(&l.digest).copied().flatten());
        let Some(total) = sizes.sum::<Option<u64>>() else { return Ok(()) };
        let mut tx = self.parts.db.tenant(what.tenant_id).await?;
        self.parts.shelf.measured(&mut tx, what.repository_id, what.digest, total).await?;
        tx.commit().await
    }

    /// Sizes of a manifest's layers when they are unpacked, in bytes, where they are known.
    pub(super) async fn unpacked_sizes(&self, manifest: &Manifest) -> Result<HashMap<Digest, u64>> {
        let measured = self.measured(manifest).await?;
        Ok(measured.into_iter().filter_map(|(digest, size)| Some((digest, size?))).collect())
    }

    /// What is known of the layers, plain archives included: none for those that cannot be unpacked.
    async fn measured(&self, manifest: &Manifest) -> Result<HashMap<Digest, Option<u64>>> {
        let layers: Vec<Digest> = manifest.layers.iter().map(|l| l.digest).collect();
        if layers.is_empty() {
            return Ok(HashMap::new());
        }
        let mut tx = self.parts.db.system("read the sizes of layers").await?;
        let mut known = store::layers::sizes(&mut tx, &layers).await?;
        let plain = manifest.layers.iter().filter(|l| Compression::of(&l.media_type) == Some(Compression::Plain));
        known.extend(plain.map(|l| (l.digest, Some(l.size))));
        Ok(known)
    }

    /// Reads a layer to its end: none in it when it cannot be unpacked, none at all when it is gone.
    async fn unpack(&self, what: &Queued, layer: &Digest, compression: Compression) -> Result<Option<Option<u64>>> {
        let mut tx = self.parts.db.tenant(what.tenant_id).await?;
        let key = store::layers::storage_key(&mut tx, what.repository_id, layer).await?;
        drop(tx);
        let Some(key) = key else { return Ok(None) };
        let Some(object) = self.parts.store.get(&Key::new(key)?, None).await? else { return Ok(None) };
        let mut packed = object.body;
        let mut unpacked = Unpacked::new(compression, MAX_UNPACKED_BYTES)?;
        while let Some(piece) = packed.next().await {
            let piece = piece?;
            let taken = blocking(move || {
                let taken = unpacked.take(&piece);
                Ok((unpacked, taken))
            });
            let (rest, taken) = taken.await?;
            unpacked = rest;
            if let Err(error) = taken {
                tracing::debug!(%layer, ?error, "a layer has no size");
                return Ok(Some(None));
            }
        }
        Ok(Some(unpacked.finish().ok()))
    }
}

/// A layer of which reading tells the size.
fn measurable(layer: &Descriptor) -> Option<(Digest, Compression)> {
    let compression = Compression::of(&layer.media_type)?;
    (compression != Compression::Plain && !layer.is_foreign()).then_some((layer.digest, compression))
}
