//! Commands that print references: the configuration, the OpenAPI document.

use super::{ConfigFile, say};
use crate::config::{Config, reference_markdown};
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the configuration in force as TOML, secrets replaced.
    Print(ConfigFile),
    /// Print the reference of all settings as Markdown.
    Reference,
    /// Print a fresh encryption key.
    GenerateKey,
}

impl ConfigCommand {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Print(file) => say(toml::to_string_pretty(&file.load()?.redacted()?)?.trim_end()),
            Self::Reference => say(reference_markdown()?.trim_end()),
            Self::GenerateKey => say(crate::kernel::secret::Keyring::generate_base64()),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints the OpenAPI document.
pub fn openapi() -> anyhow::Result<ExitCode> {
    say(serde_json::to_string_pretty(&crate::server::openapi(&Config::default())?)?);
    Ok(ExitCode::SUCCESS)
}
