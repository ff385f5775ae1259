//! The product in this process, on a database of its own. Nothing runs behind unless a subject starts it.

use crate::database::TestDb;
use image_factory::app::App;
use image_factory::config::Config;
use image_factory::kernel::ids::{BuildId, ExecutionId, TenantId, WorkerId};
use image_factory::kernel::secret::Keyring;
use image_factory::orchestration::builds::RunRef;
use image_factory::orchestration::dispatch::Worker;
use image_factory::orchestration::methods::Method;
use image_factory::platform::tasks::Tasks;
use image_factory::platform::telemetry;
use image_factory::tenancy::access::Caller;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use std::time::Duration;
use tempfile::TempDir;

/// The wired product.
pub struct Product {
    pub app: App,
    pub tasks: Tasks,
    pub db: TestDb,
    _folder: TempDir,
}

impl Product {
    /// With the product's own settings, but for what `change` changes.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let (db, tasks, folder) = (TestDb::new().await, Tasks::default(), tempfile::tempdir().unwrap());
        let mut config = Config { encryption_key: Keyring::generate_base64(), ..Config::default() };
        db.url().clone_into(&mut config.database.url);
        config.storage.folder = folder.path().join("storage").display().to_string();
        config.dispatch.enabled = false;
        config.server.public_url = "http://127.0.0.1:1".into();
        change(&mut config);
        let app = Box::pin(App::build(config, tasks.clone(), telemetry::init_metrics().unwrap())).await.unwrap();
        Self { app, tasks, db, _folder: folder }
    }

    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A connection past the product, as a superuser.
    pub async fn connect(&self) -> PgConnection {
        self.db.connect().await
    }

    /// Connections past the product, for peers.
    pub async fn pool(&self, connections: u32) -> PgPool {
        PgPoolOptions::new()
            .min_connections(connections)
            .max_connections(connections)
            .test_before_acquire(false)
            .connect(self.db.url())
            .await
            .unwrap()
    }

    pub async fn stop(self) {
        self.tasks.shutdown(Duration::from_secs(10)).await;
        self.app.db.close().await;
    }
}

/// A worker that runs every method.
pub fn worker() -> Worker {
    let mut worker = Worker::discover(WorkerId::new(), "bench".into(), "bench", 100);
    worker.methods = Method::ALL.to_vec();
    worker
}

/// Somebody who may do everything in a tenant.
pub fn owner(tenant: TenantId, slug: &str) -> Caller {
    Caller::system("bench", Some((tenant, slug.to_owned())))
}

/// A run that a seeded tenant's build has right now.
pub fn run_ref(tenant: TenantId, build: BuildId, execution: ExecutionId) -> RunRef {
    RunRef {
        tenant_id: tenant,
        build_id: build,
        execution_id: execution,
        attempt: 1,
        run_name: format!("if-{build}-1"),
    }
}
