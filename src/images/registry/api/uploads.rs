//! `/v2/<name>/blobs/uploads/`.

use super::super::access::Access;
use super::super::error::{self, OUT_OF_ORDER};
use super::super::model::{RepositoryName, content_range};
use super::super::service::{Registry, UploadStatus};
use super::refusal::{Challenge, not_allowed, refuse};
use super::route::upload_id;
use super::{CONTENT_DIGEST, empty, request};
use crate::kernel::ids::UploadId;
use crate::kernel::{Digest, Result};
use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_RANGE, LOCATION, RANGE};
use http::request::Parts;
use http::{HeaderName, Method, StatusCode};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

#[derive(Default, Deserialize)]
struct Query {
    digest: Option<String>,
    mount: Option<String>,
    from: Option<String>,
}

pub async fn start(
    registry: &Registry,
    access: &Arc<Access>,
    name: &RepositoryName,
    parts: &Parts,
    body: Body,
) -> Result<Response> {
    if parts.method != Method::POST {
        return Ok(not_allowed("POST"));
    }
    let query = query(parts);
    if let Some(digest) = &query.digest {
        let digest = error::digest(digest)?;
        let body = request::body(body, request::content_length(&parts.headers), idle(registry));
        registry.push_blob(access, name, digest, body).await?;
        return created(name, &digest);
    }
    if let Some(mount) = &query.mount {
        let digest = error::digest(mount)?;
        let mounted = match query.from.as_deref().map(str::parse) {
            None => registry.mount_from_anywhere(access, name, &digest).await?,
            Some(Ok(from)) => registry.mount(access, name, &digest, &from).await?,
            // A source that cannot exist is one that the caller may not read.
            Some(Err(_)) => false,
        };
        if mounted {
            return created(name, &digest);
        }
    }
    let id = registry.start_upload(access, name).await?;
    accepted(StatusCode::ACCEPTED, name, UploadStatus { id, received_bytes: 0 })
}

pub async fn handle(
    registry: &Registry,
    access: &Arc<Access>,
    name: &RepositoryName,
    id: &str,
    parts: &Parts,
    body: Body,
) -> Result<Response> {
    let id: UploadId = upload_id(id)?;
    let answer = answer(registry, access, name, id, parts, body).await;
    match answer {
        // The client learns from it where to go on.
        Err(error) if error.code() == OUT_OF_ORDER => {
            let status = registry.upload_status(access, name, id).await?;
            let mut response = refuse(&error, &Challenge::none());
            response.headers_mut().extend(accepted(StatusCode::ACCEPTED, name, status)?.headers().clone());
            Ok(response)
        }
        answer => answer,
    }
}

async fn answer(
    registry: &Registry,
    access: &Arc<Access>,
    name: &RepositoryName,
    id: UploadId,
    parts: &Parts,
    body: Body,
) -> Result<Response> {
    match parts.method {
        Method::GET | Method::HEAD => {
            let status = registry.upload_status(access, name, id).await?;
            accepted(StatusCode::NO_CONTENT, name, status)
        }
        Method::PATCH => {
            let at = begins_at(parts)?;
            let body = request::body(body, request::content_length(&parts.headers), idle(registry));
            let status = registry.append_upload(access, name, id, at, body).await?;
            accepted(StatusCode::ACCEPTED, name, status)
        }
        Method::PUT => {
            let at = begins_at(parts)?;
            let digest = error::digest(query(parts).digest.as_deref().unwrap_or_default())?;
            let body = request::body(body, request::content_length(&parts.headers), idle(registry));
            registry.finish_upload(access, name, id, at, digest, body).await?;
            created(name, &digest)
        }
        Method::DELETE => {
            registry.cancel_upload(access, name, id).await?;
            empty(StatusCode::NO_CONTENT, &[])
        }
        _ => Ok(not_allowed("GET, HEAD, PATCH, PUT, DELETE")),
    }
}

/// Where the chunk begins, if it says so; its announced length must be that of its range.
fn begins_at(parts: &Parts) -> Result<Option<u64>> {
    let Some(header) = parts.headers.get(CONTENT_RANGE) else { return Ok(None) };
    let (start, length) = content_range(header.to_str().unwrap_or_default())?;
    match request::content_length(&parts.headers) {
        // A last PUT may repeat the range of a chunk that it does not carry.
        Some(0) => Ok(None),
        Some(announced) if announced != length => {
            Err(error::size_invalid(format!("Content-Range spans {length} bytes, Content-Length says {announced}")))
        }
        _ => Ok(Some(start)),
    }
}

fn query(parts: &Parts) -> Query {
    serde_urlencoded::from_str(parts.uri.query().unwrap_or_default()).unwrap_or_default()
}

fn idle(registry: &Registry) -> Duration {
    Duration::from_secs(registry.config().idle_timeout_seconds)
}

fn accepted(status: StatusCode, name: &RepositoryName, upload: UploadStatus) -> Result<Response> {
    let headers = [
        (LOCATION, format!("/v2/{name}/blobs/uploads/{}", upload.id)),
        (RANGE, format!("0-{}", upload.received_bytes.saturating_sub(1))),
        (UPLOAD_ID, upload.id.to_string()),
    ];
    empty(status, &headers)
}

fn created(name: &RepositoryName, digest: &Digest) -> Result<Response> {
    let headers = [(LOCATION, format!("/v2/{name}/blobs/{digest}")), (CONTENT_DIGEST, digest.to_string())];
    empty(StatusCode::CREATED, &headers)
}
