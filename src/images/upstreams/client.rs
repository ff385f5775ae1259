//! Pulls from another registry (OCI Distribution Specification 1.1, "Pull"), with tokens where it wants them.

use super::model::{Challenge, Login, repository};
use crate::images::registry::BodyStream;
use crate::kernel::{Clock, Digest, Error, Result};
use crate::platform::http::egress::Egress;
use chrono::{DateTime, Duration, Utc};
use futures::{StreamExt, TryStreamExt};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use moka::future::Cache;
use reqwest::Response;
use secrecy::ExposeSecret;
use serde::Deserialize;
use std::time::Duration as Period;
use url::Url;

/// Time for an answer that is read whole.
const TIMEOUT: Period = Period::from_secs(30);
/// Tokens that are remembered.
const MAX_TOKENS: u64 = 10_000;
/// Seconds for which a token is good that does not say (Docker Registry token specification).
const TOKEN_SECONDS: i64 = 60;
/// Longest answer of a token server in bytes.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, \
     */*;q=0.1";

/// Where to pull from.
#[derive(Debug, Clone)]
pub struct Remote {
    pub url: Url,
    pub login: Option<Login>,
    /// Changes with the settings: what is remembered of others is not used.
    pub key: String,
}

/// A manifest as it was answered.
pub struct Fetched {
    pub media_type: String,
    pub content: Vec<u8>,
}

/// Pulls from registries. Absent is also what they do not show to us.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    egress: Egress,
    clock: Clock,
    tokens: Cache<String, Token>,
}

#[derive(Debug, Clone)]
struct Token {
    header: HeaderValue,
    good_until: DateTime<Utc>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<i64>,
}

impl Client {
    pub fn new(egress: Egress, clock: Clock) -> Result<Self> {
        Ok(Self { http: egress.client()?, egress, clock, tokens: Cache::new(MAX_TOKENS) })
    }

    /// The digest behind a tag; none inside where the registry has the tag and does not tell.
    pub async fn resolve(&self, remote: &Remote, image: &str, tag: &str) -> Result<Option<Option<Digest>>> {
        let answer = self.ask(remote, Method::HEAD, image, &format!("manifests/{tag}"), Some(TIMEOUT)).await?;
        Ok(answer.map(|a| {
            a.headers().get("docker-content-digest").and_then(|v| v.to_str().ok()).and_then(|d| d.parse().ok())
        }))
    }

    /// A manifest by tag or digest, of at most `max` bytes.
    pub async fn manifest(&self, remote: &Remote, image: &str, reference: &str, max: usize) -> Result<Option<Fetched>> {
        let answer = self.ask(remote, Method::GET, image, &format!("manifests/{reference}"), Some(TIMEOUT)).await?;
        let Some(answer) = answer else { return Ok(None) };
        let media_type =
            answer.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        Ok(Some(Fetched { media_type, content: read(answer, max).await? }))
    }

    /// The size of a blob in bytes.
    pub async fn blob_size(&self, remote: &Remote, image: &str, blob: &Digest) -> Result<Option<u64>> {
        let answer = self.ask(remote, Method::HEAD, image, &format!("blobs/{blob}"), Some(TIMEOUT)).await?;
        let Some(answer) = answer else { return Ok(None) };
        // The body of a HEAD is empty: its size is in the header alone.
        let size = answer.headers().get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
        size.map(Some).ok_or_else(|| unreachable("it does not tell the size of a blob"))
    }

    /// The bytes of a blob, not verified.
    pub async fn blob(&self, remote: &Remote, image: &str, blob: &Digest) -> Result<Option<BodyStream>> {
        let answer = self.ask(remote, Method::GET, image, &format!("blobs/{blob}"), None).await?;
        let broken = |e: reqwest::Error| unreachable("a blob broke off").with_source(e);
        Ok(answer.map(|a| a.bytes_stream().map_err(broken).boxed()))
    }

    /// Asks, with credentials where they are wanted; none for what is not there or not for us.
    async fn ask(
        &self,
        remote: &Remote,
        method: Method,
        image: &str,
        path: &str,
        timeout: Option<Period>,
    ) -> Result<Option<Response>> {
        let repository = repository(&remote.url, image);
        let mut url = remote.url.clone();
        url.set_path(&format!("/v2/{repository}/{path}"));
        let key = format!("{} {repository}", remote.key);
        let now = self.clock.now();
        let known = self.tokens.get(&key).await.filter(|t| t.good_until > now).map(|t| t.header);
        let mut answer = self.send(&url, method.clone(), known.as_ref(), timeout).await?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Some(token) = self.authorize(remote, &repository, &answer).await?
        {
            self.tokens.insert(key, token.clone()).await;
            answer = self.send(&url, method, Some(&token.header), timeout).await?;
        }
        match answer.status() {
            status if status.is_success() => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                tracing::debug!(%status, %url, "an upstream registry refuses us");
                Ok(None)
            }
            status => Err(unreachable(&format!("it answered {status}"))),
        }
    }

    async fn send(
        &self,
        url: &Url,
        method: Method,
        authorization: Option<&HeaderValue>,
        timeout: Option<Period>,
    ) -> Result<Response> {
        self.egress.check_literal(url)?;
        let mut request = self.http.request(method, url.clone()).header(ACCEPT, MANIFESTS);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        request.send().await.map_err(not_sent)
    }

    /// What the registry's challenge asks for; none where it asks for nothing that we have.
    async fn authorize(&self, remote: &Remote, repository: &str, refusal: &Response) -> Result<Option<Token>> {
        let challenge =
            refusal.headers().get(WWW_AUTHENTICATE).and_then(|v| v.to_str().ok()).and_then(Challenge::parse);
        let far = Duration::days(1);
        match (challenge, &remote.login) {
            (Some(Challenge::Basic), Some(login)) => {
                let request =
                    self.http.get(remote.url.clone()).basic_auth(&login.username, Some(login.password.expose_secret()));
                let built = request.build().map_err(not_sent)?;
                let header = built.headers().get(AUTHORIZATION).cloned();
                Ok(header.map(|header| Token { header, good_until: self.clock.now() + far }))
            }
            (Some(Challenge::Bearer { realm, service }), _) => {
                self.token(remote, repository, &realm, service.as_deref()).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn token(&self, remote: &Remote, repository: &str, realm: &str, service: Option<&str>) -> Result<Token> {
        let mut realm = Url::parse(realm).map_err(|e| unreachable("its token server has no address").with_source(e))?;
        if realm.scheme() != "https" && remote.url.scheme() == "https" {
            return Err(unreachable("its token server is not on https"));
        }
        self.egress.check_literal(&realm)?;
        realm
            .query_pairs_mut()
            .extend_pairs(service.map(|s| ("service", s)))
            .append_pair("scope", &format!("repository:{repository}:pull"));
        let mut request = self.http.get(realm).timeout(TIMEOUT);
        if let Some(login) = &remote.login {
            request = request.basic_auth(&login.username, Some(login.password.expose_secret()));
        }
        let answer = request.send().await.map_err(not_sent)?;
        if !answer.status().is_success() {
            return Err(unreachable(&format!("its token server answered {}", answer.status())));
        }
        let unread = |e: serde_json::Error| unreachable("its token server did not answer as it should").with_source(e);
        let answer: TokenAnswer = serde_json::from_slice(&read(answer, MAX_TOKEN_BYTES).await?).map_err(unread)?;
        let token = answer.token.or(answer.access_token).unwrap_or_default();
        let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|e| unreachable("its token does not fit a header").with_source(e))?;
        header.set_sensitive(true);
        // Somewhat less: it must be good when it arrives.
        let seconds = answer.expires_in.unwrap_or(TOKEN_SECONDS).clamp(0, 86_400) * 9 / 10;
        Ok(Token { header, good_until: self.clock.now() + Duration::seconds(seconds) })
    }
}

async fn read(mut answer: Response, max: usize) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|e| unreachable("an answer broke off").with_source(e))? {
        if all.len() + piece.len() > max {
            return Err(unreachable("an answer is too long"));
        }
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

/// A request that got no answer; one that the guard refused says so.
fn not_sent(error: reqwest::Error) -> Error {
    let mut cause = std::error::Error::source(&error);
    while let Some(e) = cause {
        if let Some(refusal) = e.downcast_ref::<Error>().filter(|e| e.code() == "egress.private_address") {
            return Error::invalid("egress.private_address", refusal.message());
        }
        cause = e.source();
    }
    unreachable("it does not answer").with_source(error)
}

fn unreachable(why: &str) -> Error {
    Error::unavailable("upstream.unreachable", format!("the upstream registry is of no use now: {why}"))
}
