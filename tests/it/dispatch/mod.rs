//! Dispatch: limits, fairness, what brings a build back.

mod limits;
mod ring;

use crate::sim::executor::NoOp;
use crate::support::TestDb;
use image_factory::app::App;
use image_factory::config::Config;
use image_factory::kernel::ids::WorkerId;
use image_factory::kernel::secret::Keyring;
use image_factory::orchestration::builds::{NewBuild, SourceRequest};
use image_factory::orchestration::dispatch::{ConcurrencyPolicy, Dispatcher};
use image_factory::orchestration::methods::Method;
use image_factory::platform::http::IfMatch;
use image_factory::platform::tasks::Tasks;
use image_factory::platform::telemetry;
use image_factory::tenancy::access::Caller;
use image_factory::tenancy::projects::NewProject;
use image_factory::tenancy::tenants::NewTenant;
use serde_json::json;
use std::sync::Arc;

/// Wires everything on a database; nothing runs behind.
async fn app(db: &TestDb, tasks: &Tasks) -> App {
    let mut config = Config { encryption_key: Keyring::generate_base64(), ..Config::default() };
    config.database.url = db.url().to_owned();
    config.dispatch.enabled = false;
    config.server.public_url = "http://127.0.0.1:1".into();
    config.storage.folder = tempfile::tempdir().unwrap().keep().display().to_string();
    Box::pin(App::build(config, tasks.clone(), telemetry::init_metrics().unwrap())).await.unwrap()
}

fn new_build(method: Method) -> NewBuild {
    NewBuild {
        source: SourceRequest { git: None, context_id: None, dockerfile: Some("FROM scratch".into()) },
        method,
        config: json!({}),
        image_name: None,
        image_tags: vec!["latest".into()],
        priority: 0,
        timeout_seconds: None,
        start: true,
        trigger: "api",
    }
}

/// A tenant with two projects, at most two builds at a time, one in each project and one by `kaniko`.
async fn tenant(app: &App, n: usize) -> Caller {
    let slug = format!("tenant-{n}");
    let system = Caller::system("test", None);
    let id = app.tenants.create(&system, NewTenant { slug: slug.clone(), name: slug.clone() }).await.unwrap().id;
    let caller = Caller::system("test", Some((id, slug.clone())));
    for project in ["one", "two"] {
        let new = NewProject { slug: project.into(), name: String::new(), description: String::new() };
        app.projects.create(&caller, new).await.unwrap();
    }
    let (policy, _) = app.dispatch.policy(&caller, &slug).await.unwrap();
    let policy = ConcurrencyPolicy {
        max_concurrent_builds: 2,
        max_concurrent_per_project: 1,
        kaniko_max_concurrent: 1,
        ..policy
    };
    app.dispatch.set_policy(&caller, &slug, &policy, IfMatch(None)).await.unwrap();
    caller
}

fn dispatcher(app: &App, executor: &Arc<NoOp>, tasks: &Tasks) {
    let (dispatch, executor) = (app.dispatch.clone(), executor.clone());
    Dispatcher::new(
        dispatch,
        executor,
        WorkerId::new(),
        app.signals.clone(),
        app.clock.clone(),
        tasks.clone(),
        1 << 20,
    )
    .start();
}
