//! One manifest of an image, in full.

use super::image::{ImageLayer, ImageMetadata, layers, metadata};
use crate::images::registry::{Base, Descriptor, Entry, ManifestDetails, ManifestKind, Referrer};
use crate::kernel::Digest;
use crate::kernel::ids::BuildId;
use crate::kernel::text_enum;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;
use utoipa::ToSchema;

text_enum! {
    /// What a manifest stands for.
    pub enum ManifestRole {
        /// An image for one platform.
        Image = "image",
        /// A list of manifests, such as one for each platform.
        Index = "index",
        /// Anything else: a chart, a report, a signature.
        Artifact = "artifact",
    }
}

/// A manifest of an image.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ImageManifest {
    /// Its digest.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// What it stands for.
    pub kind: ManifestRole,
    /// Media type.
    pub media_type: String,
    /// What an artifact is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The manifest that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub subject: Option<Digest>,
    /// Tags that point to it, by name, at most 1000.
    pub tags: Vec<String>,
    /// Bytes of the manifest and all it names as they are stored, as it says.
    pub size_bytes: u64,
    /// Bytes of its layers when they are unpacked, once all were measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncompressed_size_bytes: Option<u64>,
    /// Who pushed it first.
    pub pushed_by: String,
    /// When.
    pub pushed_at: DateTime<Utc>,
    /// The build that made it, the last where several did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_id: Option<BuildId>,
    /// What it says of itself.
    #[schema(value_type = Object)]
    pub annotations: Map<String, Value>,
    /// The manifests of an index.
    pub platforms: Vec<PlatformManifest>,
    /// What the config of an image says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<ImageMetadata>,
    /// As whom an image runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Ports that an image listens on, such as `8080/tcp`.
    pub exposed_ports: Vec<String>,
    /// The layers of an image, lowest first.
    pub layers: Vec<ManifestLayer>,
    /// The image that it was made from, as its own annotations say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_base: Option<DeclaredBase>,
    /// An image of the tenant that it was made from, as their layers show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// Manifests that are about this one, such as signatures and SBOMs.
    pub referrers: Vec<Referrer>,
    /// Whether there are more of them; the registry's listing of referrers has all.
    pub more_referrers: bool,
}

/// A manifest of an index.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PlatformManifest {
    /// Its digest.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Media type.
    pub media_type: String,
    /// Such as `linux`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Such as `arm64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Such as `v8`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Bytes of it and all it names.
    pub size_bytes: u64,
}

/// A layer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ManifestLayer {
    /// The layer itself.
    #[serde(flatten)]
    pub layer: ImageLayer,
    /// Its bytes when it is unpacked, once that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncompressed_size_bytes: Option<u64>,
    /// Whether it comes from the base.
    pub from_base: bool,
}

/// A base as an image names it (OCI Image Specification, "Pre-Defined Annotation Keys").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeclaredBase {
    /// `org.opencontainers.image.base.name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `org.opencontainers.image.base.digest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl ImageManifest {
    /// What the registry knows of a manifest, in the words of the catalogue.
    pub fn new(details: ManifestDetails, base: Option<Base>, build_id: Option<BuildId>) -> Self {
        let ManifestDetails { manifest, config, unpacked, .. } = details;
        let config = config.as_ref();
        let kind = match manifest.kind {
            ManifestKind::Index => ManifestRole::Index,
            ManifestKind::Image if manifest.artifact_type.is_some() => ManifestRole::Artifact,
            ManifestKind::Image => ManifestRole::Image,
        };
        let run = |name: &str| config.and_then(|c| c.get("config")?.get(name));
        let ports = run("ExposedPorts").and_then(Value::as_object).map(|ports| ports.keys().cloned().collect());
        let total = manifest.layers.iter().map(|l| unpacked.get(&l.digest)).sum::<Option<u64>>();
        let total = total.filter(|_| !manifest.layers.is_empty());
        let from_base = base.as_ref().map_or(0, |b| b.layer_count);
        let described = layers(&manifest, config).into_iter().zip(&manifest.layers).enumerate();
        let layers = described.map(|(n, (layer, own))| ManifestLayer {
            layer,
            uncompressed_size_bytes: unpacked.get(&own.digest).copied(),
            from_base: n < from_base,
        });
        let annotation = |name: &str| {
            let key = format!("org.opencontainers.image.base.{name}");
            Some(manifest.annotations.get(&key)?.as_str()?.to_owned()).filter(|text| !text.is_empty())
        };
        let declared_base = Some(DeclaredBase { name: annotation("name"), digest: annotation("digest") });
        let platforms: Vec<_> = manifest.manifests.iter().map(|entry| platform(entry, &details.entries)).collect();
        let entries: u64 = platforms.iter().fold(0, |sum, p| sum.saturating_add(p.size_bytes));
        Self {
            digest: details.digest,
            kind,
            subject: manifest.subject.as_ref().map(|s| s.digest),
            tags: details.tags,
            size_bytes: details.content_bytes.saturating_add(manifest.content_bytes()).saturating_add(entries),
            uncompressed_size_bytes: total,
            pushed_by: details.pushed_by,
            pushed_at: details.pushed_at,
            build_id,
            platforms,
            metadata: metadata(&details.digest.to_string(), &manifest, config)
                .map(|m| ImageMetadata { uncompressed_size_bytes: total.and_then(|t| t.try_into().ok()), ..m }),
            user: run("User").and_then(Value::as_str).filter(|u| !u.is_empty()).map(str::to_owned),
            exposed_ports: ports.unwrap_or_default(),
            layers: layers.collect(),
            declared_base: declared_base.filter(|b| b.name.is_some() || b.digest.is_some()),
            base,
            referrers: details.referrers,
            more_referrers: details.more_referrers,
            media_type: manifest.media_type,
            artifact_type: manifest.artifact_type,
            annotations: manifest.annotations,
        }
    }
}

/// An entry of an index; what the index leaves out, the config of the image says.
fn platform(entry: &Descriptor, known: &HashMap<Digest, Entry>) -> PlatformManifest {
    let known = known.get(&entry.digest);
    let of_config = known.and_then(|k| k.platform.as_deref()?.split_once('/'));
    let given = entry.platform.as_ref();
    let say = |own: Option<&String>, config: Option<&str>| {
        own.filter(|t| !t.is_empty()).cloned().or_else(|| config.map(str::to_owned))
    };
    PlatformManifest {
        digest: entry.digest,
        media_type: entry.media_type.clone(),
        os: say(given.map(|p| &p.os), of_config.map(|(os, _)| os)),
        architecture: say(given.map(|p| &p.architecture), of_config.map(|(_, architecture)| architecture)),
        variant: given.and_then(|p| p.variant.clone()),
        size_bytes: known.map_or(entry.size, |k| k.size_bytes),
    }
}
