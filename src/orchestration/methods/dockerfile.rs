//! What all methods share that build from a Dockerfile.

use crate::kernel::Fault;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// The form of the image's manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImageFormat {
    /// OCI Image Specification. It has no place for HEALTHCHECK, ONBUILD and SHELL: they are left out with a warning.
    #[default]
    Oci,
    /// Docker Image Manifest V2, Schema 2, which keeps HEALTHCHECK, ONBUILD and SHELL.
    Docker,
}

impl ImageFormat {
    /// As buildah's `--format` takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Oci => "oci",
            Self::Docker => "docker",
        }
    }
}

/// A project secret that is mounted while instructions run, as `RUN --mount=type=secret,id=ID` asks for it. It is never
/// part of the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretMount {
    /// The id that the Dockerfile uses.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
    pub id: String,
    /// The name of the project's secret.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
    pub secret: String,
}

/// Declares a configuration with the fields that all Dockerfile methods have, and its own behind them. (`serde` cannot
/// flatten one struct into another and still refuse unknown fields.)
macro_rules! dockerfile_config {
    ($(#[$doc:meta])* $name:ident { $($(#[$own_doc:meta])* $own:ident: $own_type:ty = $own_default:expr),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            /// Path of the Dockerfile inside the source.
            #[schema(min_length = 1, max_length = 255, pattern = "^[^/\\x00-\\x1f][^\\x00-\\x1f]*$", default = "Dockerfile")]
            pub dockerfile: String,
            /// Directory inside the source that COPY and ADD read from.
            #[schema(min_length = 1, max_length = 255, pattern = "^[^/\\x00-\\x1f][^\\x00-\\x1f]*$", default = ".")]
            pub build_context: String,
            /// Values for the ARG instructions. Not for secrets: they stay in the image's history.
            #[schema(schema_with = crate::orchestration::methods::dockerfile::variables_schema)]
            pub build_args: std::collections::BTreeMap<String, String>,
            /// Environment variables of the image.
            #[schema(schema_with = crate::orchestration::methods::dockerfile::variables_schema)]
            pub environment: std::collections::BTreeMap<String, String>,
            /// Labels of the image.
            #[schema(schema_with = crate::orchestration::methods::dockerfile::labels_schema)]
            pub labels: std::collections::BTreeMap<String, String>,
            /// Secrets of the project that instructions may mount.
            #[schema(max_items = 20)]
            pub secrets: Vec<crate::orchestration::methods::SecretMount>,
            /// The stage to build; the last one when absent.
            #[schema(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub target_stage: Option<String>,
            /// Reuse layers of earlier builds of the project and store those of this one.
            #[schema(default = true)]
            pub cache_enabled: bool,
            /// Repository inside the project that holds the layers to reuse.
            #[schema(min_length = 1, max_length = 128, default = "cache",
                pattern = "^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*$")]
            pub cache_repo: String,
            /// The form of the image's manifest.
            pub image_format: crate::orchestration::methods::ImageFormat,
            $($(#[$own_doc])* pub $own: $own_type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    dockerfile: "Dockerfile".into(),
                    build_context: ".".into(),
                    build_args: std::collections::BTreeMap::new(),
                    environment: std::collections::BTreeMap::new(),
                    labels: std::collections::BTreeMap::new(),
                    secrets: Vec::new(),
                    target_stage: None,
                    cache_enabled: true,
                    cache_repo: "cache".into(),
                    image_format: crate::orchestration::methods::ImageFormat::default(),
                    $($own: $own_default,)*
                }
            }
        }

        impl $name {
            /// What this configuration asks of a Dockerfile build; `self`'s own options at their neutral values.
            fn shared(&self) -> crate::orchestration::methods::dockerfile::BuildOptions<'_> {
                crate::orchestration::methods::dockerfile::BuildOptions {
                    dockerfile: &self.dockerfile,
                    build_context: &self.build_context,
                    build_args: &self.build_args,
                    environment: &self.environment,
                    labels: &self.labels,
                    secrets: &self.secrets,
                    target_stage: self.target_stage.as_deref(),
                    cache: self.cache_enabled,
                    cache_repo_name: &self.cache_repo,
                    image_format: self.image_format,
                    single_layer: false,
                    reproducible: false,
                    cache_ttl_hours: None,
                    push: true,
                }
            }
        }
    };
}
pub(super) use dockerfile_config;

/// A Dockerfile build, whatever method asked for it.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct BuildOptions<'a> {
    pub dockerfile: &'a str,
    pub build_context: &'a str,
    pub build_args: &'a BTreeMap<String, String>,
    pub environment: &'a BTreeMap<String, String>,
    pub labels: &'a BTreeMap<String, String>,
    pub secrets: &'a [SecretMount],
    pub target_stage: Option<&'a str>,
    pub cache: bool,
    pub cache_repo_name: &'a str,
    pub image_format: ImageFormat,
    /// All instructions of a stage make one layer.
    pub single_layer: bool,
    /// The same input gives the same image, bit for bit.
    pub reproducible: bool,
    pub cache_ttl_hours: Option<u32>,
    pub push: bool,
}

impl<'a> BuildOptions<'a> {
    /// Where the layer cache is; none when it is off, or of no use since no layer of its own is made per instruction.
    pub fn cache_repo(&self) -> Option<&'a str> {
        (self.cache && !self.single_layer).then_some(self.cache_repo_name)
    }

    /// What a schema cannot say.
    pub fn validate(&self, prefix: &str, faults: &mut Vec<Fault>) {
        path(self.dockerfile, &format!("{prefix}/dockerfile"), faults);
        path(self.build_context, &format!("{prefix}/build_context"), faults);
        let mut seen = BTreeSet::new();
        for (n, secret) in self.secrets.iter().enumerate() {
            if !seen.insert(&secret.id) {
                faults.push(Fault::new(format!("{prefix}/secrets/{n}/id"), "duplicate", "another secret has this id"));
            }
        }
    }
}

/// A path must stay inside the source.
fn path(path: &str, pointer: &str, faults: &mut Vec<Fault>) {
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        faults.push(Fault::new(pointer, "outside_source", "give a path inside the source, without .."));
    }
}

/// Variables by name.
pub(super) fn variables_schema() -> Object {
    map_schema("^[A-Za-z_][A-Za-z0-9_]*$", "Values by name.")
}

/// Labels by key.
pub(super) fn labels_schema() -> Object {
    map_schema("^[A-Za-z0-9][A-Za-z0-9._/-]*$", "Values by key.")
}

/// At most 100 texts by name. A NUL cannot be handed to a process.
fn map_schema(names: &str, description: &str) -> Object {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(description))
        .max_properties(Some(100))
        .property_names(Some(text().min_length(Some(1)).max_length(Some(128)).pattern(Some(names)).build()))
        .additional_properties(Some(text().max_length(Some(4096)).pattern(Some("^[^\\x00]*$"))))
        .build()
}
