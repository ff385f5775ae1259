//! Versions of settings: `ETag` on answers, `If-Match` on changes (RFC 9110 sections 8.8.3 and 13.1.1).

use crate::kernel::{Error, Kind, Result};
use axum::extract::FromRequestParts;
use http::header::{ETAG, IF_MATCH};
use http::request::Parts;
use http::{HeaderName, HeaderValue};

/// The `ETag` header of a version.
pub fn etag(version: i32) -> [(HeaderName, HeaderValue); 1] {
    let value = HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""));
    [(ETAG, value)]
}

/// The version that a change was made from; none when the client does not say, or says `*`.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Option<i32>);

impl IfMatch {
    /// 412 unless the client's version is the present one.
    pub fn check(self, present: i32) -> Result<()> {
        if self.0.is_none_or(|v| v == present) { Ok(()) } else { Err(stale()) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        match parts.headers.get(IF_MATCH).map(|v| v.to_str().unwrap_or_default().trim()) {
            None | Some("*") => Ok(Self(None)),
            Some(tag) => tag.trim_matches('"').parse().map(|v| Self(Some(v))).map_err(|_| stale()),
        }
    }
}

fn stale() -> Error {
    Error::new(Kind::Stale, "version.stale", "it has changed since you read it; read it again and repeat the change")
}
