//! Manifests and indexes: OCI Image Specification 1.1 and Docker Image Manifest Version 2, Schema 2.

use crate::images::registry::error;
use crate::kernel::{Digest, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

/// An image of OCI.
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// A list of manifests of OCI.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// What a manifest stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestKind {
    /// A config and layers.
    Image,
    /// Other manifests, one for each platform.
    Index,
}

/// A manifest as far as the registry understands it.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Under which it was pushed and is served.
    pub media_type: String,
    /// What it stands for.
    pub kind: ManifestKind,
    /// Type of an artifact that is no runnable image; the config's media type where the manifest gives none.
    pub artifact_type: Option<String>,
    /// The config blob of an image.
    pub config: Option<Descriptor>,
    /// The layer blobs of an image, lowest first.
    pub layers: Vec<Descriptor>,
    /// The manifests of an index.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this one is about.
    pub subject: Option<Descriptor>,
    /// What it says of itself.
    pub annotations: Map<String, Value>,
}

/// A reference to content (OCI Image Specification, "Descriptor").
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Type of the content.
    #[serde(default)]
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes, as the manifest says.
    #[serde(default)]
    pub size: u64,
    /// For which platform, in an index.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// Where else the content may be fetched: only of layers that may not be distributed.
    #[serde(default)]
    urls: Vec<String>,
}

/// A platform in an index or a config.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Platform {
    /// Such as `linux`.
    #[serde(default)]
    pub os: String,
    /// Such as `amd64`.
    #[serde(default)]
    pub architecture: String,
    /// Such as `v8`.
    #[serde(default)]
    pub variant: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u32,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
    annotations: Option<Value>,
}

impl Descriptor {
    /// Whether the registry need not hold the content: a layer that is fetched from elsewhere.
    pub fn is_foreign(&self) -> bool {
        !self.urls.is_empty()
            && (self.media_type.contains("nondistributable") || self.media_type.contains("rootfs.foreign"))
    }
}

impl Manifest {
    /// Reads a manifest that was sent under this media type; without one, the manifest's own counts.
    pub fn parse(content_type: Option<&str>, bytes: &[u8]) -> Result<Self> {
        let document: Document =
            serde_json::from_slice(bytes).map_err(|e| error::manifest_invalid(format!("it does not parse: {e}")))?;
        if document.schema_version != 2 {
            return Err(error::manifest_invalid("schemaVersion must be 2"));
        }
        let sent = content_type.map(|t| t.split(';').next().unwrap_or(t).trim()).filter(|t| *t != "application/json");
        let media_type = match (sent, document.media_type.as_deref()) {
            (Some(sent), Some(own)) if sent != own => {
                return Err(error::manifest_invalid(format!("it was sent as {sent} but says it is {own}")));
            }
            (Some(t), _) | (None, Some(t)) => t.to_owned(),
            (None, None) => return Err(error::manifest_invalid("send its media type as Content-Type")),
        };
        let kind = match media_type.as_str() {
            OCI_MANIFEST | DOCKER_MANIFEST => ManifestKind::Image,
            OCI_INDEX | DOCKER_LIST => ManifestKind::Index,
            other => return Err(error::manifest_invalid(format!("the media type {other} is not supported"))),
        };
        let artifact_type = document.artifact_type.filter(|t| !t.is_empty()).or_else(|| {
            document.config.as_ref().map(|c| c.media_type.clone()).filter(|t| !is_image_config(t) && !t.is_empty())
        });
        let manifest = Self {
            media_type,
            kind,
            artifact_type,
            config: document.config,
            layers: document.layers.unwrap_or_default(),
            manifests: document.manifests.unwrap_or_default(),
            subject: document.subject,
            annotations: match document.annotations {
                Some(Value::Object(annotations)) => annotations,
                _ => Map::new(),
            },
        };
        let needs = manifest.config.iter().chain(&manifest.layers).chain(&manifest.manifests);
        let mut texts = needs.map(|d| d.media_type.as_str()).chain(manifest.artifact_type.as_deref());
        if texts.any(|t| t.len() > 255 || t.contains(char::is_control)) {
            return Err(error::manifest_invalid("a media type has at most 255 characters and no control characters"));
        }
        match kind {
            // A document that is both could mean one thing here and another to a client.
            ManifestKind::Image if !manifest.manifests.is_empty() => {
                Err(error::manifest_invalid("an image manifest has no manifests"))
            }
            ManifestKind::Image if manifest.config.is_none() => Err(error::manifest_invalid("config is missing")),
            ManifestKind::Index if manifest.config.is_some() || !manifest.layers.is_empty() => {
                Err(error::manifest_invalid("an index has no config and no layers"))
            }
            _ => Ok(manifest),
        }
    }

    /// Whether its config describes a container image.
    pub fn has_image_config(&self) -> bool {
        self.config.as_ref().is_some_and(|c| is_image_config(&c.media_type))
    }

    /// The blobs that the repository must hold: config first, then layers.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        self.config.iter().chain(self.layers.iter().filter(|l| !l.is_foreign()))
    }

    /// A hash of the layers up to each, lowest first: each layer's digest is hashed onto what is below it.
    pub fn layer_hashes(&self) -> Vec<Digest> {
        let onto = |below: &mut Vec<u8>, layer: &Descriptor| {
            below.extend_from_slice(layer.digest.bytes());
            let hash = Digest::of(below);
            *below = hash.bytes().to_vec();
            Some(hash)
        };
        self.layers.iter().scan(Vec::new(), onto).collect()
    }

    /// Sizes of config and layers as the manifest gives them, in bytes.
    pub fn content_bytes(&self) -> u64 {
        self.config.iter().chain(&self.layers).fold(0, |sum, d| sum.saturating_add(d.size))
    }
}

/// The bytes of an index without its entries for a digest; none when nothing is left of it.
pub fn without(index: &[u8], digest: &Digest) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(index).ok()?;
    let entries = document.get_mut("manifests")?.as_array_mut()?;
    let text = digest.to_string();
    entries.retain(|entry| entry.get("digest").and_then(Value::as_str) != Some(text.as_str()));
    if entries.is_empty() { None } else { Some(document.to_string().into_bytes()) }
}

fn is_image_config(media_type: &str) -> bool {
    matches!(media_type, "application/vnd.oci.image.config.v1+json" | "application/vnd.docker.container.image.v1+json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn descriptor(media_type: &str) -> Value {
        json!({"mediaType": media_type, "digest": Digest::of(media_type.as_bytes()).to_string(), "size": 3})
    }

    fn parse(content_type: Option<&str>, document: &Value) -> Result<Manifest> {
        Manifest::parse(content_type, document.to_string().as_bytes())
    }

    #[test]
    fn images_and_indexes_of_both_worlds_are_read() {
        let config = descriptor("application/vnd.oci.image.config.v1+json");
        let image =
            json!({"schemaVersion": 2, "config": config, "layers": [descriptor("l")], "subject": descriptor("s")});
        for t in [OCI_MANIFEST, DOCKER_MANIFEST] {
            let m = parse(Some(t), &image).unwrap();
            assert_eq!((m.kind, m.blobs().count(), m.artifact_type.clone()), (ManifestKind::Image, 2, None));
            assert!(m.subject.is_some() && m.has_image_config() && m.content_bytes() == 6);
        }
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor(OCI_MANIFEST)]});
        assert_eq!(parse(None, &index).unwrap().manifests.len(), 1);
        assert_eq!(parse(Some("application/json; charset=utf-8"), &index).unwrap().kind, ManifestKind::Index);
    }

    #[test]
    fn an_artifact_is_named_by_its_type_or_its_config() {
        let config = descriptor("application/vnd.example.config");
        let by_config = json!({"schemaVersion": 2, "config": config, "layers": []});
        let m = parse(Some(OCI_MANIFEST), &by_config).unwrap();
        assert_eq!(m.artifact_type.as_deref(), Some("application/vnd.example.config"));
        let mut own = by_config;
        own["artifactType"] = "application/vnd.example".into();
        assert_eq!(parse(Some(OCI_MANIFEST), &own).unwrap().artifact_type.as_deref(), Some("application/vnd.example"));
    }

    #[test]
    fn layers_that_may_not_be_distributed_need_not_be_here() {
        let mut layer = descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
        let document = |layer: &Value| json!({"schemaVersion": 2, "config": descriptor("c"), "layers": [layer]});
        assert_eq!(parse(Some(DOCKER_MANIFEST), &document(&layer)).unwrap().blobs().count(), 2);
        layer["urls"] = json!(["https://example.com/layer"]);
        assert_eq!(parse(Some(DOCKER_MANIFEST), &document(&layer)).unwrap().blobs().count(), 1);
    }

    #[test]
    fn an_index_loses_one_entry_and_in_the_end_itself() {
        let entries = [descriptor("a"), descriptor("b"), descriptor("a")];
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).to_string();
        let rest = without(index.as_bytes(), &Digest::of(b"a")).unwrap();
        assert_eq!(Manifest::parse(None, &rest).unwrap().manifests.len(), 1);
        assert!(without(&rest, &Digest::of(b"b")).is_none());
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let config = descriptor("c");
        for (content_type, document) in [
            (Some(OCI_MANIFEST), json!({"schemaVersion": 1, "config": config, "layers": []})),
            (Some(OCI_MANIFEST), json!({"schemaVersion": 2, "layers": []})),
            (Some(OCI_MANIFEST), json!({"schemaVersion": 2, "config": config, "manifests": [config]})),
            (Some(OCI_INDEX), json!({"schemaVersion": 2, "config": config, "layers": [config]})),
            (Some(OCI_INDEX), json!({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config})),
            (Some("text/plain"), json!({"schemaVersion": 2, "config": config})),
            (None, json!({"schemaVersion": 2, "config": config})),
            (Some(OCI_MANIFEST), json!({"schemaVersion": 2, "config": {"digest": "sha256:00"}})),
            (Some(OCI_MANIFEST), json!({"schemaVersion": 2, "config": {"digest": config["digest"], "size": -1}})),
        ] {
            assert_eq!(parse(content_type, &document).unwrap_err().code(), "MANIFEST_INVALID", "{document}");
        }
        assert!(Manifest::parse(Some(OCI_MANIFEST), b"[").is_err());
    }

    proptest! {
        #[test]
        fn reading_a_manifest_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Manifest::parse(Some(OCI_MANIFEST), &bytes);
        }
    }
}
