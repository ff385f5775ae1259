//! Errors on the wire, in the shape of the OCI Distribution Specification, "Error Codes", and the challenge that tells a
//! client where to get a token.

use super::super::error::OUT_OF_ORDER;
use super::super::service::{Registry, SERVICE};
use crate::kernel::{Error, Kind};
use crate::platform::http::problem_response;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, HOST, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

/// The `WWW-Authenticate` header of a 401.
pub struct Challenge(Option<String>);

impl Challenge {
    pub fn none() -> Self {
        Self(None)
    }

    /// Asks for a token, for this scope where one is needed. Without a configured address the realm is the one that the
    /// client itself used.
    pub fn new(registry: &Registry, headers: &HeaderMap, scope: Option<&str>) -> Self {
        let base = match registry.public_url() {
            "" => {
                let host = headers.get(HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
                // Nothing of the client's may end the quoted string.
                format!("http://{}", host.replace(['"', '\\'], ""))
            }
            url => url.trim_end_matches('/').to_owned(),
        };
        let mut text = format!(r#"Bearer realm="{base}/v2/token",service="{SERVICE}""#);
        if let Some(scope) = scope {
            text = format!(r#"{text},scope="{scope}""#);
        }
        Self(Some(text))
    }

    /// The token holds but is not for this.
    pub fn insufficient(&self) -> Self {
        Self(self.0.as_ref().map(|text| format!(r#"{text},error="insufficient_scope""#)))
    }

    /// Asks for user name and password: at the token endpoint itself.
    pub fn basic() -> Self {
        Self(Some(format!(r#"Basic realm="{SERVICE}""#)))
    }
}

/// The answer to a request that failed.
pub fn refuse(error: &Error, challenge: &Challenge) -> Response {
    if error.kind() == Kind::Internal {
        // Logged there, and nothing of it shown.
        let mut response = problem_response(error);
        *response.body_mut() = body("UNKNOWN", "something went wrong on our side").into_body();
        response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().remove(http::header::CONTENT_LENGTH);
        return response;
    }
    tracing::debug!(?error, "refused");
    let status = status(error);
    let mut response = (status, body(code(error), error.message())).into_response();
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED
        && let Some(value) = challenge.0.as_ref().and_then(|c| HeaderValue::from_str(c).ok())
    {
        headers.insert(WWW_AUTHENTICATE, value);
    }
    if matches!(error.kind(), Kind::Limited | Kind::Unavailable) {
        headers.insert(RETRY_AFTER, error.retry_after().map_or(1, |d| d.as_secs().max(1)).into());
    }
    response
}

/// 405 with the methods that there are.
pub fn not_allowed(methods: &'static str) -> Response {
    let body = body("UNSUPPORTED", &format!("this takes {methods}"));
    let mut response = (StatusCode::METHOD_NOT_ALLOWED, body).into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

fn body(code: &str, message: &str) -> Response {
    axum::Json(json!({"errors": [{"code": code, "message": message}]})).into_response()
}

fn status(error: &Error) -> StatusCode {
    match (error.kind(), error.code()) {
        (_, OUT_OF_ORDER) => StatusCode::RANGE_NOT_SATISFIABLE,
        (Kind::Conflict, "UNSUPPORTED") => StatusCode::METHOD_NOT_ALLOWED,
        (Kind::Malformed | Kind::Invalid, _) => StatusCode::BAD_REQUEST,
        (Kind::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
        (Kind::Forbidden, _) => StatusCode::FORBIDDEN,
        (Kind::NotFound, _) => StatusCode::NOT_FOUND,
        (Kind::Conflict | Kind::Stale, _) => StatusCode::CONFLICT,
        (Kind::TooLarge, _) => StatusCode::PAYLOAD_TOO_LARGE,
        (Kind::UnsupportedMedia, _) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        (Kind::Limited, _) => StatusCode::TOO_MANY_REQUESTS,
        (Kind::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        (Kind::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Errors of other contexts have codes of their own; here they are named by their kind.
fn code(error: &Error) -> &str {
    let own = error.code().bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    match error.kind() {
        _ if own => error.code(),
        Kind::Unauthenticated => "UNAUTHORIZED",
        Kind::Forbidden => "DENIED",
        Kind::NotFound => "NAME_UNKNOWN",
        Kind::Limited => "TOOMANYREQUESTS",
        _ => "UNKNOWN",
    }
}
