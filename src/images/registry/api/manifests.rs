//! `/v2/<name>/manifests/<reference>` and `/v2/<name>/tags/list`.

use super::super::access::Access;
use super::super::error;
use super::super::model::{Reference, RepositoryName};
use super::super::service::Registry;
use super::blobs::{etag, matches_etag};
use super::refusal::not_allowed;
use super::{CONTENT_DIGEST, empty, request};
use crate::kernel::{Error, Kind, Result};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LINK, LOCATION};
use http::request::Parts;
use http::{HeaderName, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

pub async fn handle(
    registry: &Registry,
    access: &Access,
    name: &RepositoryName,
    reference: &str,
    parts: &Parts,
    body: Body,
) -> Result<Response> {
    match parts.method {
        Method::GET | Method::HEAD => get(registry, access, name, &reference.parse()?, parts).await,
        Method::PUT => put(registry, access, name, &reference.parse()?, parts, body).await,
        Method::DELETE => {
            registry.delete_manifest(access, name, &reference.parse()?).await?;
            empty(StatusCode::ACCEPTED, &[])
        }
        _ => Ok(not_allowed("GET, HEAD, PUT, DELETE")),
    }
}

async fn get(
    registry: &Registry,
    access: &Access,
    name: &RepositoryName,
    reference: &Reference,
    parts: &Parts,
) -> Result<Response> {
    let whole = parts.method == Method::GET;
    let manifest = registry.manifest(access, name, reference, whole).await?;
    if matches_etag(&parts.headers, &manifest.digest) {
        return empty(StatusCode::NOT_MODIFIED, &[(ETAG, etag(&manifest.digest))]);
    }
    let length = manifest.size_bytes;
    let mut response = manifest.content.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, length.into());
    headers.insert(CONTENT_TYPE, request::header_value(&manifest.media_type)?);
    headers.insert(CONTENT_DIGEST, request::header_value(&manifest.digest.to_string())?);
    headers.insert(ETAG, request::header_value(&etag(&manifest.digest))?);
    Ok(response)
}

async fn put(
    registry: &Registry,
    access: &Access,
    name: &RepositoryName,
    reference: &Reference,
    parts: &Parts,
    body: Body,
) -> Result<Response> {
    let config = registry.config();
    let idle = Duration::from_secs(config.idle_timeout_seconds);
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let body = request::body(body, request::content_length(&parts.headers), idle);
    let content = request::bytes(body, config.max_manifest_bytes).await?;
    let content = content.ok_or_else(|| error::manifest_too_large(config.max_manifest_bytes))?;
    let put = registry.put_manifest(access, name, reference, content_type, &content).await?;
    let mut headers =
        vec![(LOCATION, format!("/v2/{name}/manifests/{}", put.digest)), (CONTENT_DIGEST, put.digest.to_string())];
    headers.extend(put.subject.map(|digest| (SUBJECT, digest.to_string())));
    empty(StatusCode::CREATED, &headers)
}

#[derive(Deserialize)]
struct TagQuery {
    n: Option<i64>,
    last: Option<String>,
}

pub async fn tags(registry: &Registry, access: &Access, name: &RepositoryName, parts: &Parts) -> Result<Response> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(not_allowed("GET, HEAD"));
    }
    let query: TagQuery = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
        .ok()
        .filter(|q: &TagQuery| q.n.is_none_or(|n| n >= 0))
        .ok_or_else(|| Error::new(Kind::Malformed, "PAGINATION_NUMBER_INVALID", "n is a number of tags"))?;
    let limit = query.n.unwrap_or(Registry::MAX_TAGS);
    let page = registry.tags(access, name, query.last.as_deref().unwrap_or_default(), limit).await?;
    let next = page.tags.last().filter(|_| page.more).map(|last| {
        let limit = limit.min(Registry::MAX_TAGS);
        format!("</v2/{name}/tags/list?n={limit}&last={last}>; rel=\"next\"")
    });
    let mut response = axum::Json(json!({"name": name.as_str(), "tags": page.tags})).into_response();
    if let Some(next) = next {
        response.headers_mut().insert(LINK, request::header_value(&next)?);
    }
    Ok(response)
}
