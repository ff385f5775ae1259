//! Images and what is known of them.

use crate::images::registry::{Action, Manifest, ManifestKind};
use crate::kernel::ids::{ImageId, ProjectId, UserId};
use crate::kernel::text_enum;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use utoipa::ToSchema;

text_enum! {
    /// What an image is.
    pub enum ImageType {
        /// Runs in a container.
        Container = "container",
        /// A disk of a virtual machine.
        Vm = "vm",
        /// An image of a cloud provider.
        Cloud = "cloud",
        /// Anything else that is kept in the registry: charts, reports, signatures.
        Artifact = "artifact",
    }
}

text_enum! {
    /// How far an image is in its life.
    pub enum Lifecycle {
        /// Pushed, not recommended to anybody.
        Draft = "draft",
        /// Recommended.
        Published = "published",
        /// Still there, but to be replaced.
        Deprecated = "deprecated",
        /// Kept for the record.
        Archived = "archived",
    }
}

text_enum! {
    /// Whether an image is held back.
    pub enum Hold {
        /// It is not.
        None = "none",
        /// Until it is examined.
        Quarantined = "quarantined",
        /// For good.
        Blocked = "blocked",
    }
}

text_enum! {
    /// Who may see an image.
    pub enum Visibility {
        /// Everybody in the tenant who may pull.
        Tenant = "tenant",
        /// Members of its project, and those who manage the tenant's members.
        Project = "project",
        /// Everybody, without signing in.
        Public = "public",
    }
}

/// A step in the life of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleStep {
    /// Recommend it, for the first time or again.
    Publish,
    /// Ask for it to be replaced.
    Deprecate,
    /// Keep it for the record: it takes no pushes.
    Archive,
    /// Take it out of the archive, as a draft.
    Restore,
}

impl LifecycleStep {
    /// Where it leads from here; none where it may not be taken.
    pub fn from(self, now: Lifecycle) -> Option<Lifecycle> {
        use Lifecycle as L;
        match (self, now) {
            (Self::Publish, L::Draft | L::Deprecated) => Some(L::Published),
            (Self::Deprecate, L::Published) => Some(L::Deprecated),
            (Self::Archive, L::Draft | L::Published | L::Deprecated) => Some(L::Archived),
            (Self::Restore, L::Archived) => Some(L::Draft),
            _ => None,
        }
    }

    /// What it is called when it was taken: in the audit trail and as an event.
    pub fn past(self) -> &'static str {
        match self {
            Self::Publish => "image.published",
            Self::Deprecate => "image.deprecated",
            Self::Archive => "image.archived",
            Self::Restore => "image.restored",
        }
    }
}

text_enum! {
    /// What a member of the tenant may do with one image, beyond their roles in the tenant and its project.
    pub enum ImageRole {
        /// See and pull it.
        Reader = "reader",
        /// Push, too.
        Writer = "writer",
        /// Delete, too.
        Maintainer = "maintainer",
    }
}

impl ImageRole {
    /// What the role allows at the registry.
    pub fn actions(self) -> &'static [Action] {
        match self {
            Self::Reader => &[Action::Pull],
            Self::Writer => &[Action::Pull, Action::Push],
            Self::Maintainer => &Action::ALL,
        }
    }
}

/// A person with a role on an image.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ImageMember {
    /// The person.
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do with the image.
    pub role: ImageRole,
    /// Since when.
    pub added_at: DateTime<Utc>,
}

/// An image: one repository of the registry.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Image {
    /// Unique.
    pub id: ImageId,
    /// Its project.
    pub project_id: ProjectId,
    /// Its name in the project.
    pub name: String,
    /// Full name of its repository: `<tenant>/<project>/<name>`.
    pub repository: String,
    /// What it is.
    pub image_type: ImageType,
    /// How far it is in its life.
    pub lifecycle: Lifecycle,
    /// Whether it is held back.
    pub hold: Hold,
    /// Who may see it.
    pub visibility: Visibility,
    /// Digest of the manifest that was pushed or tagged last.
    pub digest: String,
    /// The tag that was moved last, where the newest manifest has one.
    pub tag: Option<String>,
    /// Who pushed last.
    pub pushed_by: String,
    /// When.
    pub pushed_at: DateTime<Utc>,
    /// When the first manifest was pushed.
    pub created_at: DateTime<Utc>,
    /// What the newest manifest says; of an index, what the image of it says that was pushed last.
    pub metadata: Option<ImageMetadata>,
    /// Of what people set, for `ETag`.
    #[serde(skip)]
    pub version: i32,
}

/// What a manifest and its config say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImageMetadata {
    /// Digest of the manifest.
    pub docker_manifest_digest: String,
    /// Digest of the config.
    pub docker_config_digest: Option<String>,
    /// Media type of the manifest.
    pub media_type: String,
    /// Type of an artifact that is no runnable image.
    pub artifact_type: Option<String>,
    /// Such as `linux`.
    pub os: Option<String>,
    /// Such as `amd64`.
    pub architecture: Option<String>,
    /// Number of layers.
    pub total_layer_count: i32,
    /// Bytes of config and layers as they are stored.
    pub compressed_size_bytes: i64,
    /// Bytes of the layers when they are unpacked, once they were measured.
    pub uncompressed_size_bytes: Option<i64>,
    /// What is run.
    #[schema(value_type = Option<Vec<String>>)]
    pub entrypoint: Option<Value>,
    /// Its arguments, or what is run where there is no entry point.
    #[schema(value_type = Option<Vec<String>>)]
    pub cmd: Option<Value>,
    /// Environment, as `NAME=value`.
    #[schema(value_type = Option<Vec<String>>)]
    pub env_vars: Option<Value>,
    /// Where it is run.
    pub working_dir: Option<String>,
    /// Labels.
    #[schema(value_type = Option<Object>)]
    pub labels: Option<Value>,
    /// When the image was made, as it says.
    pub image_created_at: Option<DateTime<Utc>>,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageLayer {
    /// From 0, lowest first.
    pub layer_number: i32,
    /// Digest of the layer as it is stored.
    pub layer_digest: String,
    /// Media type.
    pub media_type: String,
    /// Its bytes as they are stored.
    pub layer_size_bytes: i64,
    /// The step that made it, as the image says.
    pub created_by: Option<String>,
}

/// Longest text that is taken over from a config.
const MAX_TEXT: usize = 4000;

/// What an image's manifest and config say; none for an index, which says nothing of its own.
pub fn metadata(digest: &str, manifest: &Manifest, config: Option<&Value>) -> Option<ImageMetadata> {
    if manifest.kind == ManifestKind::Index {
        return None;
    }
    let own = |name: &str| config.and_then(|c| c.get(name));
    let run = |name: &str| own("config").and_then(|c| c.get(name)).filter(|v| !v.is_null());
    Some(ImageMetadata {
        docker_manifest_digest: digest.to_owned(),
        docker_config_digest: manifest.config.as_ref().map(|c| c.digest.to_string()),
        media_type: manifest.media_type.clone(),
        artifact_type: manifest.artifact_type.clone(),
        os: own("os").and_then(text),
        architecture: own("architecture").and_then(text),
        total_layer_count: i32::try_from(manifest.layers.len()).unwrap_or(i32::MAX),
        compressed_size_bytes: i64::try_from(manifest.content_bytes()).unwrap_or(i64::MAX),
        uncompressed_size_bytes: None,
        entrypoint: run("Entrypoint").map(storable),
        cmd: run("Cmd").map(storable),
        env_vars: run("Env").map(storable),
        working_dir: run("WorkingDir").and_then(text),
        labels: run("Labels").map(storable),
        image_created_at: own("created").and_then(|v| v.as_str()?.parse().ok()),
    })
}

/// The layers of an image, each with the step that made it: the config's history names the steps that made none, too.
pub fn layers(manifest: &Manifest, config: Option<&Value>) -> Vec<ImageLayer> {
    let history = config.and_then(|c| c.get("history")?.as_array()).map(Vec::as_slice).unwrap_or_default();
    let made = |step: &&Value| step.get("empty_layer").and_then(Value::as_bool) != Some(true);
    let mut steps = history.iter().filter(made).map(|step| step.get("created_by").and_then(text));
    (0..)
        .zip(&manifest.layers)
        .map(|(layer_number, layer)| ImageLayer {
            layer_number,
            layer_digest: layer.digest.to_string(),
            media_type: layer.media_type.clone(),
            layer_size_bytes: i64::try_from(layer.size).unwrap_or(i64::MAX),
            created_by: steps.next().flatten(),
        })
        .collect()
}

/// Longest beginning of a name or label by which an image is found.
const MAX_TERM: usize = 100;
/// Most of them of one image.
const MAX_TERMS: usize = 1000;

/// Where an image is found: its name and its labels (`key=value`), in small letters, from each word on.
pub fn terms(name: &str, labels: Option<&Value>) -> Vec<String> {
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    let labels = labels.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let terms: BTreeSet<String> = std::iter::once(name.to_owned())
        .chain(labels)
        .flat_map(|text| {
            let text: Vec<char> = text.to_lowercase().chars().filter(|c| *c != '\0').take(5 * MAX_TERM).collect();
            let word = |n: usize| text[n].is_alphanumeric();
            let starts: Vec<usize> = (0..text.len()).filter(|n| word(*n) && (*n == 0 || !word(n - 1))).collect();
            starts.into_iter().map(|n| text[n..].iter().take(MAX_TERM).collect()).collect::<Vec<String>>()
        })
        .take(MAX_TERMS)
        .collect();
    terms.into_iter().collect()
}

/// What a search looks for: terms at or after the first text and before the second.
pub fn term_range(query: &str) -> (String, String) {
    let low: String = query.trim().to_lowercase().chars().filter(|c| *c != '\0').take(MAX_TERM).collect();
    let high = format!("{low}{}", char::MAX);
    (low, high)
}

fn text(value: &Value) -> Option<String> {
    Some(clean(value.as_str()?)).filter(|t| !t.is_empty())
}

/// PostgreSQL keeps no NUL.
fn clean(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(MAX_TEXT).collect()
}

fn storable(value: &Value) -> Value {
    match value {
        Value::String(s) => clean(s).into(),
        Value::Array(list) => list.iter().map(storable).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (clean(k), storable(v))).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Digest;
    use serde_json::json;

    #[test]
    fn an_image_is_found_from_each_word_on() {
        let labels = json!({"org.Example.team": "Payments EU", "n": 5});
        let terms = terms("web/api-server", Some(&labels));
        for query in ["web", "api-s", "Server", "team=pay", "payments e", "org.example.team=payments eu", "eu"] {
            let (low, high) = term_range(query);
            assert!(terms.iter().any(|t| *t >= low && *t < high), "{query}: {terms:?}");
        }
        for query in ["eb", "rver", "n=5"] {
            let (low, high) = term_range(query);
            assert!(!terms.iter().any(|t| *t >= low && *t < high), "{query}: {terms:?}");
        }
        assert!(super::terms(&"a.".repeat(5000), None).len() <= MAX_TERMS);
    }

    #[test]
    fn an_image_goes_through_its_life_by_legal_steps() {
        use LifecycleStep as S;
        let allowed = |now: Lifecycle| {
            [S::Publish, S::Deprecate, S::Archive, S::Restore].map(|step| step.from(now).map(Lifecycle::as_str))
        };
        assert_eq!(allowed(Lifecycle::Draft), [Some("published"), None, Some("archived"), None]);
        assert_eq!(allowed(Lifecycle::Published), [None, Some("deprecated"), Some("archived"), None]);
        assert_eq!(allowed(Lifecycle::Deprecated), [Some("published"), None, Some("archived"), None]);
        assert_eq!(allowed(Lifecycle::Archived), [None, None, None, Some("draft")]);
    }

    #[test]
    fn a_config_is_read_and_cleaned_and_a_strange_one_does_no_harm() {
        let d = |s: &str| Digest::of(s.as_bytes()).to_string();
        let document = json!({"schemaVersion": 2,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": d("c"), "size": 5},
            "layers": [{"mediaType": "l", "digest": d("1"), "size": 7}, {"mediaType": "l", "digest": d("2"), "size": 9}]});
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = Manifest::parse(Some(media_type), document.to_string().as_bytes()).unwrap();
        let config = json!({"os": "linux", "architecture": "amd64", "created": "2026-01-01T00:00:00Z",
            "config": {"Cmd": ["sh\0"], "Env": null, "Labels": {"a": "b"}, "WorkingDir": ""},
            "history": [{"created_by": "COPY x"}, {"created_by": "ENV a=b", "empty_layer": true}, {"created_by": "RUN y"}]});
        let m = metadata("sha256:x", &manifest, Some(&config)).unwrap();
        assert_eq!((m.os.as_deref(), m.total_layer_count, m.compressed_size_bytes), (Some("linux"), 2, 21));
        assert_eq!((m.cmd, m.env_vars, m.working_dir), (Some(json!(["sh"])), None, None));
        assert!(m.image_created_at.is_some());
        let steps: Vec<_> = layers(&manifest, Some(&config)).into_iter().map(|l| l.created_by.unwrap()).collect();
        assert_eq!(steps, ["COPY x", "RUN y"]);
        for strange in [json!(null), json!([]), json!({"config": 1, "history": {}, "os": 5})] {
            assert!(metadata("sha256:x", &manifest, Some(&strange)).unwrap().os.is_none());
            assert_eq!(layers(&manifest, Some(&strange)).len(), 2);
        }
    }
}
