//! Reading requests: credentials, bodies, headers.

use super::super::error;
use super::super::service::{BodyStream, Credentials};
use crate::kernel::{Error, Result};
use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue};
use std::time::Duration;

/// The token of a `Bearer` header; none for another scheme.
pub fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// User name and password of a `Basic` header (RFC 7617).
pub fn basic(header: &HeaderValue) -> Result<Credentials> {
    let unreadable =
        || Error::unauthenticated("UNAUTHORIZED", "send a bearer token, or user name and password as Basic");
    let (scheme, encoded) = header.to_str().ok().and_then(|h| h.split_once(' ')).ok_or_else(unreadable)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(unreadable());
    }
    let bytes = BASE64_STANDARD.decode(encoded.trim()).map_err(|_| unreadable())?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
    let (username, password) = text.split_once(':').ok_or_else(unreadable)?;
    Ok(Credentials { username: username.to_owned(), password: password.into() })
}

/// The length that the client announced.
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A body as it arrives. It fails when it ends before its announced length, breaks off, or stands still for `idle`.
pub fn body(body: Body, announced: Option<u64>, idle: Duration) -> BodyStream {
    let state = (body.into_data_stream(), 0u64);
    stream::unfold(Some(state), move |state| async move {
        let (mut frames, seen) = state?;
        match tokio::time::timeout(idle, frames.next()).await {
            Ok(Some(Ok(piece))) => {
                let seen = seen + piece.len() as u64;
                Some((Ok(piece), Some((frames, seen))))
            }
            Ok(None) if announced.is_none_or(|length| length == seen) => None,
            Ok(None) => Some((Err(error::body_broken("the body ended early")), None)),
            Ok(Some(Err(e))) => Some((Err(error::body_broken("the body broke off").with_source(e)), None)),
            Err(_) => {
                let message = format!("nothing was received for {} seconds", idle.as_secs());
                Some((Err(error::body_broken(message)), None))
            }
        }
    })
    .boxed()
}

/// A small body, in memory: none when it is longer than `max`.
pub async fn bytes(body: BodyStream, max: usize) -> Result<Option<Vec<u8>>> {
    let whole = body.try_fold(Some(Vec::new()), async |all: Option<Vec<u8>>, piece: Bytes| {
        Ok(all.filter(|all| all.len() + piece.len() <= max).map(|mut all| {
            all.extend_from_slice(&piece);
            all
        }))
    });
    whole.await
}

/// A header of ours.
pub fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|e| Error::internal(format!("{text:?} is no header value")).with_source(e))
}
