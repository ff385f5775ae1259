//! The command line: `serve` and its administration, and the client of a running server.

mod admin;
mod client;
mod dev;
mod reference;
mod serve;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Build, scan, hold, release and distribute container and VM images.
#[derive(Debug, Parser)]
#[command(name = "image-factory", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(ConfigFile),
    /// Run a server for trying out and developing, with its own PostgreSQL.
    Dev(dev::Dev),
    /// Apply missing migrations to the database.
    Migrate(ConfigFile),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(reference::ConfigCommand),
    /// Print the OpenAPI document.
    Openapi,
    /// Examine the audit trail.
    #[command(subcommand)]
    Audit(admin::AuditCommand),
    #[command(flatten)]
    Client(Box<client::Command>),
}

/// Where the configuration is.
#[derive(Debug, Args)]
struct ConfigFile {
    /// A TOML file; the environment (`IMAGE_FACTORY_SECTION__KEY`) goes over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    fn load(&self) -> anyhow::Result<crate::config::Config> {
        Ok(crate::config::Config::load(self.config.as_deref())?)
    }
}

/// Runs a command; its exit code tells the outcome.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(file) => Box::pin(serve::serve(file.load()?)).await,
        Command::Dev(dev) => Box::pin(dev.run()).await,
        Command::Migrate(file) => admin::migrate(file.load()?).await,
        Command::Config(command) => command.run(),
        Command::Openapi => reference::openapi(),
        Command::Audit(command) => command.run().await,
        Command::Client(command) => Box::pin(command.run()).await,
    }
}

/// Says what went wrong, on standard error.
#[expect(clippy::print_stderr, reason = "the command line talks to people")]
pub fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(2)
}

/// Prints a line of output.
#[expect(clippy::print_stdout, reason = "the command line talks to people")]
fn say(text: impl std::fmt::Display) {
    println!("{text}");
}

/// Prints a remark that is not output.
#[expect(clippy::print_stderr, reason = "the command line talks to people")]
fn remark(text: impl std::fmt::Display) {
    eprintln!("{text}");
}
