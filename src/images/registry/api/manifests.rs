//! `/v2/<name>/manifests/<reference>`.

use super::super::access::Access;
use super::super::error;
use super::super::model::{Reference, RepositoryName};
use super::super::service::Registry;
use super::blobs::{etag, matches_etag};
use super::refusal::not_allowed;
use super::{CONTENT_DIGEST, empty, request};
use crate::kernel::Result;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION};
use http::request::Parts;
use http::{HeaderName, Method, StatusCode};
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
