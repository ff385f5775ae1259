//! Configuration: built-in defaults, then a TOML file, then the environment (`IMAGE_FACTORY_*`, `__` between levels).
//! Unknown keys are refused. The only reader of the environment.

use crate::images::{registry, remotes};
use crate::kernel::{Error, Result};
use crate::orchestration::executors::local;
use crate::orchestration::{builds, dispatch};
use crate::platform::{db, http, storage, telemetry};
use crate::tenancy::identity;
use config::{Environment, File, FileFormat};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use utoipa::ToSchema;

/// Everything that can be configured.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// 32 bytes in standard base64: encrypts secrets and signs tokens. Required by `serve`; make one with
    /// `image-factory config generate-key`, keep it, and give the same to every process.
    pub encryption_key: String,
    /// The HTTP listener.
    pub server: http::Config,
    /// The PostgreSQL database.
    pub database: db::Config,
    /// Sign-in and sessions.
    pub identity: identity::Config,
    /// Blobs, uploads and build contexts.
    pub storage: storage::Config,
    /// The built-in registry.
    pub registry: registry::Config,
    /// Other registries: those that projects are caches of, and those that images are replicated from and to.
    pub remotes: remotes::Config,
    /// Limits of builds.
    pub builds: builds::Config,
    /// The dispatcher of this process.
    pub dispatch: dispatch::Config,
    /// Builds that run as processes of this machine.
    pub executor: local::Config,
    /// The service's own log.
    pub log: telemetry::Config,
}

/// Keys whose values `config print` and logs must not show.
const SECRETS: &[&str] =
    &["/encryption_key", "/database/url", "/identity/bootstrap_password", "/storage/s3/secret_key"];

impl Config {
    /// Reads the file (where one is named) and the environment.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let mut builder = config::Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(File::from(path).format(FileFormat::Toml).required(true));
        }
        // Other names without `__` belong to the client commands (`IMAGE_FACTORY_TOKEN`).
        let ours =
            |k: &str| k.starts_with("IMAGE_FACTORY_") && (k.contains("__") || k == "IMAGE_FACTORY_ENCRYPTION_KEY");
        #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
        let variables = std::env::vars().filter(|(k, _)| ours(k)).collect();
        let environment = Environment::with_prefix("IMAGE_FACTORY")
            .prefix_separator("_")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("builds.git_allowed_networks")
            .with_list_parse_key("server.trusted_proxies")
            .with_list_parse_key("remotes.allowed_networks")
            .source(Some(variables));
        builder
            .add_source(environment)
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|e| Error::invalid("config.invalid", format!("the configuration is not valid: {e}")))
    }

    /// As JSON with secrets replaced, for `config print` and logs.
    pub fn redacted(&self) -> Result<serde_json::Value> {
        let mut value = serde_json::to_value(self)?;
        for pointer in SECRETS {
            if let Some(secret) = value.pointer_mut(pointer).filter(|v| v.as_str().is_some_and(|s| !s.is_empty())) {
                *secret = "[redacted]".into();
            }
        }
        Ok(value)
    }
}

/// The reference of all settings, made from the types: `docs/reference/configuration.md`.
pub fn reference_markdown() -> Result<String> {
    let sections = [
        ("server", schema::<http::Config>()?),
        ("database", schema::<db::Config>()?),
        ("storage", schema::<storage::Config>()?),
        ("storage.s3", schema::<storage::S3Config>()?),
        ("identity", schema::<identity::Config>()?),
        ("registry", schema::<registry::Config>()?),
        ("remotes", schema::<remotes::Config>()?),
        ("builds", schema::<builds::Config>()?),
        ("dispatch", schema::<dispatch::Config>()?),
        ("executor", schema::<local::Config>()?),
        ("log", schema::<telemetry::Config>()?),
    ];
    let root = schema::<Config>()?;
    let defaults = serde_json::to_value(Config::default())?;
    let mut out = String::from(
        "# Configuration\n\n\
         Made from the source by `image-factory config reference`.\n\n\
         Values come from built-in defaults, then a TOML file (`--config FILE`), then the environment. A key `section.key` is\n\
         `key` under `[section]` in the file and `IMAGE_FACTORY_SECTION__KEY` in the environment. Lists are\n\
         separated by commas there. Unknown keys are refused.\n\
         `image-factory config print` shows what is in force, secrets replaced.\n",
    );
    let is_section = |name: &str| sections.iter().any(|(section, _)| *section == name);
    let _ = write!(out, "\n## Without a section\n{TABLE_HEAD}");
    for (name, property) in properties(&root).filter(|(name, _)| !is_section(name)) {
        out.push_str(&row(name, property, &defaults[name]));
    }
    for (name, schema) in &sections {
        let _ = write!(out, "\n## `{name}`\n\n{}\n{TABLE_HEAD}", describe(schema).unwrap_or_default());
        let section = &defaults.pointer(&format!("/{}", name.replace('.', "/"))).unwrap_or(&Value::Null);
        for (key, property) in properties(schema).filter(|(key, _)| !is_section(&format!("{name}.{key}"))) {
            out.push_str(&row(&format!("{name}.{key}"), property, &section[key]));
        }
    }
    Ok(out)
}

fn schema<T: utoipa::PartialSchema>() -> Result<Value> {
    Ok(serde_json::to_value(T::schema())?)
}

const TABLE_HEAD: &str = "\n| key | default | what it does |\n| --- | --- | --- |\n";

fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    schema["properties"].as_object().into_iter().flatten().map(|(name, p)| (name.as_str(), p))
}

fn describe(schema: &Value) -> Option<String> {
    schema["description"].as_str().map(|d| d.replace('\n', " "))
}

fn row(key: &str, property: &Value, default: &Value) -> String {
    let default = match default {
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    };
    format!("| `{key}` | {default} | {} |\n", describe(property).unwrap_or_default().replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let config = Config { encryption_key: "swordfish".into(), ..Config::default() };
        let text = config.redacted().unwrap().to_string();
        assert!(!text.contains("swordfish") && text.contains("[redacted]"), "{text}");
    }

    #[test]
    fn every_setting_has_a_description() {
        for line in reference_markdown().unwrap().lines().filter(|l| l.starts_with("| `")) {
            assert!(!line.ends_with("|  |"), "{line}");
        }
        let sections = serde_json::to_value(Config::default()).unwrap();
        for (name, _) in sections.as_object().unwrap().iter().filter(|(_, v)| v.is_object()) {
            assert!(reference_markdown().unwrap().contains(&format!("## `{name}`")), "{name} is missing");
        }
    }
}
