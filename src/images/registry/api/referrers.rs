//! `/v2/<name>/referrers/<digest>`.

use super::super::access::Access;
use super::super::error;
use super::super::model::{OCI_INDEX, RepositoryName};
use super::super::service::Registry;
use super::listings::{is_read, link_next};
use super::refusal::not_allowed;
use crate::kernel::{Digest, Error, Kind, Result};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::json;

const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    artifact_type: Option<String>,
    /// The last digest of the page before.
    last: Option<Digest>,
}

pub async fn list(
    registry: &Registry,
    access: &Access,
    name: &RepositoryName,
    digest: &str,
    parts: &Parts,
) -> Result<Response> {
    if !is_read(parts) {
        return Ok(not_allowed("GET, HEAD"));
    }
    let subject = error::digest(digest)?;
    let query: Query = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
        .map_err(|e| Error::new(Kind::Malformed, "UNSUPPORTED", "last is a digest").with_source(e))?;
    let artifact_type = query.artifact_type.filter(|t| !t.is_empty());
    let page = registry.referrers(access, name, &subject, artifact_type.as_deref(), query.last.as_ref()).await?;
    let body = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": page.referrers});
    let mut response = axum::Json(body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OCI_INDEX));
    if artifact_type.is_some() {
        response.headers_mut().insert(FILTERS, HeaderValue::from_static("artifactType"));
    }
    if let Some(last) = page.referrers.last().filter(|_| page.more) {
        let next = Query { artifact_type, last: Some(last.digest) };
        link_next(&mut response, &format!("/v2/{name}/referrers/{subject}"), &next)?;
    }
    Ok(response)
}
