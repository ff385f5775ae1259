//! Pushing, pulling and deleting manifests.

use super::Registry;
use super::access_log::Noted;
use crate::images::registry::access::{Access, Place};
use crate::images::registry::error;
use crate::images::registry::events;
use crate::images::registry::gates::{Built, Push, staging_tag};
use crate::images::registry::model::{AccessKind, Action, Manifest, ManifestKind, Reference, RepositoryName, Tag};
use crate::images::registry::store;
use crate::images::registry::store::blobs::RepositoryBlob;
use crate::images::registry::store::manifests::{Described, NewManifest, StoredManifest};
use crate::images::registry::store::tags::{Move, Pointed};
use crate::kernel::ids::{ImageId, ProjectId, TenantId};
use crate::kernel::{Actor, Digest, Error, Fault, Kind, Result};
use crate::platform::db::TenantTx;
use crate::platform::events::publish;
use crate::platform::storage::Key;
use serde_json::Value;
use uuid::Uuid;

/// Configs of images are small; one beyond this is not kept for the catalogue.
const MAX_CONFIG_BYTES: usize = 1024 * 1024;

/// What a manifest's push came to.
#[derive(Debug, Clone)]
pub struct ManifestPut {
    /// Of the bytes that were pushed.
    pub digest: Digest,
    /// The manifest that it is about, where it names one.
    pub subject: Option<Digest>,
}

/// An image whose tags were moved.
#[derive(Debug, Clone)]
pub struct Tagged {
    /// The image of the catalogue.
    pub image_id: ImageId,
    /// Full name of its repository.
    pub repository: String,
    /// Bytes of the manifest and all it names.
    pub size_bytes: i64,
}

/// A manifest to be sent.
pub type Served = StoredManifest;

impl Registry {
    /// Finds a manifest; its bytes only where they are wanted, which counts as a pull.
    pub async fn manifest(
        &self,
        access: &Access,
        name: &RepositoryName,
        reference: &Reference,
        with_content: bool,
    ) -> Result<Served> {
        let place = access.place(name, Action::Pull)?;
        if self.is_cache(access, place).await? {
            let served = self.parts.upstreams.manifest(self, place, name, reference).await?;
            let served = served.ok_or_else(|| error::manifest_unknown(reference))?;
            let mut at = self.parts.db.statement(place.tenant_id).await?;
            let image = store::repositories::find(&mut at, place.project_id, name.image()).await?;
            at.keep();
            // Not before a blob of it is here: then there is a repository.
            if let Some(image) = image.filter(|_| with_content) {
                self.note_pull(access, place, image, reference, &served).await;
            }
            return Ok(served);
        }
        let mut at = self.parts.db.statement(place.tenant_id).await?;
        let found = store::manifests::find(&mut at, place.project_id, name.image(), reference, with_content).await?;
        at.keep();
        let image = found.repository.ok_or_else(error::name_unknown)?;
        let manifest = found.manifest.ok_or_else(|| error::manifest_unknown(reference))?;
        if with_content && !access.is_service() {
            self.note_pull(access, place, image, reference, &manifest).await;
        }
        Ok(manifest)
    }

    async fn note_pull(&self, access: &Access, place: Place, image: ImageId, reference: &Reference, manifest: &Served) {
        let (digest, bytes) = (&manifest.digest, manifest.size_bytes);
        let noted = Noted { image, action: AccessKind::Pull, reference: reference.to_string(), digest, bytes };
        self.accesses.pulled(self.accesses.entry(access, place, noted)).await;
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
            // The tag of a running build is no tag: its tags move when the build completes, see `tag`.
            Reference::Tag(tag) if access.lease.is_some_and(|l| tag.as_str() == staging_tag(l.execution)) => None,
            Reference::Tag(tag) => Some(tag.as_str()),
        };
        let manifest = Manifest::parse(content_type, content)?;
        let limit = self.storage_limit(place.tenant_id).await?;
        // The config may be read only once the repository is known to hold it.
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        let repository = store::repositories::find(&mut tx, place.project_id, name.image()).await?;
        check_references(&mut tx, repository, &manifest).await?;
        let config = match manifest.config.as_ref().filter(|_| manifest.has_image_config()) {
            Some(config) => store::blobs::find(&mut tx, place.project_id, name.image(), &config.digest).await?.blob,
            None => None,
        };
        drop(tx);
        let config = self.config_content(config).await?;

        self.accesses.ready().await?;
        let pushed_by = access.actor.to_string();
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        store::usage::lock(&mut tx).await?;
        // Not before the lock, so that times follow the order of the commits.
        let now = self.parts.clock.now();
        let repository = store::repositories::ensure(&mut tx, place.project_id, name, now).await?;
        self.parts.shelf.check_writable(&mut tx, repository).await?;
        check_references(&mut tx, Some(repository), &manifest).await?;
        let platform = config.as_deref().and_then(platform);
        let new = NewManifest {
            repository,
            digest,
            manifest: &manifest,
            platform: platform.as_deref(),
            content,
            config: config.as_deref(),
            pushed_by: &pushed_by,
            temporary: access.lease.is_some(),
            now,
        };
        let (id, is_new) = store::manifests::insert(&mut tx, &new).await?;
        if is_new {
            charge(&mut tx, repository, id, limit).await?;
        }
        let push = Push {
            image_id: repository,
            project_id: place.project_id,
            name: name.clone(),
            digest,
            size_bytes: content.len() as u64 + manifest.content_bytes(),
            tag: tag.map(str::to_owned),
            manifest,
            config: config.as_deref().and_then(|c| serde_json::from_slice(c).ok()),
            build: None,
            by: pushed_by,
            at: now,
        };
        let moved = self.point(&mut tx, id, &push).await?;
        // What a running build pushes is its layer cache, or an image that is one when the build completes, see `tag`.
        if access.lease.is_none() && (is_new || moved) {
            self.announce(&mut tx, &access.actor, &push).await?;
        }
        let (image, bytes) = (repository, push.size_bytes);
        let noted = Noted { image, action: AccessKind::Push, reference: reference.to_string(), digest: &digest, bytes };
        store::accesses::insert(&mut tx, &[self.accesses.entry(access, place, noted)]).await?;
        tx.commit().await?;
        self.accesses.add(place.tenant_id, |sums| {
            sums.pushes += 1;
            sums.pushed_bytes += content.len() as u64;
        });
        Ok(ManifestPut { digest, subject: push.manifest.subject.map(|s| s.digest) })
    }

    /// Points tags at a manifest that is in the repository, in the caller's transaction: how a build that pushed by
    /// digest names its image in the moment it ends. Tags that point there already do not move.
    pub async fn tag(&self, tx: &mut TenantTx, actor: &Actor, built: &Built<'_>) -> Result<Tagged> {
        let Built { build, project, image, digest, tags } = *built;
        store::usage::lock(tx).await?;
        let found = store::repositories::named(tx, project, image).await?;
        let (repository, name) = found.ok_or_else(error::name_unknown)?;
        let described = store::manifests::describe(tx, repository, Some(&digest)).await?;
        let described = described.ok_or_else(|| error::manifest_unknown(digest))?;
        let id = described.id;
        let mut push = push_of(project, repository, &name, described)?;
        (push.by, push.at, push.build) = (actor.to_string(), self.parts.clock.now(), Some(build));
        store::manifests::make_lasting(tx, id, push.at).await?;
        if tags.is_empty() {
            self.announce(tx, actor, &push).await?;
        }
        for tag in tags {
            push.tag = Some(tag.parse::<Tag>()?.to_string());
            if self.point(tx, id, &push).await? {
                self.announce(tx, actor, &push).await?;
            }
        }
        let size_bytes = i64::try_from(push.size_bytes).unwrap_or(i64::MAX);
        Ok(Tagged { image_id: repository, repository: name.to_string(), size_bytes })
    }

    /// The faults of a request to build an image with a layer cache: each needs a repository of its own, for a cache is
    /// in no catalogue, and its tags come and go by themselves.
    pub async fn cache_faults(
        &self,
        tx: &mut TenantTx,
        project: ProjectId,
        image: &str,
        cache: Option<&str>,
    ) -> Result<Vec<Fault>> {
        let mut faults = Vec::new();
        if cache == Some(image) {
            let detail = format!("{image} is the image: name a repository of its own for the layer cache");
            faults.push(Fault::new("/config/cache_repo", "is_image", detail));
        }
        if store::repositories::has_layer_cache(tx, project, image).await?
            && !self.parts.shelf.has_image(tx, project, image).await?
        {
            let detail = format!("{image} is the layer cache of builds: give the image another name");
            faults.push(Fault::new("/image", "is_cache", detail));
        }
        Ok(faults)
    }

    /// Tells the catalogue and the world.
    async fn announce(&self, tx: &mut TenantTx, actor: &Actor, push: &Push) -> Result<()> {
        self.parts.shelf.pushed(tx, push).await?;
        self.queue_measure(tx, push.image_id, push.digest, &push.manifest).await?;
        publish(tx, &events::pushed(&self.parts.clock, tx.tenant_id(), actor, push)).await
    }

    /// Moves the tag of a push to its manifest; false when there is none or it points there already.
    async fn point(&self, tx: &mut TenantTx, manifest: Uuid, push: &Push) -> Result<bool> {
        let Some(tag) = &push.tag else { return Ok(false) };
        let step = Move { repository: push.image_id, tag, to: &push.digest, by: &push.by, now: push.at };
        let pointed = store::tags::point(tx, manifest, &step).await?;
        if pointed == Pointed::Moved {
            self.require_mutable(tx, push.project_id, std::slice::from_ref(tag)).await?;
        }
        Ok(pointed != Pointed::Unmoved)
    }

    /// The config of a container image, where it can be kept.
    async fn config_content(&self, blob: Option<RepositoryBlob>) -> Result<Option<Vec<u8>>> {
        let Some(blob) = blob else { return Ok(None) };
        let Some(object) = self.parts.store.get(&Key::new(blob.storage_key)?, None).await? else { return Ok(None) };
        match object.bytes(MAX_CONFIG_BYTES).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == Kind::TooLarge => Ok(None),
            Err(e) => Err(e),
        }
    }
}

pub(super) fn push_of(
    project_id: ProjectId,
    image_id: ImageId,
    name: &RepositoryName,
    described: Described,
) -> Result<Push> {
    let stored = described.manifest;
    let manifest = Manifest::parse(Some(&stored.media_type), &stored.content)?;
    Ok(Push {
        image_id,
        project_id,
        name: name.clone(),
        digest: stored.digest,
        size_bytes: stored.size_bytes + manifest.content_bytes(),
        tag: described.tag,
        manifest,
        config: described.config.and_then(|c| serde_json::from_slice(&c).ok()),
        build: None,
        by: described.pushed_by,
        at: described.pushed_at,
    })
}

/// Everything a manifest names must be in its repository, but for its subject. An entry of an index may be a blob: caches
/// of builds are kept so. A repository that does not exist has nothing.
async fn check_references(tx: &mut TenantTx, repository: Option<ImageId>, manifest: &Manifest) -> Result<()> {
    let wanted: Vec<Digest> = match manifest.kind {
        ManifestKind::Image => manifest.blobs().map(|d| d.digest).collect(),
        ManifestKind::Index => manifest.manifests.iter().map(|d| d.digest).collect(),
    };
    let missing = match (repository, manifest.kind) {
        (None, _) => wanted,
        (Some(id), ManifestKind::Image) => store::blobs::missing(tx, id, &wanted).await?,
        (Some(id), ManifestKind::Index) => {
            let blobs = store::manifests::missing(tx, id, &wanted).await?;
            if blobs.is_empty() { blobs } else { store::blobs::missing(tx, id, &blobs).await? }
        }
    };
    if missing.is_empty() { Ok(()) } else { Err(error::references_unknown(&missing)) }
}

async fn charge(tx: &mut TenantTx, repository: ImageId, manifest: Uuid, limit: u64) -> Result<()> {
    let blobs = store::manifests::blobs(tx, manifest).await?;
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
fn platform(config: &[u8]) -> Option<String> {
    let config: Value = serde_json::from_slice(config).ok()?;
    let text =
        |name: &str| config.get(name)?.as_str().filter(|s| s.len() <= 64 && s.bytes().all(|b| b.is_ascii_graphic()));
    Some(format!("{}/{}", text("os")?, text("architecture")?))
}
