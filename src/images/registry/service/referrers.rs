//! Referrers: manifests that are about another one, its subject (OCI Distribution Specification 1.1, "Listing Referrers").
//!
//! Clients of registries without this listing keep an index of a subject's referrers under a tag of its digest, the
//! referrers tag schema. What such an index lists counts as referring here too, and it is kept true when what it lists or
//! is about is deleted.

use super::Registry;
use crate::images::registry::access::Access;
use crate::images::registry::model::{Action, Manifest, RepositoryName, without};
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

/// Most referrers of one answer, also when all of them are small.
const MAX_REFERRERS: i64 = 1000;

/// A manifest that is about another one: its descriptor.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Referrer {
    /// Of the manifest.
    pub media_type: String,
    /// Of the manifest.
    pub digest: Digest,
    /// Of the manifest, in bytes.
    pub size: u64,
    /// What it is; of an image that gives no type, that of its config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Its own annotations.
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

/// What of a manifest its descriptor repeats.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Own {
    artifact_type: Option<String>,
    config: Option<OwnConfig>,
    annotations: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnConfig {
    media_type: Option<String>,
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
        let fallback = fallback_tag(subject);
        let wanted =
            Wanted { repository, subject, fallback: &fallback, artifact_type, last, limit: MAX_REFERRERS + 1 };
        let found = store::referrers::find(tx, &wanted).await?;
        let mut room = self.parts.config.max_manifest_bytes as u64;
        let fitting = found.iter().take(MAX_REFERRERS.unsigned_abs() as usize).take_while(|(_, size)| {
            let fits = *size <= room;
            room = room.saturating_sub(*size);
            fits
        });
        let count = fitting.count().max(1);
        let page: Vec<Digest> = found.iter().take(count).map(|(digest, _)| *digest).collect();
        let manifests = store::manifests::contents(tx, repository, &page).await?;
        let referrers = manifests.into_iter().map(|m| {
            let own: Option<Own> = serde_json::from_slice(&m.content).ok();
            let (artifact_type, config, annotations) =
                own.map_or((None, None, None), |o| (o.artifact_type, o.config, o.annotations));
            let artifact_type =
                artifact_type.filter(|t| !t.is_empty()).or_else(|| config.and_then(|c| c.media_type));
            Referrer { media_type: m.media_type, digest: m.digest, size: m.size_bytes, artifact_type, annotations }
        });
        Ok(ReferrerPage { referrers: referrers.collect(), more: found.len() > page.len() })
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
        outdated.extend(store::tags::delete(tx, repository, &fallback_tag(deleted), by, now).await?);
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

/// The tag under which clients keep an index of a manifest's referrers (OCI Distribution Specification 1.1, "Referrers Tag
/// Schema").
fn fallback_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}
