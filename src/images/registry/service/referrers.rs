//! Referrers: manifests that are about another one, its subject (OCI Distribution Specification 1.1, "Listing Referrers").
//!
//! Clients of registries without this listing keep an index of a subject's referrers under a tag of its digest, the
//! referrers tag schema. What such an index lists counts as referring here too, and it is kept true when what it lists or
//! is about is deleted.

use super::Registry;
use crate::images::registry::access::Access;
use crate::images::registry::model::{Action, Manifest, RepositoryName, referrers_tag, without};
use crate::images::registry::store;
use crate::images::registry::store::manifests::NewManifest;
use crate::images::registry::store::referrers::Wanted;
use crate::images::registry::store::tags::Move;
use crate::kernel::ids::ImageId;
use crate::kernel::{Digest, Result};
use crate::platform::db::TenantTx;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Most referrers of one answer, also when all of them are small.
const MAX_REFERRERS: u16 = 1000;

/// A manifest that is about another one: its descriptor.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Referrer {
    /// Of the manifest.
    pub media_type: String,
    /// Of the manifest.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Of the manifest, in bytes.
    pub size: u64,
    /// What it is; of an image that gives no type, that of its config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Its own annotations.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Map<String, Value>>,
}

/// A part of the referrers of a manifest.
#[derive(Debug)]
pub struct ReferrerPage {
    /// In the order of their digests.
    pub referrers: Vec<Referrer>,
    /// Whether there are more.
    pub more: bool,
}

/// Who deletes, and when.
pub(super) struct Cleanup<'a> {
    pub repository: ImageId,
    pub by: &'a str,
    pub now: DateTime<Utc>,
}

impl Registry {
    /// Referrers of a digest after `last`, of one type or of all; none when the repository does not hold the digest. A page
    /// repeats at most as many bytes of manifests as one manifest may have, or one manifest.
    pub async fn referrers(
        &self,
        access: &Access,
        name: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        last: Option<&Digest>,
    ) -> Result<ReferrerPage> {
        let place = access.place(name, Action::Pull)?;
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        let Some(repository) = store::repositories::find(&mut tx, place.project_id, name.image()).await? else {
            return Ok(ReferrerPage { referrers: Vec::new(), more: false });
        };
        self.referrers_in(&mut tx, repository, subject, artifact_type, last).await
    }

    pub(super) async fn referrers_in(
        &self,
        tx: &mut TenantTx,
        repository: ImageId,
        subject: &Digest,
        artifact_type: Option<&str>,
        last: Option<&Digest>,
    ) -> Result<ReferrerPage> {
        let fallback = referrers_tag(subject);
        let wanted = Wanted {
            repository,
            subject,
            fallback: &fallback,
            artifact_type,
            last,
            limit: i64::from(MAX_REFERRERS) + 1,
        };
        let found = store::referrers::find(tx, &wanted).await?;
        let mut room = self.parts.config.max_manifest_bytes as u64;
        let fitting = found.iter().take(MAX_REFERRERS.into()).take_while(|(_, size)| {
            let fits = *size <= room;
            room = room.saturating_sub(*size);
            fits
        });
        let count = fitting.count().max(1);
        let page: Vec<Digest> = found.iter().take(count).map(|(digest, _)| *digest).collect();
        let manifests = store::manifests::contents(tx, repository, &page).await?;
        let referrers = manifests.into_iter().map(|m| {
            let manifest = Manifest::parse(Some(&m.media_type), &m.content)?;
            let artifact_type = manifest.artifact_type.or_else(|| manifest.config.map(|c| c.media_type));
            let annotations = Some(manifest.annotations).filter(|a| !a.is_empty());
            Ok(Referrer { media_type: m.media_type, digest: m.digest, size: m.size_bytes, artifact_type, annotations })
        });
        Ok(ReferrerPage { referrers: referrers.collect::<Result<_>>()?, more: found.len() > page.len() })
    }

    /// Keeps the indexes of the referrers tag schema true when a manifest goes: the one of its own referrers goes with it,
    /// and those that list it list it no longer. Returns the indexes that were deleted.
    pub(super) async fn clean_fallback_tags(
        &self,
        tx: &mut TenantTx,
        cleanup: &Cleanup<'_>,
        deleted: &Digest,
    ) -> Result<Vec<Digest>> {
        let Cleanup { repository, by, now } = *cleanup;
        let mut outdated = Vec::new();
        outdated.extend(store::tags::delete(tx, repository, &referrers_tag(deleted), by, now).await?);
        for (tag, index) in store::referrers::fallback_tags_listing(tx, repository, deleted).await? {
            outdated.push(index.digest);
            let Some(rest) = without(&index.content, deleted) else {
                store::tags::delete(tx, repository, &tag, by, now).await?;
                continue;
            };
            let manifest = Manifest::parse(Some(&index.media_type), &rest)?;
            let digest = Digest::of(&rest);
            let new = NewManifest {
                repository,
                digest,
                manifest: &manifest,
                platform: None,
                content: &rest,
                config: None,
                pushed_by: by,
                temporary: false,
                now,
            };
            let (id, _) = store::manifests::insert(tx, &new).await?;
            let step = Move { repository, tag: &tag, to: &digest, by, now };
            store::tags::point(tx, id, &step).await?;
        }
        let mut removed = Vec::new();
        for index in outdated {
            if !store::tags::is_tagged(tx, repository, &index).await?
                && store::manifests::delete(tx, repository, &index).await?.is_some()
            {
                removed.push(index);
            }
        }
        Ok(removed)
    }
}
