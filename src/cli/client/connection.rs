//! A connection to a server: addresses, credentials, errors in words.

use super::Target;
use super::session::Session;
use crate::platform::http::Problem;
use anyhow::{Context, bail};
use backon::{ExponentialBuilder, Retryable};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::sync::Mutex;

/// A server and how we prove who we are.
pub struct Connection {
    http: reqwest::Client,
    url: String,
    tenant: Option<String>,
    credentials: Mutex<Credentials>,
}

enum Credentials {
    Key(String),
    Session(Session),
}

impl Connection {
    /// To the server of the arguments, the environment or the last login, in this order.
    pub fn open(target: &Target) -> anyhow::Result<Self> {
        let session = Session::load()?;
        let url = target.url.clone().or(session.as_ref().map(|s| s.url.clone()));
        let Some(url) = url else { bail!("no server is known: run `image-factory login --url URL`") };
        let url = url.trim_end_matches('/').to_owned();
        // The session's tenant is that of the session alone: a key may be of another.
        match (&target.token, session) {
            (Some(key), _) => Self::new(url, target.tenant.clone(), Credentials::Key(key.clone())),
            (None, Some(session)) if session.url == url => {
                let tenant = target.tenant.clone().or(session.tenant.clone());
                Self::new(url, tenant, Credentials::Session(session))
            }
            (None, _) => bail!("not signed in to {url}: run `image-factory login --url {url}`"),
        }
    }

    /// To a server with an access token at hand.
    pub fn with_session(session: Session) -> anyhow::Result<Self> {
        Self::new(session.url.clone(), session.tenant.clone(), Credentials::Session(session))
    }

    fn new(url: String, tenant: Option<String>, credentials: Credentials) -> anyhow::Result<Self> {
        Ok(Self { http: client()?, url, tenant, credentials: Mutex::new(credentials) })
    }

    async fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let token = match &*self.credentials.lock().await {
            Credentials::Key(key) => key.clone(),
            Credentials::Session(session) => session.access_token.clone(),
        };
        let request = self.http.request(method, format!("{}/api/v1{path}", self.url)).bearer_auth(token);
        match &self.tenant {
            Some(tenant) => request.header("X-Tenant-ID", tenant),
            None => request,
        }
    }

    /// Sends; signs in anew with the refresh token when the access token has expired.
    async fn send(
        &self,
        method: Method,
        path: &str,
        finish: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> anyhow::Result<Response> {
        let response =
            finish(self.request(method.clone(), path).await).send().await.with_context(|| self.unreachable())?;
        if response.status() != StatusCode::UNAUTHORIZED || !self.refresh().await? {
            return check(response).await;
        }
        check(finish(self.request(method, path).await).send().await.with_context(|| self.unreachable())?).await
    }

    fn unreachable(&self) -> String {
        format!("{} does not answer", self.url)
    }

    async fn refresh(&self) -> anyhow::Result<bool> {
        match &mut *self.credentials.lock().await {
            Credentials::Key(_) => Ok(false),
            Credentials::Session(session) => session.refresh(&self.http).await,
        }
    }

    /// Reads; tries again for a while when the server does not answer.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let read = || async { self.send(Method::GET, path, |r| r).await };
        let patient = ExponentialBuilder::default().with_max_times(4).with_jitter();
        let response =
            read.retry(patient).when(|e| e.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect));
        Ok(response.await?.json().await?)
    }

    /// Creates or acts. A repeat after a broken connection does nothing twice, by its idempotency key.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
        let key = uuid::Uuid::now_v7().to_string();
        let write = || async { self.send(Method::POST, path, |r| r.header("Idempotency-Key", &key).json(body)).await };
        let patient = ExponentialBuilder::default().with_max_times(4).with_jitter();
        let response =
            write.retry(patient).when(|e| e.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect));
        Ok(response.await?.json().await?)
    }

    /// Replaces.
    pub async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
        Ok(self.send(Method::PUT, path, |r| r.json(body)).await?.json().await?)
    }

    /// Posts a body that is streamed; no repeat.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        media: &str,
        size: u64,
        body: reqwest::Body,
    ) -> anyhow::Result<T> {
        let request = self.request(Method::POST, path).await;
        let request = request.header("content-type", media).header("content-length", size).body(body);
        let request = request.timeout(Duration::from_hours(1));
        Ok(check(request.send().await.with_context(|| self.unreachable())?).await?.json().await?)
    }

    /// Opens an event stream behind a position.
    pub async fn stream(&self, path: &str, after: &str) -> anyhow::Result<Response> {
        self.send(Method::GET, path, |r| {
            r.header("accept", "text/event-stream").header("last-event-id", after).timeout(Duration::from_hours(24))
        })
        .await
    }
}

/// What the server would not do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    /// Whether asking again may help.
    pub fn may_pass(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }
}

/// A client with bounded waits.
pub fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .user_agent(concat!("image-factory/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_mins(1))
        .timeout(Duration::from_mins(1))
        .build()?)
}

/// Turns a refusal into an error with every fault in it.
pub async fn check(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    match serde_json::from_str::<Problem>(&text) {
        Ok(problem) => {
            let faults: Vec<String> =
                problem.errors.iter().map(|f| format!("\n  {}: {}", f.pointer, f.detail)).collect();
            let message = format!("{} ({}){}", problem.detail, problem.code, faults.concat());
            Err(Refusal { status, message }.into())
        }
        Err(_) => Err(Refusal { status, message: format!("the server answered {status}") }.into()),
    }
}
