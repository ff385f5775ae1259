//! Composition root: the only file that knows everybody.

use crate::communication::live::Live;
use crate::config::Config;
use crate::images::catalog::Catalog;
use crate::images::registry::{self, Registry};
use crate::kernel::secret::Keyring;
use crate::kernel::{Clock, Error, Result};
use crate::orchestration::builds::{self, Builds, ExecutionRobots, RegistryHost};
use crate::orchestration::dispatch::{Dispatch, Dispatcher, WorkerIdentity};
use crate::orchestration::executors::local::LocalExecutor;
use crate::orchestration::executors::{Executor, Inputs};
use crate::platform::db::{self, Db};
use crate::platform::events::{Events, Signals};
use crate::platform::http::idempotency;
use crate::platform::jobs;
use crate::platform::storage::{Key, ObjectStore, fs::FsStore};
use crate::platform::tasks::Tasks;
use crate::tenancy::audit::Audit;
use crate::tenancy::identity::{self, Gate, Identity, Users};
use crate::tenancy::projects::Projects;
use crate::tenancy::tenants::Tenants;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;

/// The running service: every context, wired. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub config: Arc<Config>,
    pub clock: Clock,
    pub db: Db,
    pub tasks: Tasks,
    pub metrics: PrometheusHandle,
    pub signals: Signals,
    pub events: Events,
    pub keyring: Keyring,
    pub audit: Audit,
    pub identity: Identity,
    pub gate: Gate,
    pub tenants: Tenants,
    pub projects: Projects,
    pub objects: Arc<dyn ObjectStore>,
    pub catalog: Catalog,
    pub registry: Registry,
    pub builds: Builds,
    pub dispatch: Dispatch,
    pub live: Live,
}

impl App {
    /// Wires the contexts. Connects when first used, so a listener may start before the database answers.
    pub fn wire(config: Config, tasks: Tasks, metrics: PrometheusHandle) -> Result<Self> {
        if config.encryption_key.is_empty() {
            return Err(Error::invalid(
                "config.invalid",
                "encryption_key is not set: make one with `image-factory config generate-key`",
            ));
        }
        let keyring = Keyring::from_base64(&config.encryption_key)?;
        let db = Db::connect_lazy(&config.database)?;
        let clock = Clock::system();
        let signals = Signals::start(db.clone(), &tasks);
        let events = Events::new(db.clone());
        let users = Users::new(db.clone(), clock.clone())?;
        let secure = config.server.public_url.starts_with("https://");
        let identity =
            Identity::new(db.clone(), clock.clone(), users.clone(), &keyring, config.identity.clone(), secure)?;
        Ok(Self {
            gate: Gate::new(identity.clone(), config.server.requests_per_second, &tasks),
            tenants: Tenants::new(db.clone(), clock.clone(), users.clone(), tasks.clone()),
            projects: Projects::new(db.clone(), clock.clone(), users, keyring.clone()),
            audit: Audit::new(db.clone()),
            config: Arc::new(config),
            clock,
            db,
            tasks,
            metrics,
            signals,
            events,
            keyring,
            identity,
        })
    }

    /// Wires the contexts, brings the database up to date and makes the first administrator, as configured.
    pub async fn build(config: Config, tasks: Tasks, metrics: PrometheusHandle) -> Result<Self> {
        let app = Self::wire(config, tasks, metrics)?;
        if app.config.database.migrate_on_start {
            db::migrate(&app.db).await?;
        }
        app.identity.bootstrap().await?;
        Ok(app)
    }

    /// Starts what runs behind.
    pub fn start_background(&self) -> Result<()> {
        let mut jobs = jobs::Registry::default();
        identity::register(&mut jobs, &self.identity);
        jobs.start(self.db.clone(), &self.signals, &self.tasks, uuid::Uuid::now_v7().to_string());
        Ok(())
    }

    /// Where `/metrics` is served alone, if it is.
    pub fn metrics_listen(&self) -> Option<&str> {
        Some(self.config.server.metrics_listen.as_str()).filter(|address| !address.is_empty())
    }

    /// Whether the parts that every request needs answer.
    pub async fn ready(&self) -> Result<()> {
        self.db.check().await
    }
}
