//! `Idempotency-Key` on requests that create: the same key and body within 24 hours gets the first answer again, the
//! same key with another body is refused. Applies to JSON bodies; a request without the header is untouched.
//!
//! Kept answers are encrypted: some show a password or a key that is shown once.

mod store;

use crate::kernel::secret::Keyring;
use crate::kernel::{Digest, Error, Fault, Result};
use crate::platform::db::Db;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;

/// Longest key.
const MAX_KEY: usize = 255;

/// Middleware for the API. `caller` names who asks, so that keys of two callers never meet.
pub async fn middleware(
    db: Db,
    keyring: Keyring,
    caller: String,
    request: Request,
    next: Next,
) -> Result<Response> {
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

    match store::begin(&db, &caller, &key, &digest).await? {
        store::Begun::First => {}
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
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if response.status().is_server_error() || response.status() == StatusCode::TOO_MANY_REQUESTS {
        store::forget(&db, &caller, &key).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|e| Error::internal("an answer could not be read").with_source(e))?;
    let body = body.to_bytes();
    let sealed = keyring.seal(&seal_context(&caller, &key), &body)?;
    store::finish(&db, &caller, &key, &Answer::record(parts.status, &parts.headers, sealed)).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
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
