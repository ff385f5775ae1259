//! What the catalogue shows of manifests and tags. The caller's rights are checked there.

use super::Registry;
use super::referrers::Referrer;
use crate::images::registry::error;
use crate::images::registry::model::{Manifest, Reference, Tag};
use crate::images::registry::store;
use crate::kernel::ids::{ImageId, TenantId};
use crate::kernel::{Digest, Page, PageRequest, Result};
use crate::platform::db::TenantTx;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// A manifest with everything that is known of it.
pub struct ManifestDetails {
    pub digest: Digest,
    /// Bytes of the manifest itself.
    pub content_bytes: u64,
    pub manifest: Manifest,
    /// The config of a container image.
    pub config: Option<Value>,
    /// By name, at most 1000.
    pub tags: Vec<String>,
    pub pushed_by: String,
    pub pushed_at: DateTime<Utc>,
    /// What is known of the manifests that an index lists.
    pub entries: HashMap<Digest, Entry>,
    /// Sizes of layers when they are unpacked, in bytes, where they are known.
    pub unpacked: HashMap<Digest, u64>,
    /// Other images whose layers are the lower ones of this: those with the most of them first, at most ten.
    pub bases: Vec<Base>,
    /// Manifests that are about this one, in the order of their digests: the first ones.
    pub referrers: Vec<Referrer>,
    /// Whether there are more.
    pub more_referrers: bool,
}

/// A manifest that an index lists and the repository has.
pub struct Entry {
    /// Bytes of the manifest and all it names.
    pub size_bytes: u64,
    /// `os/architecture` as its config says.
    pub platform: Option<String>,
}

/// An image that another one was made from, as its layers show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Base {
    /// The image.
    pub image_id: ImageId,
    /// Full name of its repository.
    pub repository: String,
    /// Its manifest.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The newest tag of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// How many layers come from it.
    pub layer_count: usize,
}

/// A move of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagMove {
    /// Unique.
    pub id: Uuid,
    /// Where it pointed; nothing when the tag was new.
    #[schema(value_type = Option<String>)]
    pub from_digest: Option<Digest>,
    /// Where it points since; nothing when the tag was deleted.
    #[schema(value_type = Option<String>)]
    pub to_digest: Option<Digest>,
    /// Who moved it.
    pub moved_by: String,
    /// When.
    pub moved_at: DateTime<Utc>,
}

/// The beginning of a digest, with the algorithm or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestPrefix {
    low: Digest,
    high: Digest,
}

impl DigestPrefix {
    /// Fewer characters would find too much.
    const MIN: usize = 6;

    /// Reads at least six characters of the hexadecimal part; none when the text is no such thing.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        let fits = (Self::MIN..=64).contains(&hex.len()) && hex.bytes().all(|b| b.is_ascii_hexdigit());
        if !fits {
            return None;
        }
        let padded = |with: &str| format!("sha256:{hex:.64}{}", with.repeat(64 - hex.len())).parse().ok();
        Some(Self { low: padded("0")?, high: padded("f")? })
    }
}

impl Registry {
    /// A manifest of a repository, by tag or digest. Its bases are any of the tenant: who may see them is decided elsewhere.
    pub async fn manifest_details(
        &self,
        tenant: TenantId,
        repository: ImageId,
        reference: &Reference,
    ) -> Result<ManifestDetails> {
        let unknown = || error::manifest_unknown(reference);
        let mut tx = self.parts.db.tenant(tenant).await?;
        let digest = match reference {
            Reference::Digest(digest) => *digest,
            Reference::Tag(tag) => {
                store::tags::points_to(&mut tx, repository, tag.as_str()).await?.ok_or_else(unknown)?
            }
        };
        let described = store::manifests::describe(&mut tx, repository, Some(&digest)).await?.ok_or_else(unknown)?;
        let manifest = Manifest::parse(Some(&described.manifest.media_type), &described.manifest.content)?;
        let tags = store::tags::of(&mut tx, described.id).await?;
        let entries = store::manifests::entries(&mut tx, repository, described.id).await?;
        let mut below = manifest.layer_hashes();
        below.pop();
        let bases = if below.is_empty() { Vec::new() } else { store::manifests::bases(&mut tx, &below).await? };
        let referrers = self.referrers_in(&mut tx, repository, &digest, None, None).await?;
        drop(tx);
        let unpacked = self.unpacked_sizes(&manifest).await?;
        Ok(ManifestDetails {
            digest,
            content_bytes: described.manifest.size_bytes,
            config: described.config.and_then(|c| serde_json::from_slice(&c).ok()),
            manifest,
            tags,
            pushed_by: described.pushed_by,
            pushed_at: described.pushed_at,
            entries: entries
                .into_iter()
                .map(|e| (e.digest, Entry { size_bytes: e.size_bytes, platform: e.platform }))
                .collect(),
            unpacked,
            bases: bases
                .into_iter()
                .map(|b| Base {
                    image_id: b.repository,
                    repository: b.name,
                    digest: b.digest,
                    tag: b.tag,
                    layer_count: usize::try_from(b.layer_count).unwrap_or_default(),
                })
                .collect(),
            referrers: referrers.referrers,
            more_referrers: referrers.more,
        })
    }

    /// Moves of a tag, newest first.
    pub async fn tag_history(
        &self,
        tenant: TenantId,
        repository: ImageId,
        tag: &Tag,
        page: &PageRequest,
    ) -> Result<Page<TagMove>> {
        let mut tx = self.parts.db.tenant(tenant).await?;
        let moves = store::tags::history(&mut tx, repository, tag.as_str(), page.after()?, page.fetch()).await?;
        let page = page.page(moves, |m| m.id)?;
        Ok(page.map(|m| TagMove { id: m.id, from_digest: m.from, to_digest: m.to, moved_by: m.by, moved_at: m.at }))
    }

    /// Repositories that hold a manifest, a config or a layer whose digest begins so: at most 200.
    pub async fn repositories_holding(&self, tx: &mut TenantTx, prefix: &DigestPrefix) -> Result<Vec<ImageId>> {
        store::manifests::repositories_holding(tx, &prefix.low, &prefix.high).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_digest_is_all_digests_that_begin_so() {
        let digest = Digest::of(b"x");
        for text in [&digest.hex()[..7], &digest.hex(), &digest.to_string()[..20]] {
            let prefix = DigestPrefix::parse(text).unwrap();
            assert!(prefix.low <= digest && digest <= prefix.high, "{text}");
        }
        for no in ["", "abc", "sha256:", "words!", "sha512:abcdef", &"a".repeat(65)] {
            assert_eq!(DigestPrefix::parse(no), None, "{no}");
        }
    }
}
