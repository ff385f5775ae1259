//! The registry over HTTP in this process, with robots of the test's own, and a client that knows its protocol.

use super::database::TestDb;
use super::s3::S3Server;
use crate::sim::robots::Robots;
use bytes::Bytes;
use image_factory::app::App;
use image_factory::config::Config;
use image_factory::images::catalog::{Catalog, CatalogShelf};
use image_factory::images::registry::{self, BuildRobot, Parts, Registry, RunKind, StorageRun};
use image_factory::kernel::ids::{ExecutionId, ProjectId, TenantId};
use image_factory::kernel::secret::Keyring;
use image_factory::kernel::{Actor, Digest};
use image_factory::platform::storage::ObjectStore;
use image_factory::platform::tasks::Tasks;
use image_factory::platform::{http, telemetry};
use image_factory::tenancy::access::{Caller, TenantRole};
use image_factory::tenancy::projects::NewProject;
use image_factory::tenancy::tenants::{NewMember, NewTenant};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;

const PASSWORD: &str = "a password of a test 1";

thread_local! {
    static ON_S3: Cell<bool> = const { Cell::new(false) };
}

/// Runs a test with its hubs on S3.
pub fn on_s3(test: fn()) {
    ON_S3.set(true);
    test();
}

/// The registry, running.
pub struct Hub {
    pub db: TestDb,
    pub app: Box<App>,
    pub registry: Registry,
    pub catalog: Catalog,
    pub robots: Arc<Robots>,
    /// `host:port`.
    pub host: String,
    folder: TempDir,
    s3: Option<S3Server>,
    tasks: Tasks,
}

/// A tenant of the test.
pub struct TestTenant {
    pub id: TenantId,
    pub slug: String,
    /// The service itself in the tenant.
    pub caller: Caller,
}

impl Hub {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With limits and times of the test's own.
    pub async fn with(change: impl FnOnce(&mut registry::Config)) -> Self {
        let db = TestDb::new().await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { encryption_key: Keyring::generate_base64(), ..Config::default() };
        config.database.url = db.url().to_owned();
        let s3 = if ON_S3.get() { Some(S3Server::start().await) } else { None };
        if let Some(server) = &s3 {
            config.storage = server.config();
        }
        config.storage.folder = folder.path().join("storage").display().to_string();
        // Tests collect when they want to.
        (config.registry.collect_every_hours, config.registry.scrub_every_days) = (0, 0);
        change(&mut config.registry);
        let tasks = Tasks::default();
        let app = Box::new(App::wire(config.clone(), tasks.clone(), telemetry::init_metrics().unwrap()).unwrap());
        app.objects.prepare().await.unwrap();
        let robots = Arc::new(Robots::default());
        let registry = registry_on(&app, &config.registry, &tasks, &robots, app.objects.clone());
        let catalog = Catalog::new(
            app.db.clone(),
            app.clock.clone(),
            app.identity.users().clone(),
            app.tenants.clone(),
            app.projects.clone(),
            registry.clone(),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (routes, serving) = (registry::routes(registry.clone()), tasks.clone());
        tasks.spawn("test server", async move {
            http::serve(listener, routes, &http::Config::default(), &serving).await.unwrap();
        });
        Self { db, app, registry, catalog, robots, host, folder, s3, tasks }
    }

    /// The same registry on another store.
    pub fn registry_on(&self, store: Arc<dyn ObjectStore>) -> Registry {
        registry_on(&self.app, self.registry.config(), &self.tasks, &self.robots, store)
    }

    /// Runs a collection of garbage, or a dry run of one, to its end; ends one that was broken off before it.
    pub async fn collect(&self, dry_run: bool) -> StorageRun {
        self.registry.work_on_storage(RunKind::Collect).await.unwrap();
        let operator = Caller::system("test", None);
        let run = self.registry.start_storage_run(&operator, RunKind::Collect, dry_run).await.unwrap();
        self.registry.work_on_storage(RunKind::Collect).await.unwrap();
        self.registry.storage_run(&operator, run.id).await.unwrap()
    }

    /// A new tenant with these projects.
    pub async fn tenant(&self, slug: &str, projects: &[&str]) -> TestTenant {
        let new = NewTenant { slug: slug.into(), name: slug.into() };
        let tenant = self.app.tenants.create(&Caller::system("test", None), new).await.unwrap();
        let caller = Caller::system("test", Some((tenant.id, slug.to_owned())));
        for project in projects {
            let new = NewProject { slug: (*project).into(), name: String::new(), description: String::new() };
            self.app.projects.create(&caller, new).await.unwrap();
        }
        TestTenant { id: tenant.id, slug: slug.to_owned(), caller }
    }

    /// A client of a new person in the tenant.
    pub async fn person(&self, tenant: &TestTenant, role: TenantRole) -> Client {
        let email = format!("{}@{}.test", uuid::Uuid::now_v7().simple(), tenant.slug);
        let new = NewMember { email: email.clone(), name: "Somebody".into(), role };
        let added = self.app.tenants.add_member(&tenant.caller, new).await.unwrap();
        let caller = Caller { actor: Actor::User(added.member.user_id), ..tenant.caller.clone() };
        let once = added.one_time_password.unwrap();
        self.app.identity.change_password(&caller, None, once, PASSWORD.into()).await.unwrap();
        self.client(&email, PASSWORD)
    }

    pub async fn project(&self, tenant: &TestTenant, slug: &str) -> ProjectId {
        self.app.projects.by_slug(tenant.id, slug).await.unwrap().unwrap().id
    }

    /// A robot of a new execution that may push to these repositories.
    pub async fn robot(&self, tenant: &TestTenant, project: &str, push: &[&str]) -> (ExecutionId, Client) {
        let execution = ExecutionId::new();
        let robot = BuildRobot {
            execution,
            attempt: 1,
            tenant_id: tenant.id,
            tenant_slug: tenant.slug.clone(),
            project_id: self.project(tenant, project).await,
            push: push.iter().map(|name| (*name).to_owned()).collect(),
        };
        self.robots.add(&execution.to_string(), robot);
        (execution, self.client(&execution.to_string(), Robots::PASSWORD))
    }

    pub fn client(&self, username: &str, password: &str) -> Client {
        Client::new(&self.host, Some((username, password)))
    }

    pub fn anonymous(&self) -> Client {
        Client::new(&self.host, None)
    }

    /// Names of files under a folder of the storage.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let path = match &self.s3 {
            None => self.folder.path().join("storage").join(folder),
            Some(s3) if folder.is_empty() || folder == "staging" => s3.objects().join(folder),
            Some(s3) => s3.objects().join("objects").join(folder),
        };
        walkdir::WalkDir::new(path)
            .into_iter()
            .flatten()
            .filter(|e| e.file_type().is_file())
            .map(walkdir::DirEntry::into_path)
            .collect()
    }

    /// One number from the database.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.db.connect().await).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
    }
}

fn registry_on(
    app: &App,
    config: &registry::Config,
    tasks: &Tasks,
    robots: &Arc<Robots>,
    store: Arc<dyn ObjectStore>,
) -> Registry {
    Registry::new(Parts {
        config: config.clone(),
        public_url: String::new(),
        db: app.db.clone(),
        clock: app.clock.clone(),
        tasks: tasks.clone(),
        store,
        keyring: app.keyring.clone(),
        identity: app.identity.clone(),
        tenants: app.tenants.clone(),
        projects: app.projects.clone(),
        build_robots: robots.clone(),
        robots: Arc::new(app.robots.clone()),
        shelf: Arc::new(CatalogShelf),
        upstreams: Arc::new(app.upstreams.clone()),
    })
    .unwrap()
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.tasks.stopping().cancel();
    }
}

/// A client of a registry.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    pub url: String,
    pub credentials: Option<(String, String)>,
}

impl Client {
    pub fn new(host: &str, credentials: Option<(&str, &str)>) -> Self {
        let credentials = credentials.map(|(u, p)| (u.to_owned(), p.to_owned()));
        Self { http: reqwest::Client::new(), url: format!("http://{host}"), credentials }
    }

    /// A request with user name and password; `path` is absolute.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.credentials {
            Some((username, password)) => request.basic_auth(username, Some(password)),
            None => request,
        }
    }

    /// A request with a token.
    pub fn bearer(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(token)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub async fn head(&self, path: &str) -> Response {
        self.request(Method::HEAD, path).send().await.unwrap()
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.request(Method::DELETE, path).send().await.unwrap()
    }

    /// Asks for a token for these scopes.
    pub async fn try_token(&self, scope: &str) -> Response {
        self.request(Method::GET, "/v2/token").query(&[("scope", scope), ("service", "x")]).send().await.unwrap()
    }

    /// A token for these scopes.
    pub async fn token(&self, scope: &str) -> String {
        let body: Value = self.try_token(scope).await.json().await.unwrap();
        body["token"].as_str().unwrap_or_else(|| panic!("no token: {body}")).to_owned()
    }

    /// Starts an upload; gives its path.
    pub async fn start(&self, repository: &str) -> String {
        let response = self.request(Method::POST, &format!("/v2/{repository}/blobs/uploads/")).send().await.unwrap();
        assert_eq!(response.status(), 202, "{}", response.text().await.unwrap());
        header(&response, "location")
    }

    /// Pushes a whole blob in one request.
    pub async fn try_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> Response {
        let bytes = bytes.into();
        let path = format!("/v2/{repository}/blobs/uploads/?digest={}", Digest::of(&bytes));
        self.request(Method::POST, &path).body(bytes).send().await.unwrap()
    }

    pub async fn blob(&self, repository: &str, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        let response = self.try_blob(repository, bytes).await;
        assert_eq!(response.status(), 201, "{}", response.text().await.unwrap());
        digest
    }

    pub async fn try_manifest(&self, repository: &str, reference: &str, manifest: &Value) -> Response {
        let media_type = manifest["mediaType"].as_str().unwrap().to_owned();
        let path = format!("/v2/{repository}/manifests/{reference}");
        let body = manifest.to_string();
        self.request(Method::PUT, &path).header("content-type", media_type).body(body).send().await.unwrap()
    }

    pub async fn manifest(&self, repository: &str, reference: &str, manifest: &Value) -> Digest {
        let response = self.try_manifest(repository, reference, manifest).await;
        assert_eq!(response.status(), 201, "{}", response.text().await.unwrap());
        let digest = Digest::of(manifest.to_string().as_bytes());
        assert_eq!(header(&response, "docker-content-digest"), digest.to_string());
        digest
    }

    /// Pushes an image with these layers under a reference; gives its manifest.
    pub async fn image(&self, repository: &str, reference: &str, layers: &[&[u8]]) -> Value {
        let config = json!({"os": "linux", "architecture": "amd64", "config": {"Cmd": ["/bin/sh"]}}).to_string();
        self.blob(repository, config.clone()).await;
        for layer in layers {
            self.blob(repository, layer.to_vec()).await;
        }
        let manifest = image_manifest(config.as_bytes(), layers);
        self.manifest(repository, reference, &manifest).await;
        manifest
    }
}

/// The manifest of an image.
pub fn image_manifest(config: &[u8], layers: &[&[u8]]) -> Value {
    let layers: Vec<Value> =
        layers.iter().map(|l| descriptor("application/vnd.oci.image.layer.v1.tar+gzip", l)).collect();
    json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", config), "layers": layers})
}

/// A descriptor of this content.
pub fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(content), "size": content.len()})
}

/// A header that must be there.
#[track_caller]
pub fn header(response: &Response, name: &str) -> String {
    let value = response.headers().get(name).unwrap_or_else(|| panic!("no {name}: {response:?}"));
    value.to_str().unwrap().to_owned()
}

/// Status and error code of a refusal.
pub async fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}"));
    (status, body["errors"][0]["code"].as_str().unwrap_or_else(|| panic!("{status}: {text}")).to_owned())
}

/// Bytes without pattern, the same for the same seed.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
