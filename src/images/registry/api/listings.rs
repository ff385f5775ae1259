//! `/v2/_catalog` and `/v2/<name>/tags/list`: names in the order of their bytes, in pages.

use super::super::access::Access;
use super::super::model::RepositoryName;
use super::super::service::{NamePage, Registry};
use super::refusal::not_allowed;
use super::request;
use crate::kernel::{Error, Kind, Result};
use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::LINK;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Which part of a listing.
#[derive(Deserialize, Serialize)]
struct Window {
    n: Option<i64>,
    last: Option<String>,
}

pub async fn repositories(registry: &Registry, access: &Access, parts: &Parts) -> Result<Response> {
    if !is_read(parts) {
        return Ok(not_allowed("GET, HEAD"));
    }
    let (limit, last) = window(parts)?;
    let page = registry.repositories(access, &last, limit).await?;
    answer(&page, json!({"repositories": page.names}), "/v2/_catalog", limit)
}

pub async fn tags(registry: &Registry, access: &Access, name: &RepositoryName, parts: &Parts) -> Result<Response> {
    if !is_read(parts) {
        return Ok(not_allowed("GET, HEAD"));
    }
    let (limit, last) = window(parts)?;
    let page = registry.tags(access, name, &last, limit).await?;
    answer(&page, json!({"name": name.as_str(), "tags": page.names}), &format!("/v2/{name}/tags/list"), limit)
}

pub fn is_read(parts: &Parts) -> bool {
    matches!(parts.method, Method::GET | Method::HEAD)
}

fn window(parts: &Parts) -> Result<(i64, String)> {
    let window: Window = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
        .ok()
        .filter(|w: &Window| w.n.is_none_or(|n| n >= 0))
        .ok_or_else(|| Error::new(Kind::Malformed, "PAGINATION_NUMBER_INVALID", "n is a number of names"))?;
    Ok((window.n.unwrap_or(Registry::MAX_NAMES).min(Registry::MAX_NAMES), window.last.unwrap_or_default()))
}

fn answer(page: &NamePage, body: Value, path: &str, limit: i64) -> Result<Response> {
    let mut response = axum::Json(body).into_response();
    if let Some(last) = page.names.last().filter(|_| page.more) {
        link_next(&mut response, path, &Window { n: Some(limit), last: Some(last.clone()) })?;
    }
    Ok(response)
}

/// Says where the list goes on (RFC 8288).
pub fn link_next(response: &mut Response, path: &str, query: &impl Serialize) -> Result<()> {
    let query = serde_urlencoded::to_string(query)
        .map_err(|e| Error::internal("a link could not be written").with_source(e))?;
    response.headers_mut().insert(LINK, request::header_value(&format!("<{path}?{query}>; rel=\"next\""))?);
    Ok(())
}
