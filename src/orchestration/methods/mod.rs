//! How an image is built: a typed configuration and a source become a [`Plan`]. Pure: no I/O, no clock.

mod buildah;
mod context;
mod docker;
mod dockerfile;
mod git;
mod kaniko;
mod plan;
mod source;
mod steps;

pub use docker::DockerConfig;
pub use dockerfile::{ImageFormat, SecretMount};
pub use git::Commit;
pub use kaniko::KanikoConfig;
pub use plan::{Content, Plan, PlanCommand, PlanFile, PlanInput, PlanOutput, RUN, Stage};
pub use source::{GitCredential, Source, validate_git_ref, validate_git_url};
pub use steps::{StepEvent, StepParser, Stream};

use crate::kernel::{Error, Fault, Result};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// How an image is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A Dockerfile, as Docker builds it.
    Docker,
    /// A Containerfile; the same as `docker` under the name that Podman and Buildah use.
    Container,
    /// A Dockerfile with kaniko's options, mapped on buildah where the worker is a machine.
    Kaniko,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::Docker, Self::Container, Self::Kaniko];

    /// As stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Container => "container",
            Self::Kaniko => "kaniko",
        }
    }

    /// The programs that a worker needs to build by this method, from any source.
    pub fn required_tools(self) -> &'static [&'static str] {
        match self {
            Self::Docker | Self::Container | Self::Kaniko => &["buildah", "git", "ssh", "tar"],
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|m| m.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid(
                "build.method_unknown",
                format!("there is no build method {text:?}; the methods are {known}"),
            )
        })
    }
}

/// The configuration of a build by its method. As JSON: `{"method": "docker", "config": {...}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "method", content = "config", rename_all = "snake_case")]
pub enum MethodConfig {
    /// See [`Method::Docker`].
    Docker(DockerConfig),
    /// See [`Method::Container`].
    Container(DockerConfig),
    /// See [`Method::Kaniko`].
    Kaniko(KanikoConfig),
}

impl MethodConfig {
    /// Reads and checks a configuration. Faults bear pointers under `/config`.
    pub fn parse(method: Method, config: &serde_json::Value) -> Result<Self, Vec<Fault>> {
        let parsed = match method {
            Method::Docker => DockerConfig::deserialize(config).map(Self::Docker),
            Method::Container => DockerConfig::deserialize(config).map(Self::Container),
            Method::Kaniko => KanikoConfig::deserialize(config).map(Self::Kaniko),
        };
        let parsed = parsed.map_err(|e| vec![Fault::new("/config", "invalid", e.to_string())])?;
        let mut faults = Vec::new();
        parsed.dockerfile().validate("/config", &mut faults);
        if faults.is_empty() { Ok(parsed) } else { Err(faults) }
    }

    /// The method whose configuration this is.
    pub fn method(&self) -> Method {
        match self {
            Self::Docker(_) => Method::Docker,
            Self::Container(_) => Method::Container,
            Self::Kaniko(_) => Method::Kaniko,
        }
    }

    /// The configuration without the method, every default filled in.
    pub fn to_value(&self) -> Result<serde_json::Value> {
        Ok(match self {
            Self::Docker(config) | Self::Container(config) => serde_json::to_value(config)?,
            Self::Kaniko(config) => serde_json::to_value(config)?,
        })
    }

    /// The project secrets that a run needs, by name: the keys of [`PlanInputs::secrets`].
    pub fn secret_names(&self) -> BTreeSet<&str> {
        self.dockerfile().secrets.iter().map(|s| s.secret.as_str()).collect()
    }

    /// The repository inside the project that holds the layer cache; none when the cache is off.
    pub fn cache_repo(&self) -> Option<&str> {
        self.dockerfile().cache_repo()
    }

    /// Whether the image is pushed.
    pub fn pushes(&self) -> bool {
        self.dockerfile().push
    }

    fn dockerfile(&self) -> dockerfile::Dockerfile<'_> {
        match self {
            Self::Docker(config) | Self::Container(config) => config.dockerfile(),
            Self::Kaniko(config) => config.dockerfile(),
        }
    }
}

/// Access to the registry that images are pushed to.
#[derive(Debug, Clone)]
pub struct RegistryAccess {
    /// `host:port`, as image references begin.
    pub host: String,
    /// The user name of the build's robot token.
    pub username: String,
    /// The token.
    pub password: SecretString,
    /// Speak http, or https with a certificate that nobody knows, to this host and to no other.
    pub insecure: bool,
}

/// All that a plan is made from.
#[derive(Debug, Clone)]
pub struct PlanInputs {
    /// Checked by [`MethodConfig::parse`].
    pub config: MethodConfig,
    /// Where the files come from.
    pub source: Source,
    /// Full references to push, `host:port/tenant/project/name:tag`; the first is the main one.
    pub images: Vec<String>,
    /// The layer cache, `host:port/tenant/project/name`; none builds without a remote cache.
    pub cache_reference: Option<String>,
    /// The registry of the images, of the cache and of private bases.
    pub registry: RegistryAccess,
    /// The values of the secrets that [`MethodConfig::secret_names`] asks for.
    pub secrets: BTreeMap<String, SecretString>,
}

/// What a run has to do. Outputs: `commit` (of a Git source, see [`Commit`]), `image_id`, and `digest` of what was pushed
/// (both `sha256:<hex>`).
///
/// Errors: a secret without a value; no image although the configuration pushes.
pub fn plan(inputs: &PlanInputs) -> Result<Plan> {
    let config = inputs.config.dockerfile();
    let mut plan = Plan::default();
    match &inputs.source {
        Source::Git { url, reference, credential, pinned } => {
            git::add_fetch(&mut plan, url, reference, credential.as_ref(), *pinned);
        }
        Source::Context { object } => context::add_unpack(&mut plan, object),
        Source::Inline { dockerfile } => plan.files.push(PlanFile {
            path: format!("source/{}", config.dockerfile),
            mode: 0o644,
            content: Content::Bytes(dockerfile.clone().into_bytes()),
        }),
    }
    context::add_check(&mut plan, &config);
    buildah::add_build(&mut plan, inputs, &config)?;
    Ok(plan)
}
