//! Composition root: the only file that knows everybody.

use crate::config::Config;
use crate::kernel::{Clock, Result};
use crate::platform::db::{self, Db};
use crate::platform::events::{Events, Signals};
use crate::platform::tasks::Tasks;
use std::sync::Arc;

/// The running service: every context, wired. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub clock: Clock,
    pub db: Db,
    pub tasks: Tasks,
    pub signals: Signals,
    pub events: Events,
}

impl App {
    /// Wires the contexts. Connects when first used, so a listener may start before the database answers.
    pub async fn build(config: Config, tasks: Tasks) -> Result<Self> {
        let db = Db::connect_lazy(&config.database)?;
        if config.database.migrate_on_start {
            db::migrate(&db).await?;
        }
        let signals = Signals::start(db.clone(), &tasks);
        let events = Events::new(db.clone());
        Ok(Self { config: Arc::new(config), clock: Clock::system(), db, tasks, signals, events })
    }

    /// Whether the parts that every request needs answer.
    pub async fn ready(&self) -> Result<()> {
        self.db.check().await
    }
}
