//! Client commands: each is a few calls of the API.

mod builds;
mod connection;
mod context;
mod output;
mod projects;
mod session;

pub use builds::Submit;
pub use connection::Connection;
pub use session::Session;

use clap::{Args, Subcommand, ValueEnum};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in to a server and remember it.
    Login(session::Login),
    /// Sign out and forget the server.
    Logout(Target),
    /// Show who is signed in.
    Whoami(Target),
    /// Projects and their secrets.
    #[command(subcommand)]
    Project(projects::ProjectCommand),
    /// Builds.
    #[command(subcommand)]
    Build(Box<builds::BuildCommand>),
    /// Images in the built-in registry.
    #[command(subcommand)]
    Image(projects::ImageCommand),
}

/// Which server, as whom, and how to print.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// Address of the server; else the one signed in to.
    #[arg(long, env = "IMAGE_FACTORY_URL", global = true)]
    pub url: Option<String>,
    /// API key; else the session signed in with.
    #[arg(long, env = "IMAGE_FACTORY_TOKEN", hide_env_values = true, global = true)]
    pub token: Option<String>,
    /// Tenant, by slug or id; needed only by members of several.
    #[arg(long, env = "IMAGE_FACTORY_TENANT", global = true)]
    pub tenant: Option<String>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = Output::Table, global = true)]
    pub output: Output,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs: what the API answered.
    Json,
}

impl Command {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Login(login) => login.run().await,
            Self::Logout(target) => session::logout(&target).await,
            Self::Whoami(target) => session::whoami(&target).await,
            Self::Project(command) => command.run().await,
            Self::Build(command) => Box::pin(command.run()).await,
            Self::Image(command) => command.run().await,
        }
    }
}
