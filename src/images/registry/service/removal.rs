//! Deleting tags, manifests and whole repositories.

use super::Registry;
use super::access_log::Noted;
use super::manifests::push_of;
use super::referrers::Cleanup;
use crate::images::registry::access::{Access, Place};
use crate::images::registry::error;
use crate::images::registry::events::{self, Deleted};
use crate::images::registry::model::{AccessKind, Action, Reference, RepositoryName};
use crate::images::registry::store;
use crate::kernel::ids::{ImageId, ProjectId, TenantId};
use crate::kernel::{Digest, Kind, Result};
use crate::platform::db::TenantTx;
use crate::platform::events::publish;
use crate::tenancy::access::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Manifests of a repository that are deleted in one transaction.
const BATCH: i64 = 100;

/// What a deletion took, or would take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removed {
    /// Tags, at most 1000 of them.
    pub tags: Vec<String>,
    /// How many tags.
    pub tag_count: u64,
    /// How many manifests.
    pub manifest_count: u64,
    /// Bytes that count against the storage quota no longer.
    pub freed_bytes: u64,
    /// Manifests that are about a manifest that goes, such as its signatures, at most 1000 of them: they stay.
    #[schema(value_type = Vec<String>)]
    pub referrers: Vec<Digest>,
}

/// A repository of which something is deleted.
pub(super) struct Target<'a> {
    pub place: Place,
    pub repository: ImageId,
    pub name: &'a RepositoryName,
}

impl Removed {
    /// Most tags that are named.
    const NAMED_TAGS: i64 = 1000;

    /// Adds what was deleted of the same repository.
    pub fn add(&mut self, other: Self) {
        let room = usize::try_from(Self::NAMED_TAGS).unwrap_or_default().saturating_sub(self.tags.len());
        self.tags.extend(other.tags.into_iter().take(room));
        self.tag_count += other.tag_count;
        self.manifest_count += other.manifest_count;
        self.freed_bytes += other.freed_bytes;
    }
}

impl Registry {
    /// Deletes a tag, or a manifest with all its tags; frees the storage that nothing needs any more.
    pub async fn delete_manifest(&self, access: &Access, name: &RepositoryName, reference: &Reference) -> Result<()> {
        let place = self.place_to_write(access, name, Action::Delete).await?;
        let mut tx = self.removal(place.tenant_id).await?;
        let repository = store::repositories::find(&mut tx, place.project_id, name.image()).await?;
        let repository = repository.ok_or_else(error::name_unknown)?;
        let target = Target { place, repository, name };
        store::usage::lock(&mut tx).await?;
        self.require_removable(&mut tx, &target, reference).await?;
        self.remove_from(&mut tx, access, &target, reference).await?;
        tx.commit().await
    }

    /// A transaction to delete in.
    pub async fn removal(&self, tenant: TenantId) -> Result<TenantTx> {
        self.accesses.ready().await?;
        self.parts.db.tenant(tenant).await
    }

    /// Deletes a tag, or a manifest with all its tags, in the caller's transaction (see [`Self::removal`]) and on the
    /// caller's authority. A caller that does not commit learns what would go.
    pub async fn remove(
        &self,
        tx: &mut TenantTx,
        caller: &Caller,
        repository: ImageId,
        reference: &Reference,
    ) -> Result<Removed> {
        let found = store::repositories::by_id(tx, repository).await?;
        let (project_id, name) = found.ok_or_else(error::name_unknown)?;
        let place = Place { tenant_id: tx.tenant_id(), project_id };
        let target = Target { place, repository, name: &name };
        store::usage::lock(tx).await?;
        self.require_removable(tx, &target, reference).await?;
        Ok(self.remove_from(tx, &on_behalf_of(caller), &target, reference).await?.0)
    }

    /// What the deletion of a whole repository would take.
    pub async fn removable(&self, tx: &mut TenantTx, repository: ImageId) -> Result<Removed> {
        let (project, _) = store::repositories::by_id(tx, repository).await?.ok_or_else(error::name_unknown)?;
        self.require_all_removable(tx, project, repository).await?;
        let content = store::repositories::content(tx, repository, Removed::NAMED_TAGS).await?;
        Ok(Removed {
            tags: content.tags,
            tag_count: content.tag_count,
            manifest_count: content.manifest_count,
            freed_bytes: content.own_bytes,
            referrers: Vec::new(),
        })
    }

    /// Deletes some manifests of a repository in the caller's transaction (see [`Self::removal`]); with the last ones, the
    /// repository itself. Returns what was deleted, and whether that was all.
    pub async fn remove_some(
        &self,
        tx: &mut TenantTx,
        caller: &Caller,
        repository: ImageId,
    ) -> Result<(Removed, bool)> {
        let found = store::repositories::by_id(tx, repository).await?;
        let (project_id, name) = found.ok_or_else(error::name_unknown)?;
        let target = Target { place: Place { tenant_id: tx.tenant_id(), project_id }, repository, name: &name };
        store::usage::lock(tx).await?;
        self.require_all_removable(tx, project_id, repository).await?;
        let (mut removed, access) = (Removed::default(), on_behalf_of(caller));
        for digest in store::manifests::some(tx, repository, BATCH).await? {
            match self.remove_from(tx, &access, &target, &Reference::Digest(digest)).await {
                Ok((one, _)) => removed.add(one),
                // An index of referrers goes with what it lists.
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let all = store::repositories::delete_empty(tx, repository).await?;
        Ok((removed, all))
    }

    /// Refuses to take an immutable tag, alone or with its manifest.
    async fn require_removable(&self, tx: &mut TenantTx, target: &Target<'_>, reference: &Reference) -> Result<()> {
        let tags = match reference {
            Reference::Tag(tag) => vec![tag.to_string()],
            Reference::Digest(digest) => store::tags::of_manifest(tx, target.repository, digest).await?,
        };
        self.require_mutable(tx, target.place.project_id, &tags).await
    }

    async fn require_all_removable(&self, tx: &mut TenantTx, project: ProjectId, repository: ImageId) -> Result<()> {
        let tags = store::tags::names(tx, repository, "", Self::MAX_NAMES).await?;
        self.require_mutable(tx, project, &tags).await
    }

    /// Deletes on the authority of the caller, who has the tenant's turn, and records it. Gives also the digest of the
    /// manifest that was deleted, or that the tag pointed to.
    pub(super) async fn remove_from(
        &self,
        tx: &mut TenantTx,
        access: &Access,
        target: &Target<'_>,
        reference: &Reference,
    ) -> Result<(Removed, Digest)> {
        let Target { place, repository, name } = *target;
        let by = access.actor.to_string();
        let now = self.parts.clock.now();
        let unknown = || error::manifest_unknown(reference);
        let mut removed = Removed::default();
        let (tags, digest, whole) = match reference {
            Reference::Tag(tag) => {
                let tag = tag.as_str();
                let pointed = store::tags::delete(tx, repository, tag, &by, now).await?.ok_or_else(unknown)?;
                (vec![tag.to_owned()], pointed, false)
            }
            Reference::Digest(digest) => {
                let referrers = self.referrers_in(tx, repository, digest, None, None).await?.referrers;
                removed.referrers = referrers.into_iter().map(|r| r.digest).collect();
                let tags = store::tags::end_all(tx, repository, digest, &by, now).await?;
                let needed = store::manifests::delete(tx, repository, digest).await?.ok_or_else(unknown)?;
                removed.freed_bytes = store::usage::release(tx, &needed).await?;
                removed.manifest_count = 1;
                (tags, *digest, true)
            }
        };
        let mut gone = vec![digest];
        if whole {
            let cleanup = Cleanup { repository, by: &by, now };
            gone.extend(self.clean_fallback_tags(tx, &cleanup, &digest).await?);
        }
        let newest = match store::manifests::describe(tx, repository, None).await? {
            Some(left) => Some(push_of(place.project_id, repository, name, left)?),
            None => None,
        };
        for digest in gone {
            if whole {
                self.parts.shelf.forget(tx, repository, &digest).await?;
            }
            self.parts.shelf.deleted(tx, repository, digest, newest.as_ref()).await?;
        }
        let about = Deleted { place, repository, name, tags: &tags, digest: &digest, whole };
        publish(tx, &events::deleted(&self.parts.clock, &access.actor, &about)).await?;
        let (image, reference) = (repository, reference.to_string());
        let noted = Noted { image, action: AccessKind::Delete, reference, digest: &digest, bytes: 0 };
        store::accesses::insert(tx, &[self.accesses.entry(access, place, noted)]).await?;
        removed.tag_count = tags.len() as u64;
        removed.tags = tags;
        Ok((removed, digest))
    }
}

/// Somebody whose rights were checked elsewhere.
fn on_behalf_of(caller: &Caller) -> Access {
    Access { request: caller.request.clone(), ..Access::of(caller.actor.clone(), Vec::new()) }
}
