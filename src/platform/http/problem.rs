//! Errors on the wire: `application/problem+json` (RFC 9457).

use crate::kernel::{Error, Fault, Kind};
use crate::platform::http::request_id;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::{self, ContentBuilder, RefOr};

/// The body of every error of the API.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:image-factory:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable and machine-readable, such as `build.not_cancellable`.
    pub code: String,
    /// What happened and what to do.
    pub detail: String,
    /// The request id; the service's log has more under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Every fault of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
}

/// The refusals that any operation may answer with, for the OpenAPI document; name 409 and 412 where they can happen.
pub struct Refusals;

impl utoipa::IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
        let content = ContentBuilder::new().schema(Some(openapi::Ref::from_schema_name("Problem"))).build();
        [
            ("400", "The request is not well formed"),
            ("401", "Nobody has proved who they are"),
            ("403", "The caller lacks the permission"),
            ("404", "It is not there, or the caller may not see it"),
            ("413", "The body is too large"),
            ("415", "The body has the wrong media type"),
            ("422", "The request has faults; all are listed"),
            ("429", "Too many requests"),
            ("503", "A part that is needed does not answer"),
        ]
        .into_iter()
        .map(|(status, description)| {
            let response = openapi::ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", content.clone())
                .build();
            (status.to_owned(), response.into())
        })
        .collect()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        problem_response(&self)
    }
}

/// Turns an error into its response; logs the chain of what only the operator may know.
pub fn problem_response(error: &Error) -> Response {
    let status = match error.kind() {
        Kind::Malformed => StatusCode::BAD_REQUEST,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Stale => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Limited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let detail = match error.kind() {
        Kind::Internal => {
            tracing::error!(?error, "internal error");
            "something went wrong on our side; the operator finds the cause under the trace id".to_owned()
        }
        Kind::Unavailable => {
            tracing::warn!(?error, "unavailable");
            error.message().to_owned()
        }
        _ => {
            tracing::debug!(?error, "refused");
            error.message().to_owned()
        }
    };
    let body = Problem {
        kind: format!("urn:image-factory:problem:{}", error.code()),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        code: error.code().to_owned(),
        detail,
        trace_id: request_id::current(),
        errors: error.fault_list().to_vec(),
    };
    let mut response = (status, axum::Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    let retry_after = error.retry_after().map(|d| d.as_secs().max(1)).or(match error.kind() {
        Kind::Limited | Kind::Unavailable => Some(1),
        _ => None,
    });
    if let Some(seconds) = retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
