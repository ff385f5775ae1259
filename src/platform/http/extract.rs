//! Extractors that answer with problem+json and name every fault.

use super::schema::validate_json;
use crate::kernel::{Error, Fault, PageRequest, Result};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// A JSON body, held against the schema of its type.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + ToSchema + 'static> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let json =
            request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| {
                v.split(';').next().is_some_and(|t| t.trim().eq_ignore_ascii_case("application/json"))
            });
        if !json {
            return Err(Error::unsupported_media("request.media_type", "send Content-Type: application/json"));
        }
        // Bounded by the DefaultBodyLimit of the route.
        let body = bytes::Bytes::from_request(request, state).await.map_err(|e| {
            if e.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
                Error::too_large("request.too_large", "the body is larger than this route takes")
            } else {
                Error::malformed("request.body", "the body could not be read").with_source(e)
            }
        })?;
        let value: serde_json::Value = serde_json::from_slice(&body)
            .map_err(|e| Error::malformed("request.json", format!("the body is not JSON: {e}")))?;
        // PostgreSQL's text cannot hold it, and nothing that we name has one.
        if body.windows(6).any(|w| w == b"\\u0000") {
            let fault = Fault::new("", "wrong_format", "text may not contain the character U+0000");
            return Err(Error::faults(vec![fault]));
        }
        let faults = validate_json::<T>(&value, "")?;
        if !faults.is_empty() {
            return Err(Error::faults(faults));
        }
        serde_json::from_value(value)
            .map(Self)
            .map_err(|e| Error::faults(vec![Fault::new("", "invalid", e.to_string())]))
    }
}

/// For `#[serde(deserialize_with)]` of a field that may be left out, null or a value.
pub fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Middleware: refuses addresses with a NUL, which PostgreSQL's text cannot hold and nothing that we name has.
pub async fn refuse_nul(request: Request, next: Next) -> Result<Response> {
    if request.uri().path_and_query().is_some_and(|p| p.as_str().contains("%00")) {
        return Err(Error::malformed("request.nul", "the address may not contain the character U+0000"));
    }
    Ok(next.run(request).await)
}

/// Path parameters; one that does not parse is a thing that does not exist.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(v)| Self(v))
            .map_err(|_| Error::not_found("resource"))
    }
}

/// Query parameters with paging. `T` has the filters and must refuse unknown fields; use [`NoQuery`] for none.
#[derive(Debug)]
pub struct Query<T>(pub T, pub PageRequest);

/// No query parameters but those of paging.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoQuery {}

/// The paging parameters that every list takes, for the OpenAPI document.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents what Query reads")]
pub struct PageParams {
    /// Most items of the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let raw = parts.uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(raw)
            .map_err(|e| Error::malformed("request.query", format!("the query does not parse: {e}")))?;
        let mut page = PageRequest { limit: PageRequest::DEFAULT, cursor: None };
        let mut faults = Vec::new();
        let mut rest = Vec::new();
        for (name, value) in pairs {
            match name.as_str() {
                "limit" => match value.parse() {
                    Ok(n @ 1..=PageRequest::MAX) => page.limit = n,
                    _ => faults.push(Fault::new("?limit", "out_of_range", "limit is a number from 1 to 200")),
                },
                "cursor" => page.cursor = Some(value),
                _ => rest.push((name, value)),
            }
        }
        let encoded = serde_urlencoded::to_string(&rest).unwrap_or_default();
        match serde_urlencoded::from_str::<T>(&encoded) {
            Ok(filters) if faults.is_empty() => Ok(Self(filters, page)),
            Ok(_) => Err(Error::faults(faults)),
            Err(e) => {
                faults.push(Fault::new("?", "invalid", e.to_string()));
                Err(Error::faults(faults))
            }
        }
    }
}
