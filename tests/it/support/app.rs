//! The whole server on a database of its own, and clients that speak to it over HTTP.
//!
//! ```ignore
//! let app = TestApp::new().await;
//! let acme = app.tenant("acme").await;
//! let owner = app.member(&acme, TenantRole::Owner).await;
//! let project = owner.post("/projects", json!({"slug": "hello"})).await.expect(201);
//! app.member(&acme, TenantRole::Viewer).await.post("/projects", json!({"slug": "no"})).await.refused(403, "access.denied");
//! ```

use super::{TestDb, hub};
use image_factory::app::App;
use image_factory::config::Config;
use image_factory::kernel::ids::{TenantId, UserId};
use image_factory::kernel::secret::Keyring;
use image_factory::platform::{http, tasks::Tasks, telemetry};
use image_factory::tenancy::access::{Caller, SystemRole, TenantRole};
use image_factory::tenancy::identity::NewUser;
use image_factory::tenancy::tenants::{NewMember, NewTenant};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// The password of everybody whom a test makes.
pub const PASSWORD: &str = "correct horse battery staple";

/// A running server. Everything goes with this value.
pub struct TestApp {
    /// The wired contexts, to call without HTTP.
    pub app: App,
    /// Where it listens: `http://127.0.0.1:port`.
    pub url: String,
    pub database: TestDb,
    /// Where blobs and uploads are.
    folder: TempDir,
    people: AtomicU32,
}

/// A tenant of a test.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub id: TenantId,
    pub slug: String,
}

impl TestApp {
    /// A server with the default configuration.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with another configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDb::new().await;
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut config = Config { encryption_key: Keyring::generate_base64(), ..Config::default() };
        config.database.url = database.url().to_owned();
        config.database.migrate_on_start = false;
        config.dispatch.enabled = false;
        config.server.public_url.clone_from(&url);
        config.storage.folder = folder.path().join("storage").to_str().unwrap().into();
        change(&mut config);
        let tasks = Tasks::default();
        let app = Box::pin(App::build(config, tasks.clone(), telemetry::init_metrics().unwrap())).await.unwrap();
        app.start_background().await.unwrap();
        let router = image_factory::server::router(&app).unwrap();
        let server = app.config.server.clone();
        tasks.clone().spawn("http", async move { http::serve(listener, router, &server, &tasks).await });
        Self { app, url, database, folder, people: AtomicU32::new(0) }
    }

    /// Uploads whose bytes lie in the storage.
    pub fn staged(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("storage/staging")).map_or(0, Iterator::count)
    }

    /// A new tenant without members.
    pub async fn tenant(&self, slug: &str) -> Tenant {
        let new = NewTenant { slug: slug.into(), name: slug.into() };
        let made = self.app.tenants.create(&Caller::system("test", None), new).await.unwrap();
        Tenant { id: made.id, slug: made.slug }
    }

    /// The service itself in a tenant, to call services with.
    pub fn system(tenant: &Tenant) -> Caller {
        Caller::system("test", Some((tenant.id, tenant.slug.clone())))
    }

    /// A new person with this role in the tenant, signed in.
    pub async fn member(&self, tenant: &Tenant, role: TenantRole) -> Client {
        let client = self.person(&[]).await;
        let new = NewMember { email: client.email.clone(), name: String::new(), role };
        self.app.tenants.add_member(&Self::system(tenant), new).await.unwrap();
        client
    }

    /// A new person with these system roles and no tenant, signed in.
    pub async fn person(&self, system_roles: &[SystemRole]) -> Client {
        let n = self.people.fetch_add(1, Ordering::Relaxed);
        let new = NewUser {
            email: format!("person{n}@example.com"),
            name: format!("Person {n}"),
            system_roles: system_roles.to_vec(),
            password: Some(PASSWORD.into()),
            must_change_password: false,
        };
        let user = self.app.identity.users().create(&Caller::system("test", None), new).await.unwrap().user;
        let mut client = self.anonymous();
        client.user_id = Some(user.id);
        client.email = user.email;
        let session = client.login(PASSWORD).await.expect(200);
        client.token = session["access_token"].as_str().map(str::to_owned);
        client
    }

    /// A client of the registry with somebody's password.
    pub fn docker(&self, person: &Client) -> hub::Client {
        self.docker_as(&person.email, PASSWORD)
    }

    /// A client of the registry with these credentials.
    pub fn docker_as(&self, username: &str, password: &str) -> hub::Client {
        hub::Client::new(self.url.trim_start_matches("http://"), Some((username, password)))
    }

    /// A client of the registry that has not signed in.
    pub fn docker_nobody(&self) -> hub::Client {
        hub::Client::new(self.url.trim_start_matches("http://"), None)
    }

    /// Somebody who has not signed in.
    pub fn anonymous(&self) -> Client {
        Client {
            http: reqwest::Client::new(),
            url: self.url.clone(),
            token: None,
            tenant: None,
            email: String::new(),
            user_id: None,
        }
    }
}

/// Somebody who sends requests to `/api/v1`.
#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub url: String,
    /// Access token or API key.
    pub token: Option<String>,
    /// Goes out as `X-Tenant-ID`.
    pub tenant: Option<String>,
    pub email: String,
    pub user_id: Option<UserId>,
}

impl Client {
    /// The same person, naming a tenant.
    pub fn in_tenant(&self, selector: impl std::fmt::Display) -> Self {
        Self { tenant: Some(selector.to_string()), ..self.clone() }
    }

    /// The same machine with another token or key.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Signs in with the tokens in the answer; the client's own token stays.
    pub async fn login(&self, password: &str) -> Reply {
        let body = json!({"email": self.email, "password": password, "tokens_in_body": true});
        let anonymous = Self { token: None, tenant: None, ..self.clone() };
        anonymous.post("/auth/login", body).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A request with the client's credentials, to add to.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(tenant) = &self.tenant {
            request = request.header("X-Tenant-ID", tenant);
        }
        request
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let request = request.build().unwrap();
        let what = format!("{} {}", request.method(), request.url());
        let response = self.http.execute(request).await.unwrap_or_else(|e| panic!("{what}: {e}"));
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap_or_else(|e| panic!("{what}: {e}"));
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Reply { what, status, headers, body }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    what: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// JSON, or the text where it is none.
    pub body: Value,
}

impl Reply {
    /// The body of an answer with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}\n{:#}", self.what, self.body);
        self.body
    }

    /// A refusal with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        let what = self.what.clone();
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{what}\n{body:#}");
        body
    }

    /// The faults of a 422 as `pointer code`, sorted.
    #[track_caller]
    pub fn faults(self) -> Vec<String> {
        let body = self.expect(422);
        let text = |f: &Value, key: &str| f[key].as_str().unwrap_or_default().to_owned();
        let mut faults: Vec<_> = body["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|f| format!("{} {}", text(f, "pointer"), text(f, "code")))
            .collect();
        faults.sort();
        faults
    }

    /// A header's text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}
