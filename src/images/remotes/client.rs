//! Requests to another registry (OCI Distribution Specification 1.1), with tokens where it wants them, and pulls.

use super::config::Config;
use super::model::{Challenge, Login, repository};
use crate::images::registry::BodyStream;
use crate::kernel::{Clock, Digest, Error, Fault, Result};
use crate::platform::http::egress::Egress;
use chrono::{DateTime, Duration, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use moka::future::Cache;
use reqwest::{RequestBuilder, Response};
use secrecy::ExposeSecret;
use serde::Deserialize;
use std::time::{Duration as Period, Instant};
use url::Url;

/// Time for an answer that is read whole.
pub(super) const TIMEOUT: Period = Period::from_secs(30);
/// Tokens that are remembered.
const MAX_TOKENS: u64 = 10_000;
/// Seconds for which a token is good that does not say (Docker Registry token specification).
const TOKEN_SECONDS: i64 = 60;
/// Longest answer of a token server in bytes.
const MAX_TOKEN_BYTES: usize = 64 * 1024;
/// Code of what a registry or its token server refuses us.
pub(super) const DENIED: &str = "remote.denied";
/// Least bytes of a blob in a minute: who sends or takes less holds up others.
pub(super) const LEAST_BYTES: u64 = 1024 * 1024;
pub(super) const PACE: Period = Period::from_mins(1);
/// Longest refusal that is repeated to people, in bytes.
const MAX_REFUSAL_BYTES: usize = 4 * 1024;

const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json, \
     */*;q=0.1";

/// What another registry is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// What somebody pulls through a cache: what is refused to us is not there for them.
    Cache,
    /// Copies from it.
    Pull,
    /// Copies to it.
    Push,
}

/// Another registry, and how to sign in there.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Its address; a path stands before the names of images.
    pub url: Url,
    /// Who signs in there; none: nobody.
    pub login: Option<Login>,
    /// What for.
    pub purpose: Purpose,
    /// Changes with the settings: what is remembered of others is not used.
    pub key: String,
}

/// A manifest as it was answered.
pub struct Fetched {
    /// As the answer says; may be empty.
    pub media_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// A client of other registries. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    /// Waits as long as it takes for an answer: for uploads, which are watched.
    pub(super) patient: reqwest::Client,
    pub(super) egress: Egress,
    clock: Clock,
    tokens: Cache<String, Token>,
}

#[derive(Debug, Clone)]
struct Token {
    header: HeaderValue,
    good_until: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<RefusalError>,
}

#[derive(Deserialize)]
struct RefusalError {
    code: String,
    message: Option<String>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<i64>,
}

impl Remote {
    /// The scope of a token for one image.
    fn scope(&self, image: &str) -> String {
        let actions = if self.purpose == Purpose::Push { "pull,push" } else { "pull" };
        format!("repository:{}:{actions}", repository(&self.url, image))
    }

    /// The address of something of an image, such as `manifests/latest`.
    fn url_of(&self, image: &str, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("/v2/{}/{path}", repository(&self.url, image)));
        url
    }
}

/// A request that may be sent twice: the second time with a token.
pub(super) struct Ask<'a> {
    pub remote: &'a Remote,
    /// Of the token; several with spaces between.
    pub scope: String,
    pub method: Method,
    pub url: Url,
    pub timeout: Option<Period>,
    /// A manifest with its media type.
    pub body: Option<(&'a str, Vec<u8>)>,
}

impl<'a> Ask<'a> {
    /// About something of an image, such as `manifests/latest`, to be answered in time.
    pub fn of(remote: &'a Remote, method: Method, image: &str, path: &str) -> Self {
        let (scope, url) = (remote.scope(image), remote.url_of(image, path));
        Self { remote, scope, method, url, timeout: Some(TIMEOUT), body: None }
    }
}

impl Client {
    /// A client that reaches public addresses and the networks that are allowed.
    pub fn new(config: &Config, clock: Clock) -> Result<Self> {
        let egress = Egress::new(config.allowed_networks.clone());
        let (http, patient) = (egress.client()?, egress.patient_client()?);
        Ok(Self { http, patient, egress, clock, tokens: Cache::new(MAX_TOKENS) })
    }

    /// Refuses an address in a private network, as a fault at `/url`. One that cannot be looked up now may be so later.
    pub async fn check_address(&self, url: &Url) -> Result<()> {
        let port = url.port_or_known_default().unwrap_or(443);
        match self.egress.resolve(url.host_str().unwrap_or_default(), port).await {
            Err(error) if error.code() == "egress.private_address" => {
                Err(Error::faults(vec![Fault::new("/url", "private_address", error.message())]))
            }
            _ => Ok(()),
        }
    }

    /// The digest behind a tag; none inside where the registry has the tag and does not tell.
    pub async fn resolve(&self, remote: &Remote, image: &str, tag: &str) -> Result<Option<Option<Digest>>> {
        let answer = self.find(Ask::of(remote, Method::HEAD, image, &format!("manifests/{tag}"))).await?;
        Ok(answer.map(|a| {
            a.headers().get("docker-content-digest").and_then(|v| v.to_str().ok()).and_then(|d| d.parse().ok())
        }))
    }

    /// A manifest by tag or digest, of at most `max` bytes.
    pub async fn manifest(&self, remote: &Remote, image: &str, reference: &str, max: usize) -> Result<Option<Fetched>> {
        let answer = self.find(Ask::of(remote, Method::GET, image, &format!("manifests/{reference}"))).await?;
        let Some(answer) = answer else { return Ok(None) };
        let media_type =
            answer.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        Ok(Some(Fetched { media_type, content: read(answer, max).await? }))
    }

    /// The size of a blob in bytes.
    pub async fn blob_size(&self, remote: &Remote, image: &str, blob: &Digest) -> Result<Option<u64>> {
        let answer = self.find(Ask::of(remote, Method::HEAD, image, &format!("blobs/{blob}"))).await?;
        let Some(answer) = answer else { return Ok(None) };
        // The body of a HEAD is empty: its size is in the header alone.
        let size = answer.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
        size.map(Some).ok_or_else(|| unreachable("it does not tell the size of a blob"))
    }

    /// Whether an image has a blob, as far as we are shown.
    pub async fn has_blob(&self, remote: &Remote, image: &str, blob: &Digest) -> Result<bool> {
        let answer = self.answer(&Ask::of(remote, Method::HEAD, image, &format!("blobs/{blob}"))).await?;
        match answer.status() {
            status if status.is_success() => Ok(true),
            StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(false),
            _ => Err(refused(answer).await),
        }
    }

    /// The bytes of a blob, not verified. It breaks off where they come too slowly.
    pub async fn blob(&self, remote: &Remote, image: &str, blob: &Digest) -> Result<Option<BodyStream>> {
        let ask = Ask { timeout: None, ..Ask::of(remote, Method::GET, image, &format!("blobs/{blob}")) };
        let answer = self.find(ask).await?;
        let broken = |e: reqwest::Error| unreachable("a blob broke off").with_source(e.without_url());
        Ok(answer.map(|a| paced(a.bytes_stream().map_err(broken).boxed())))
    }

    /// Asks for something; none for what is not there, in a cache also for what is not for us.
    pub(super) async fn find(&self, ask: Ask<'_>) -> Result<Option<Response>> {
        let cache = ask.remote.purpose == Purpose::Cache;
        let answer = match self.answer(&ask).await {
            // A cache serves what it has while it cannot sign in.
            Err(error) if cache && error.code() == DENIED => return Err(unreachable(error.message())),
            answer => answer?,
        };
        match answer.status() {
            status if status.is_success() => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) if cache => {
                tracing::debug!(%status, url = %ask.url, "another registry refuses us");
                Ok(None)
            }
            _ => Err(refused(answer).await),
        }
    }

    /// The answer, whatever it is, with credentials where they are wanted.
    pub(super) async fn answer(&self, ask: &Ask<'_>) -> Result<Response> {
        let known = self.known_token(ask.remote, &ask.scope).await;
        let answer = self.send(ask, known.as_ref()).await?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Some(token) = self.new_token(ask, &answer).await?
        {
            return self.send(ask, Some(&token)).await;
        }
        Ok(answer)
    }

    /// What the challenge of an answer asks for, remembered; none where it asks for nothing that we have.
    pub(super) async fn new_token(&self, ask: &Ask<'_>, refusal: &Response) -> Result<Option<HeaderValue>> {
        let Some(token) = self.authorize(ask.remote, &ask.scope, refusal).await? else { return Ok(None) };
        self.tokens.insert(token_key(ask.remote, &ask.scope), token.clone()).await;
        Ok(Some(token.header))
    }

    pub(super) async fn known_token(&self, remote: &Remote, scope: &str) -> Option<HeaderValue> {
        let now = self.clock.now();
        self.tokens.get(&token_key(remote, scope)).await.filter(|t| t.good_until > now).map(|t| t.header)
    }

    async fn send(&self, ask: &Ask<'_>, authorization: Option<&HeaderValue>) -> Result<Response> {
        self.egress.check_literal(&ask.url)?;
        let mut request = self.http.request(ask.method.clone(), ask.url.clone()).header(ACCEPT, MANIFESTS);
        if let Some((media_type, content)) = &ask.body {
            request = request.header(CONTENT_TYPE, *media_type).body(content.clone());
        }
        if let Some(timeout) = ask.timeout {
            request = request.timeout(timeout);
        }
        authorized(request, authorization).send().await.map_err(not_sent)
    }

    /// What the registry's challenge asks for; none where it asks for nothing that we have.
    async fn authorize(&self, remote: &Remote, scope: &str, refusal: &Response) -> Result<Option<Token>> {
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
                self.token(remote, scope, &realm, service.as_deref()).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn token(&self, remote: &Remote, scope: &str, realm: &str, service: Option<&str>) -> Result<Token> {
        let mut realm = Url::parse(realm).map_err(|e| unreachable("its token server has no address").with_source(e))?;
        if realm.scheme() != "https" && remote.url.scheme() == "https" {
            return Err(unreachable("its token server is not on https"));
        }
        self.egress.check_literal(&realm)?;
        let scopes = scope.split(' ').map(|scope| ("scope", scope));
        realm.query_pairs_mut().extend_pairs(service.map(|s| ("service", s))).extend_pairs(scopes);
        let mut request = self.http.get(realm).timeout(TIMEOUT);
        if let Some(login) = &remote.login {
            request = request.basic_auth(&login.username, Some(login.password.expose_secret()));
        }
        let answer = request.send().await.map_err(not_sent)?;
        if !answer.status().is_success() {
            return Err(refused(answer).await);
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

fn token_key(remote: &Remote, scope: &str) -> String {
    format!("{} {scope}", remote.key)
}

pub(super) fn authorized(request: RequestBuilder, authorization: Option<&HeaderValue>) -> RequestBuilder {
    match authorization {
        Some(value) => request.header(AUTHORIZATION, value),
        None => request,
    }
}

pub(super) async fn read(mut answer: Response, max: usize) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(piece) =
        answer.chunk().await.map_err(|e| unreachable("an answer broke off").with_source(e.without_url()))?
    {
        if all.len() + piece.len() > max {
            return Err(unreachable("an answer is too long"));
        }
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

/// A request that got no answer; one that the guard refused says so.
pub(super) fn not_sent(error: reqwest::Error) -> Error {
    let mut cause = std::error::Error::source(&error);
    while let Some(e) = cause {
        if let Some(refusal) = e.downcast_ref::<Error>().filter(|e| e.code() == "egress.private_address") {
            return Error::invalid("egress.private_address", refusal.message());
        }
        cause = e.source();
    }
    unreachable("it does not answer").with_source(error.without_url())
}

/// Ends a body with an error when too little of it comes. Only the time that is spent waiting for it counts.
fn paced(body: BodyStream) -> BodyStream {
    let start = (body, Period::ZERO, 0);
    stream::try_unfold(start, |(mut body, mut waited, mut bytes)| async move {
        let begun = Instant::now();
        let Some(piece) = body.try_next().await? else { return Ok(None) };
        waited += begun.elapsed();
        bytes += piece.len() as u64;
        if waited >= PACE {
            if bytes < LEAST_BYTES {
                return Err(unreachable("it sends too slowly"));
            }
            (waited, bytes) = (Period::ZERO, 0);
        }
        Ok(Some((piece, (body, waited, bytes))))
    })
    .boxed()
}

pub(super) fn unreachable(why: &str) -> Error {
    Error::unavailable("remote.unreachable", format!("the other registry is of no use now: {why}"))
}

/// What an answer says that is neither success nor absence, with the registry's own words (OCI Distribution Specification
/// 1.1, "Error Codes").
pub(super) async fn refused(answer: Response) -> Error {
    let status = answer.status();
    let told = read(answer, MAX_REFUSAL_BYTES).await.ok().and_then(|b| serde_json::from_slice::<Refusal>(&b).ok());
    let told = told.and_then(|r| r.errors.into_iter().next());
    let told = told.map(|e| format!(", {}: {}", e.code, e.message.unwrap_or_default())).unwrap_or_default();
    let text = format!("the other registry answered {status}{told}");
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Error::forbidden(DENIED, format!("{text}; check the login and its rights"))
        }
        StatusCode::TOO_MANY_REQUESTS => Error::limited("remote.limited", text),
        status if status.is_client_error() => Error::conflict("remote.refused", text),
        _ => Error::unavailable("remote.unreachable", text),
    }
}
