//! Commands for operators, straight on the database.

use super::{ConfigFile, say};
use crate::config::Config;
use crate::platform::db::{self, Db};
use crate::tenancy::audit;
use clap::Subcommand;
use std::process::ExitCode;

/// Applies missing migrations.
pub async fn migrate(config: Config) -> anyhow::Result<ExitCode> {
    let db = Db::connect_lazy(&config.database)?;
    db::migrate(&db).await?;
    db.check().await?;
    say("the database is up to date");
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that no row of the audit trail was changed, removed or put in. Exit code 1 when one was.
    Verify(ConfigFile),
}

impl AuditCommand {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let Self::Verify(file) = self;
        let db = Db::connect_lazy(&file.load()?.database)?;
        let report = audit::verify(&db).await?;
        say(&report);
        Ok(if report.is_intact() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
