//! `Idempotency-Key` on requests that create: the same key and body within 24 hours gets the first answer again, the
//! same key with another body is refused. Applies to JSON bodies; a request without the header is untouched.
//!
//! Kept answers are encrypted: some show a password or a key that is shown once.
//!
//! A request that has begun runs to its end although the client hangs up. When the process dies before the answer is
//! kept, a repeat runs anew with the same [`NewId`], so that what was created is found instead of created twice.

mod store;

use crate::kernel::secret::Keyring;
use crate::kernel::{Digest, Error, Fault, Result};
use crate::platform::db::Db;
use crate::platform::tasks::Tasks;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use std::convert::Infallible;
use uuid::Uuid;

/// Longest key.
const MAX_KEY: usize = 255;

/// The id of what a request creates: the same when the request is repeated with its key, else a new one.
#[derive(Debug, Clone, Copy)]
pub struct NewId(pub Uuid);

impl<S: Sync> FromRequestParts<S> for NewId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> std::result::Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or_else(|| Self(Uuid::now_v7())))
    }
}

/// What the middleware needs.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// Keeps the keys.
    pub db: Db,
    /// Encrypts the kept answers.
    pub keyring: Keyring,
    /// Runs requests to their end.
    pub tasks: Tasks,
}

/// Middleware for the API. `caller` names who asks, so that keys of two callers never meet.
pub async fn middleware(with: Idempotency, caller: String, request: Request, next: Next) -> Result<Response> {
    let Idempotency { db, keyring, tasks } = with;
    let key = request.headers().get("idempotency-key").map(|v| v.to_str().unwrap_or_default().to_owned());
    let is_json = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with("application/json"));
    let Some(key) = key.filter(|_| request.method() == Method::POST && is_json) else {
        return Ok(next.run(request).await);
    };
    if key.is_empty() || key.len() > MAX_KEY {
        let fault = Fault::new("Idempotency-Key", "wrong_format", "a key has 1 to 255 visible ASCII characters");
        return Err(Error::faults(vec![fault]));
    }
    let (parts, body) = request.into_parts();
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &())
        .await
        .map_err(|_| Error::too_large("request.too_large", "the body is larger than this route takes"))?;
    let mut fingerprint = parts.method.as_str().as_bytes().to_vec();
    fingerprint.extend_from_slice(parts.uri.path().as_bytes());
    fingerprint.extend_from_slice(&body);
    let digest = Digest::of(&fingerprint);

    let id = match store::begin(&db, &caller, &key, &digest).await? {
        store::Begun::First(id) => id,
        store::Begun::OtherRequest => {
            return Err(Error::invalid("idempotency.mismatch", "this Idempotency-Key was used with another request"));
        }
        store::Begun::InFlight => {
            return Err(Error::conflict("idempotency.in_flight", "the first request with this key is still running"));
        }
        store::Begun::Done(mut answer) => {
            answer.body = keyring.open(&seal_context(&caller, &key), &answer.body)?;
            return replay(answer);
        }
    };
    let mut request = Request::from_parts(parts, Body::from(body));
    request.extensions_mut().insert(NewId(id));
    let run = async move {
        let response = next.run(request).await;
        if response.status().is_server_error() || response.status() == StatusCode::TOO_MANY_REQUESTS {
            store::release(&db, &caller, &key).await?;
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|e| Error::internal("an answer could not be read").with_source(e))?;
        let body = body.to_bytes();
        let sealed = keyring.seal(&seal_context(&caller, &key), &body)?;
        store::finish(&db, &caller, &key, &Answer::record(parts.status, &parts.headers, sealed)).await?;
        Ok(Response::from_parts(parts, Body::from(body)))
    };
    let ended = tasks.spawn("idempotent request", run).await;
    ended.map_err(|e| Error::internal("a request panicked").with_source(e))?
}

fn seal_context(caller: &str, key: &str) -> String {
    format!("idempotency:{caller}/{key}")
}

/// Deletes keys older than 24 hours.
pub async fn purge(db: &Db) -> Result<()> {
    store::purge(db).await
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn record(status: StatusCode, headers: &HeaderMap, body: Vec<u8>) -> Self {
        let headers = [CONTENT_TYPE, LOCATION, ETAG]
            .into_iter()
            .filter_map(|name| Some((name.to_string(), headers.get(&name)?.to_str().ok()?.to_owned())))
            .collect();
        Self { status: status.as_u16(), headers, body }
    }
}

fn replay(answer: Answer) -> Result<Response> {
    let mut response = Response::builder()
        .status(answer.status)
        .header("idempotency-replayed", "true")
        .header(CONTENT_LENGTH, answer.body.len());
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).map_err(|e| Error::internal("a kept answer is broken").with_source(e))
}
