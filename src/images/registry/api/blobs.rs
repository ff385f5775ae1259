//! `/v2/<name>/blobs/<digest>`.

use super::super::access::Access;
use super::super::error;
use super::super::model::{RepositoryName, Requested, blob_range};
use super::super::service::Registry;
use super::refusal::not_allowed;
use super::{CONTENT_DIGEST, empty, request};
use crate::kernel::{Digest, Result};
use axum::body::Body;
use axum::response::Response;
use futures::StreamExt;
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, LOCATION, RANGE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

pub async fn handle(
    registry: &Registry,
    access: &Access,
    name: &RepositoryName,
    digest: &str,
    parts: &Parts,
) -> Result<Response> {
    match parts.method {
        Method::GET => get(registry, access, name, &error::digest(digest)?, &parts.headers).await,
        Method::HEAD => {
            let digest = error::digest(digest)?;
            let blob = registry.promise_blob(access, name, &digest).await?;
            let mut response = empty(StatusCode::OK, &[])?;
            describe(&mut response, &digest, blob.size_bytes)?;
            Ok(response)
        }
        Method::DELETE => {
            registry.delete_blob(access, name, &error::digest(digest)?).await?;
            empty(StatusCode::ACCEPTED, &[])
        }
        _ => Ok(not_allowed("GET, HEAD, DELETE")),
    }
}

async fn get(
    registry: &Registry,
    access: &Access,
    name: &RepositoryName,
    digest: &Digest,
    headers: &HeaderMap,
) -> Result<Response> {
    let blob = registry.blob(access, name, digest).await?;
    let size = blob.size_bytes;
    if matches_etag(headers, digest) {
        return empty(StatusCode::NOT_MODIFIED, &[(ETAG, etag(digest))]);
    }
    let header = headers.get(RANGE).and_then(|v| v.to_str().ok());
    // A range of another version of it would be wrong; content by digest has one version.
    let valid = headers.get(IF_RANGE).is_none_or(|v| v.as_bytes() == etag(digest).as_bytes());
    let range = match blob_range(header.filter(|_| valid), size) {
        Requested::All => None,
        Requested::Part(range) => Some(range),
        Requested::Unsatisfiable => {
            return empty(StatusCode::RANGE_NOT_SATISFIABLE, &[(CONTENT_RANGE, format!("bytes */{size}"))]);
        }
    };
    // The client asks there for its range again.
    let mut outgoing = registry.outgoing(access, name)?;
    if let Some(address) = registry.blob_address(&blob).await? {
        // What the client takes there we do not see.
        outgoing.add(range.map_or(size, |r| r.end - r.start));
        return empty(StatusCode::TEMPORARY_REDIRECT, &[(LOCATION, address), (CONTENT_DIGEST, digest.to_string())]);
    }
    let body = registry.blob_body(&blob, range.clone()).await?;
    let sent = metrics::counter!("image_factory_registry_sent_bytes_total");
    let body = body.inspect(move |piece| {
        if let Ok(piece) = piece {
            sent.increment(piece.len() as u64);
            outgoing.add(piece.len() as u64);
        }
    });
    let mut response = Response::new(Body::from_stream(body));
    match range {
        None => describe(&mut response, digest, size)?,
        Some(range) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            describe(&mut response, digest, range.end - range.start)?;
            let value = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            response.headers_mut().insert(CONTENT_RANGE, request::header_value(&value)?);
        }
    }
    Ok(response)
}

fn describe(response: &mut Response, digest: &Digest, length: u64) -> Result<()> {
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_DIGEST, request::header_value(&digest.to_string())?);
    headers.insert(ETAG, request::header_value(&etag(digest))?);
    Ok(())
}

/// Content by digest never changes, so the digest is its version.
pub fn etag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// Whether the client has it already (RFC 9110 section 13.1.2).
pub fn matches_etag(headers: &HeaderMap, digest: &Digest) -> bool {
    let etag = etag(digest);
    headers
        .get(IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|list| list.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag))
}
