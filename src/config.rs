//! Configuration: built-in defaults, then a TOML file, then the environment (`IMAGE_FACTORY_*`, `__` between levels).
//! Unknown keys are refused. The only reader of the environment.

use crate::kernel::{Error, Result};
use crate::platform::{db, http, storage, telemetry};
use config::{Environment, File, FileFormat};
use serde::{Deserialize, Serialize};
use std::path::Path;
use utoipa::ToSchema;

/// Everything that can be configured.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The HTTP listener.
    pub server: http::Config,
    /// The PostgreSQL database.
    pub database: db::Config,
    /// Blobs, uploads and build contexts.
    pub storage: storage::Config,
    /// The service's own log.
    pub log: telemetry::Config,
}

/// Keys whose values `config print` and logs must not show.
const SECRETS: &[&str] = &["/database/url"];

impl Config {
    /// Reads the file (where one is named) and the environment.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let mut builder = config::Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(File::from(path).format(FileFormat::Toml).required(true));
        }
        // Names without `__` belong to the client commands (`IMAGE_FACTORY_TOKEN`).
        #[expect(clippy::disallowed_methods, reason = "the one reader of the environment")]
        let variables = std::env::vars().filter(|(k, _)| k.starts_with("IMAGE_FACTORY_") && k.contains("__")).collect();
        let environment = Environment::with_prefix("IMAGE_FACTORY")
            .prefix_separator("_")
            .separator("__")
            .try_parsing(true)
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
