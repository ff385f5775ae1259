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
use crate::platform::http::validate_json;
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
        let schema = match method {
            Method::Docker | Method::Container => validate_json::<DockerConfig>(config, "/config"),
            Method::Kaniko => validate_json::<KanikoConfig>(config, "/config"),
        };
        let mut faults = schema.unwrap_or_else(|e| vec![Fault::new("/config", "invalid", e.message())]);
        if !faults.is_empty() {
            return Err(faults);
        }
        let parsed = match method {
            Method::Docker => DockerConfig::deserialize(config).map(Self::Docker),
            Method::Container => DockerConfig::deserialize(config).map(Self::Container),
            Method::Kaniko => KanikoConfig::deserialize(config).map(Self::Kaniko),
        };
        let parsed = parsed.map_err(|e| vec![Fault::new("/config", "invalid", e.to_string())])?;
        parsed.options().validate("/config", &mut faults);
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
        self.options().secrets.iter().map(|s| s.secret.as_str()).collect()
    }

    /// The repository inside the project that holds the layer cache; none when the cache is off.
    pub fn cache_repo(&self) -> Option<&str> {
        self.options().cache_repo()
    }

    /// Whether the image is pushed.
    pub fn pushes(&self) -> bool {
        self.options().push
    }

    fn options(&self) -> dockerfile::BuildOptions<'_> {
        match self {
            Self::Docker(config) | Self::Container(config) => config.options(),
            Self::Kaniko(config) => config.options(),
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

/// With what a run signs in to another registry.
#[derive(Debug, Clone)]
pub struct OtherRegistry {
    /// `host` or `host:port`.
    pub host: String,
    /// Who signs in.
    pub username: String,
    /// The password or token.
    pub password: SecretString,
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
    /// Where bases are pulled from besides.
    pub other_registries: Vec<OtherRegistry>,
    /// The values of the secrets that [`MethodConfig::secret_names`] asks for.
    pub secrets: BTreeMap<String, SecretString>,
}

/// What a run has to do. Outputs: `commit` (of a Git source, see [`Commit`]), `image_id`, and `digest` of what was pushed
/// (both `sha256:<hex>`).
///
/// Errors: a secret without a value; no image although the configuration pushes.
pub fn plan(inputs: &PlanInputs) -> Result<Plan> {
    let config = inputs.config.options();
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

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use serde_json::json;

    fn faults(method: Method, config: &serde_json::Value) -> Vec<(String, String)> {
        MethodConfig::parse(method, config).unwrap_err().into_iter().map(|f| (f.pointer, f.code)).collect()
    }

    fn inputs(method: Method, config: &serde_json::Value) -> PlanInputs {
        PlanInputs {
            config: MethodConfig::parse(method, config).unwrap(),
            source: Source::Inline { dockerfile: "FROM scratch\n".into() },
            images: vec!["127.0.0.1:5000/t/p/i:1".into(), "127.0.0.1:5000/t/p/i:latest".into()],
            cache_reference: Some("127.0.0.1:5000/t/p/cache".into()),
            registry: RegistryAccess {
                host: "127.0.0.1:5000".into(),
                username: "robot".into(),
                password: "r0b0tt0ken".to_owned().into(),
                insecure: true,
            },
            other_registries: Vec::new(),
            secrets: BTreeMap::from([("npm".to_owned(), "sw0rdf1sh".to_owned().into())]),
        }
    }

    fn build_line(plan: &Plan) -> String {
        plan.commands.iter().find(|c| c.name == "build").unwrap().argv.join(" ")
    }

    #[test]
    fn an_empty_configuration_is_all_defaults_and_reads_back() {
        for method in Method::ALL {
            let config = MethodConfig::parse(method, &json!({})).unwrap();
            assert_eq!((config.method(), config.cache_repo(), config.pushes()), (method, Some("cache"), true));
            assert_eq!(MethodConfig::parse(method, &config.to_value().unwrap()).unwrap(), config);
            let stored = serde_json::to_value(&config).unwrap();
            assert_eq!(stored["method"], json!(method.as_str()));
            assert_eq!(serde_json::from_value::<MethodConfig>(stored).unwrap(), config);
            assert_eq!(method.as_str().parse::<Method>().unwrap(), method);
        }
        assert!("dockre".parse::<Method>().is_err());
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let wrong = json!({
            "dockerfile": "/etc/passwd", "build_args": {"1x": "a", "OK": "nul\u{0}"}, "labels": {"-": "x"},
            "secrets": [{"id": "a b", "secret": "x"}], "target_stage": "", "cache_repo": "UPPER",
            "image_format": "tar", "snapshot_mode": "redo",
        });
        let mut found = faults(Method::Docker, &wrong).into_iter().map(|f| f.0).collect::<Vec<_>>();
        found.sort();
        found.dedup();
        assert_eq!(
            found,
            [
                "/config/build_args",
                "/config/build_args/OK",
                "/config/cache_repo",
                "/config/dockerfile",
                "/config/image_format",
                "/config/labels",
                "/config/secrets/0/id",
                "/config/snapshot_mode",
                "/config/target_stage",
            ]
        );
        let outside = json!({"dockerfile": "a/../../b", "build_context": "..", "secrets": [{"id": "a", "secret": "x"}, {"id": "a", "secret": "y"}]});
        let expected = [
            ("/config/dockerfile", "outside_source"),
            ("/config/build_context", "outside_source"),
            ("/config/secrets/1/id", "duplicate"),
        ];
        assert_eq!(faults(Method::Docker, &outside), expected.map(|(p, c)| (p.to_owned(), c.to_owned())));
        assert_eq!(faults(Method::Kaniko, &json!({"cache_ttl_hours": 0}))[0].0, "/config/cache_ttl_hours");
        assert_eq!(faults(Method::Docker, &json!({"single_snapshot": true}))[0].1, "unknown_field");
        assert_eq!(faults(Method::Docker, &json!([]))[0].0, "/config");
    }

    #[test]
    fn every_option_reaches_the_command_line() {
        let config = json!({
            "dockerfile": "docker/Dockerfile.prod", "build_context": "app", "build_args": {"V": "1 2"},
            "environment": {"E": "x"}, "labels": {"l": "y"}, "secrets": [{"id": "tok", "secret": "npm"}],
            "target_stage": "prod", "image_format": "docker",
        });
        let plan = plan(&inputs(Method::Docker, &config)).unwrap();
        let line = build_line(&plan);
        for part in [
            "--build-arg V=1 2",
            "--env E=x",
            "--label l=y",
            "--secret id=tok,src={run}/secrets/0",
            "--target prod",
            "--format docker",
            "--file {run}/source/docker/Dockerfile.prod",
            "--cache-from 127.0.0.1:5000/t/p/cache",
            "--cache-to 127.0.0.1:5000/t/p/cache",
            "--layers",
            "--tag 127.0.0.1:5000/t/p/i:1",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert!(line.ends_with(" {run}/source/app"));
        let pushes: Vec<_> =
            plan.commands.iter().filter(|c| c.stage == Stage::Push).map(|c| c.argv.last().unwrap()).collect();
        assert_eq!(pushes, ["docker://127.0.0.1:5000/t/p/i:1", "docker://127.0.0.1:5000/t/p/i:latest"]);
    }

    #[test]
    fn options_of_kaniko_have_their_effect() {
        let config = json!({"single_snapshot": true, "reproducible": true, "no_push": true});
        let single = plan(&inputs(Method::Kaniko, &config)).unwrap();
        let line = build_line(&single);
        assert!(line.contains("--timestamp 0") && line.contains("--layers=false") && line.contains("--no-cache"));
        assert!(!line.contains("--cache-from") && single.commands.iter().all(|c| c.stage != Stage::Push));
        let line = build_line(&plan(&inputs(Method::Kaniko, &json!({"cache_ttl_hours": 24}))).unwrap());
        assert!(line.contains("--cache-ttl 24h"));
        let line = build_line(&plan(&inputs(Method::Docker, &json!({"cache_enabled": false}))).unwrap());
        assert!(line.contains("--no-cache") && !line.contains("--cache-to"));
    }

    #[test]
    fn secrets_are_in_private_files_and_masked_and_nowhere_else() {
        let config = json!({"secrets": [{"id": "tok", "secret": "npm"}]});
        let made = plan(&inputs(Method::Docker, &config)).unwrap();
        let shown = format!("{made:?}");
        assert!(!shown.contains("sw0rdf1sh") && !shown.contains("r0b0tt0ken"), "{shown}");
        for path in ["secrets/0", "etc/auth.json"] {
            assert_eq!(made.files.iter().find(|f| f.path == path).unwrap().mode, 0o600);
        }
        assert_eq!(made.masks.len(), 3);
        let missing = PlanInputs { secrets: BTreeMap::new(), ..inputs(Method::Docker, &config) };
        assert_eq!(plan(&missing).unwrap_err().code(), "build.secret_missing");
    }

    #[test]
    fn a_run_signs_in_to_other_registries_and_to_ours_as_itself() {
        let other = |host: &str, password: &str| OtherRegistry {
            host: host.into(),
            username: "ann".into(),
            password: password.to_owned().into(),
        };
        let other_registries = vec![other("docker.io", "hub-pass"), other("127.0.0.1:5000", "ours")];
        let plan = plan(&PlanInputs { other_registries, ..inputs(Method::Docker, &json!({})) }).unwrap();
        let file = plan.files.iter().find(|f| f.path == "etc/auth.json").unwrap();
        let Content::Secret(text) = &file.content else { panic!("{file:?}") };
        let auths: serde_json::Value = serde_json::from_str(text.expose_secret()).unwrap();
        let login = |host: &str| auths["auths"][host]["auth"].as_str().unwrap().to_owned();
        assert_eq!(login("docker.io"), "YW5uOmh1Yi1wYXNz", "ann:hub-pass");
        assert_eq!(login("127.0.0.1:5000"), "cm9ib3Q6cjBiMHR0MGtlbg==", "robot:r0b0tt0ken");
        let masked: Vec<&str> = plan.masks.iter().map(ExposeSecret::expose_secret).collect();
        assert!(masked.contains(&"hub-pass") && masked.contains(&"YW5uOmh1Yi1wYXNz"), "{masked:?}");
    }
}
