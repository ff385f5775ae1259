//! Pushing, pulling and deleting manifests.

use super::Registry;
use crate::images::registry::access::{Access, Place};
use crate::images::registry::error;
use crate::images::registry::events::About;
use crate::images::registry::gates::Push;
use crate::images::registry::model::{Action, Manifest, ManifestKind, Reference, RepositoryName};
use crate::images::registry::store;
use crate::images::registry::store::manifests::{NewManifest, StoredManifest};
use crate::images::registry::store::tags::Move;
use crate::kernel::ids::{ImageId, TenantId};
use crate::kernel::{Digest, Error, Kind, Result};
use crate::platform::db::TenantTx;
use crate::platform::events::publish;
use crate::platform::storage::Key;
use serde_json::Value;

/// Configs of images are small; one beyond this is not read for the catalogue.
const MAX_CONFIG_BYTES: usize = 4 * 1024 * 1024;

/// What a manifest's push came to.
#[derive(Debug, Clone)]
pub struct ManifestPut {
    /// Of the bytes that were pushed.
    pub digest: Digest,
    /// The manifest that it is about, where it names one.
    pub subject: Option<Digest>,
}

/// A manifest to be sent.
pub type Served = StoredManifest;

impl Registry {
    /// Finds a manifest; its bytes only where they are wanted.
    pub async fn manifest(
        &self,
        access: &Access,
        name: &RepositoryName,
        reference: &Reference,
        with_content: bool,
    ) -> Result<Served> {
        let place = access.place(name, Action::Pull)?;
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        let found = store::manifests::find(&mut tx, place.project_id, name.image(), reference, with_content).await?;
        if found.repository.is_none() {
            return Err(error::name_unknown());
        }
        found.manifest.ok_or_else(|| error::manifest_unknown(reference))
    }

    /// Whether a repository of the tenant has a manifest, for the builds that pushed it.
    pub async fn manifest_exists(&self, tenant: TenantId, name: &RepositoryName, digest: &Digest) -> Result<bool> {
        let Some(project) = self.parts.projects.by_slug(tenant, name.project()).await? else { return Ok(false) };
        let mut tx = self.parts.db.tenant(tenant).await?;
        let reference = Reference::Digest(*digest);
        let found = store::manifests::find(&mut tx, project.id, name.image(), &reference, false).await?;
        Ok(found.manifest.is_some())
    }

    /// Commits a manifest and points the tag at it, in one transaction: with what it needs, the tenant's storage charged,
    /// the catalogue filled. The same again changes nothing.
    pub async fn put_manifest(
        &self,
        access: &Access,
        name: &RepositoryName,
        reference: &Reference,
        content_type: Option<&str>,
        content: &[u8],
    ) -> Result<ManifestPut> {
        let place = self.place_to_write(access, name, Action::Push).await?;
        let digest = Digest::of(content);
        let tag = match reference {
            Reference::Digest(named) if *named != digest => return Err(error::digest_mismatch(named, &digest)),
            Reference::Digest(_) => None,
            Reference::Tag(tag) => Some(tag.as_str()),
        };
        let manifest = Manifest::parse(content_type, content)?;
        let limit = self.storage_limit(place.tenant_id).await?;
        // The config may be read only once the repository is known to hold it.
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        let repository = store::repositories::find(&mut tx, place.project_id, name.image()).await?;
        check_references(&mut tx, repository, &manifest).await?;
        drop(tx);
        let config = self.config_of(&manifest).await?;

        let now = self.parts.clock.now();
        let actor = access.actor.to_string();
        let platform = config.as_ref().and_then(platform);
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        store::usage::lock(&mut tx).await?;
        let repository = store::repositories::ensure(&mut tx, place.project_id, name.image(), now).await?;
        check_references(&mut tx, Some(repository), &manifest).await?;
        let new = NewManifest {
            repository,
            digest,
            manifest: &manifest,
            platform: platform.as_deref(),
            content,
            pushed_by: &actor,
            now,
        };
        let (id, is_new) = store::manifests::insert(&mut tx, &new).await?;
        if is_new {
            charge(&mut tx, repository, &manifest, limit).await?;
        }
        let moved = match tag {
            Some(tag) => store::tags::point(&mut tx, id, &Move { repository, tag, to: &digest, by: &actor, now }).await?,
            None => false,
        };
        if is_new || moved {
            let about = self.about(place, repository, name);
            let size = content.len() as u64 + manifest.content_bytes();
            let event = about.pushed(&self.parts.clock, &access.actor, tag, &digest, &manifest.media_type, size);
            let push = Push {
                image_id: repository,
                project_id: place.project_id,
                name: name.clone(),
                digest,
                tag: tag.map(str::to_owned),
                manifest: manifest.clone(),
                config,
                actor: access.actor.clone(),
                at: now,
            };
            self.parts.shelf.pushed(&mut tx, &push).await?;
            publish(&mut tx, &event).await?;
        }
        tx.commit().await?;
        Ok(ManifestPut { digest, subject: manifest.subject.map(|s| s.digest) })
    }

    /// Deletes a tag, or a manifest with all its tags; frees the storage that nothing needs any more.
    pub async fn delete_manifest(&self, access: &Access, name: &RepositoryName, reference: &Reference) -> Result<()> {
        let place = self.place_to_write(access, name, Action::Delete).await?;
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        let repository = store::repositories::find(&mut tx, place.project_id, name.image()).await?;
        let repository = repository.ok_or_else(error::name_unknown)?;
        let about = self.about(place, repository, name);
        let by = access.actor.to_string();
        let now = self.parts.clock.now();
        let unknown = || error::manifest_unknown(reference);
        match reference {
            Reference::Tag(tag) => {
                let tag = tag.as_str();
                let pointed = store::tags::delete(&mut tx, repository, tag, &by, now).await?.ok_or_else(unknown)?;
                let event = about.deleted(&self.parts.clock, &access.actor, &[tag.to_owned()], &pointed, false);
                publish(&mut tx, &event).await?;
                tx.commit().await
            }
            Reference::Digest(digest) => {
                let left = store::manifests::newest(&mut tx, repository, digest).await?;
                drop(tx);
                let left = self.describe(place, repository, name, left, access).await?;
                let mut tx = self.parts.db.tenant(place.tenant_id).await?;
                store::usage::lock(&mut tx).await?;
                let tags = store::tags::end_all(&mut tx, repository, digest, &by, now).await?;
                let needed = store::manifests::delete(&mut tx, repository, digest).await?.ok_or_else(unknown)?;
                store::usage::release(&mut tx, &needed).await?;
                self.parts.shelf.deleted(&mut tx, repository, *digest, left.as_ref()).await?;
                let event = about.deleted(&self.parts.clock, &access.actor, &tags, digest, true);
                publish(&mut tx, &event).await?;
                tx.commit().await
            }
        }
    }

    fn about<'a>(&self, place: Place, image: ImageId, name: &'a RepositoryName) -> About<'a> {
        About { tenant: place.tenant_id, project: place.project_id, image, name }
    }

    /// The config of a container image, where it can be read.
    async fn config_of(&self, manifest: &Manifest) -> Result<Option<Value>> {
        let Some(config) = manifest.config.as_ref().filter(|_| manifest.has_image_config()) else { return Ok(None) };
        let Some(object) = self.parts.store.get(&Key::blob(&config.digest), None).await? else { return Ok(None) };
        match object.bytes(MAX_CONFIG_BYTES).await {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(e) if e.kind() == Kind::TooLarge => Ok(None),
            Err(e) => Err(e),
        }
    }

    async fn describe(
        &self,
        place: Place,
        image_id: ImageId,
        name: &RepositoryName,
        stored: Option<(StoredManifest, Option<String>)>,
        access: &Access,
    ) -> Result<Option<Push>> {
        let Some((stored, tag)) = stored else { return Ok(None) };
        let manifest = Manifest::parse(Some(&stored.media_type), &stored.content)?;
        let config = self.config_of(&manifest).await?;
        Ok(Some(Push {
            image_id,
            project_id: place.project_id,
            name: name.clone(),
            digest: stored.digest,
            tag,
            manifest,
            config,
            actor: access.actor.clone(),
            at: self.parts.clock.now(),
        }))
    }
}

/// Everything a manifest names must be in its repository. A repository that does not exist has nothing.
async fn check_references(tx: &mut TenantTx, repository: Option<ImageId>, manifest: &Manifest) -> Result<()> {
    let wanted: Vec<Digest> = match manifest.kind {
        ManifestKind::Image => manifest.blobs().map(|d| d.digest).collect(),
        ManifestKind::Index => manifest.manifests.iter().map(|d| d.digest).collect(),
    };
    let missing = match (repository, manifest.kind) {
        (None, _) => wanted,
        (Some(id), ManifestKind::Image) => store::blobs::missing(tx, id, &wanted).await?,
        (Some(id), ManifestKind::Index) => store::manifests::missing(tx, id, &wanted).await?,
    };
    if missing.is_empty() { Ok(()) } else { Err(error::references_unknown(&missing)) }
}

async fn charge(tx: &mut TenantTx, repository: ImageId, manifest: &Manifest, limit: u64) -> Result<()> {
    let blobs: Vec<Digest> = manifest.blobs().map(|d| d.digest).collect();
    if blobs.is_empty() {
        return Ok(());
    }
    let (added, total) = store::usage::charge(tx, repository, &blobs).await?;
    if added > 0 && total > limit {
        return Err(over_quota(added, total, limit));
    }
    Ok(())
}

fn over_quota(added: u64, total: u64, limit: u64) -> Error {
    error::denied_because(format!(
        "the tenant's storage quota is {limit} bytes; with the {added} bytes of this image it would hold {total}. \
         Delete images or ask for a larger quota (storage_bytes_max)"
    ))
}

/// `os/architecture` of an image config.
fn platform(config: &Value) -> Option<String> {
    let text = |name: &str| config.get(name)?.as_str().filter(|s| !s.is_empty() && s.len() <= 64);
    Some(format!("{}/{}", text("os")?, text("architecture")?))
}
