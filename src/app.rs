//! Composition root: the only file that knows everybody.

use crate::communication::live::Live;
use crate::config::Config;
use crate::images::catalog::{Catalog, CatalogShelf};
use crate::images::registry::{self, Registry};
use crate::images::remotes;
use crate::images::replication::{self, Replication};
use crate::images::robots::Robots;
use crate::images::upstreams::{self, Upstreams};
use crate::kernel::secret::Keyring;
use crate::kernel::{Clock, Error, Result};
use crate::orchestration::builds::{self, Builds, ExecutionRobots, RegistryHost};
use crate::orchestration::dispatch::{self, Dispatch, Dispatcher};
use crate::orchestration::executors::Inputs;
use crate::orchestration::executors::local::Local;
use crate::platform::db::{self, Db};
use crate::platform::events::{Events, Signals};
use crate::platform::http::idempotency;
use crate::platform::jobs;
use crate::platform::storage::{self, Key, ObjectStore};
use crate::platform::tasks::Tasks;
use crate::tenancy::audit::Audit;
use crate::tenancy::identity::{self, Gate, Identity, Users};
use crate::tenancy::projects::Projects;
use crate::tenancy::tenants::Tenants;
use async_trait::async_trait;
use futures::TryStreamExt;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncRead;
use tokio_util::io::StreamReader;

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
    pub registry: Registry,
    pub upstreams: Upstreams,
    pub replication: Replication,
    pub catalog: Catalog,
    pub robots: Robots,
    pub builds: Builds,
    pub dispatch: Dispatch,
    pub live: Live,
}

impl App {
    /// Wires the contexts. Connects when first used, so a listener may start before the database answers.
    pub fn wire(config: Config, tasks: Tasks, metrics: PrometheusHandle) -> Result<Self> {
        if config.encryption_key.is_empty() {
            let text = "encryption_key is not set: make one with `image-factory config generate-key`";
            return Err(Error::invalid("config.invalid", text));
        }
        config.storage.validate()?;
        let keyring = Keyring::from_base64(&config.encryption_key)?;
        let db = Db::connect_lazy(&config.database)?;
        let clock = Clock::system();
        let signals = Signals::start(db.clone(), &tasks);
        let events = Events::new(db.clone());
        let users = Users::new(db.clone(), clock.clone())?;
        let registry_host = registry_host(&config.server.public_url);
        let identity = Identity::new(
            db.clone(),
            clock.clone(),
            users.clone(),
            &keyring,
            config.identity.clone(),
            config.server.public_url.clone(),
            registry_host.host.clone(),
        )?;
        let tenants = Tenants::new(db.clone(), clock.clone(), users.clone(), tasks.clone());
        let projects = Projects::new(db.clone(), clock.clone(), users.clone(), keyring.clone());
        let objects = storage::at(&config.storage, &tasks);
        let robots = Robots::new(db.clone(), clock.clone());
        let client = remotes::Client::new(&config.remotes, clock.clone())?;
        let upstreams = Upstreams::new(
            db.clone(),
            clock.clone(),
            tasks.clone(),
            keyring.clone(),
            projects.clone(),
            client.clone(),
            config.registry.max_manifest_bytes,
        );
        let registry = Registry::new(registry::Parts {
            config: config.registry.clone(),
            public_url: config.server.public_url.clone(),
            db: db.clone(),
            clock: clock.clone(),
            tasks: tasks.clone(),
            store: objects.clone(),
            keyring: keyring.clone(),
            identity: identity.clone(),
            tenants: tenants.clone(),
            projects: projects.clone(),
            robots: Arc::new(robots.clone()),
            build_robots: Arc::new(ExecutionRobots::new(db.clone(), tenants.clone(), projects.clone())),
            shelf: Arc::new(CatalogShelf),
            upstreams: Arc::new(upstreams.clone()),
        })?;
        let catalog =
            Catalog::new(db.clone(), clock.clone(), users, tenants.clone(), projects.clone(), registry.clone());
        let replication = Replication::new(replication::Parts {
            db: db.clone(),
            clock: clock.clone(),
            keyring: keyring.clone(),
            events: events.clone(),
            tenants: tenants.clone(),
            projects: projects.clone(),
            registry: registry.clone(),
            catalog: catalog.clone(),
            client,
        });
        let builds = Builds::new(
            db.clone(),
            clock.clone(),
            config.builds.clone(),
            tenants.clone(),
            projects.clone(),
            registry.clone(),
            registry_host,
            objects.clone(),
        );
        let dispatch =
            Dispatch::new(db.clone(), clock.clone(), config.dispatch.clone(), tenants.clone(), builds.clone());
        Ok(Self {
            gate: Gate::new(identity.clone(), config.server.requests_per_second, &tasks),
            audit: Audit::new(db.clone()),
            live: Live::new(builds.clone(), events.clone(), signals.clone(), tasks.stopping()),
            config: Arc::new(config),
            clock,
            db,
            tasks,
            metrics,
            signals,
            events,
            keyring,
            identity,
            tenants,
            projects,
            objects,
            registry,
            upstreams,
            replication,
            catalog,
            robots,
            builds,
            dispatch,
        })
    }

    /// Wires the contexts, brings the database up to date and makes the first administrator, as configured.
    pub async fn build(config: Config, tasks: Tasks, metrics: PrometheusHandle) -> Result<Self> {
        let app = Self::wire(config, tasks, metrics)?;
        if app.config.database.migrate_on_start {
            db::migrate(&app.db).await?;
        }
        app.objects.prepare().await?;
        app.registry.record_storage(app.config.storage.kind).await?;
        app.identity.bootstrap().await?;
        Ok(app)
    }

    /// Starts what runs behind: jobs, and the dispatcher where this process runs builds.
    pub async fn start_background(&self) -> Result<()> {
        let mut jobs = jobs::Registry::default();
        identity::register(&mut jobs, &self.identity);
        registry::register(&mut jobs, &self.registry);
        upstreams::register(&mut jobs, &self.upstreams);
        replication::register(&mut jobs, &self.replication);
        builds::register(&mut jobs, &self.builds);
        dispatch::register(&mut jobs, &self.dispatch);
        let db = self.db.clone();
        jobs.every(Duration::from_hours(1), "http.purge_idempotency_keys", move || {
            let db = db.clone();
            async move { idempotency::purge(&db).await }
        });
        let (events, days) = (self.events.clone(), self.config.server.event_retention_days);
        jobs.every(Duration::from_mins(10), "events.purge", move || {
            let events = events.clone();
            async move { events.purge(days).await.map(drop) }
        });
        let mut runs = jobs::Registry::default();
        replication::register_runs(&mut runs, &self.replication);
        for jobs in [jobs, runs] {
            jobs.start(self.db.clone(), &self.signals, &self.tasks, uuid::Uuid::now_v7().to_string());
        }
        if self.config.dispatch.enabled {
            self.start_dispatcher().await?;
        }
        Ok(())
    }

    async fn start_dispatcher(&self) -> Result<()> {
        let inputs = Arc::new(ObjectInputs(self.objects.clone()));
        let local = Local::new(self.config.executor.clone(), inputs, self.clock.clone(), self.tasks.clone()).await?;
        let worker = dispatch::identity(&self.config.executor.folder)?;
        Dispatcher::new(
            self.dispatch.clone(),
            Arc::new(local),
            worker,
            self.signals.clone(),
            self.clock.clone(),
            self.tasks.clone(),
            self.config.builds.max_log_bytes,
        )
        .start();
        Ok(())
    }

    /// Where `/metrics` is served alone, if it is.
    pub fn metrics_listen(&self) -> Option<&str> {
        Some(self.config.server.metrics_listen.as_str()).filter(|address| !address.is_empty())
    }

    /// Whether the parts that every request needs answer.
    pub async fn ready(&self) -> Result<()> {
        self.db.check().await?;
        self.objects.check().await
    }
}

/// How images are named and reached: the host of the public address.
fn registry_host(public_url: &str) -> RegistryHost {
    let (insecure, rest) = match public_url.strip_prefix("https://") {
        Some(rest) => (false, rest),
        None => (true, public_url.trim_start_matches("http://")),
    };
    RegistryHost { host: rest.split('/').next().unwrap_or_default().to_owned(), insecure }
}

/// Objects for runs, out of the object store.
struct ObjectInputs(Arc<dyn ObjectStore>);

#[async_trait]
impl Inputs for ObjectInputs {
    async fn open(&self, object: &str) -> Result<Box<dyn AsyncRead + Send + Unpin>> {
        let found = self.0.get(&Key::new(object)?, None).await?.ok_or_else(|| Error::not_found("object"))?;
        Ok(Box::new(StreamReader::new(found.body.map_err(std::io::Error::other))))
    }
}
