//! `/v2/token`: tokens by query (Docker Registry v2 token specification) and by form (its OAuth 2 variant).

use super::super::model::Scope;
use super::super::service::{Credentials, Registry};
use super::refusal::{Challenge, refuse};
use super::{request, request_info};
use crate::kernel::{Error, Kind, Result};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;
use std::time::Duration;

const MAX_FORM: usize = 64 * 1024;

pub async fn by_query(State(registry): State<Registry>, parts: Parts) -> Response {
    let answer = async {
        let pairs = pairs(parts.uri.query().unwrap_or_default().as_bytes())?;
        let credentials = parts.headers.get(AUTHORIZATION).map(request::basic).transpose()?;
        issue(&registry, credentials, &pairs, &parts).await
    };
    answered(answer.await)
}

pub async fn by_form(State(registry): State<Registry>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = async {
        let idle = Duration::from_secs(registry.config().idle_timeout_seconds);
        let body = request::body(body, request::content_length(&parts.headers), idle);
        let form = request::bytes(body, MAX_FORM).await?;
        let form = form.ok_or_else(|| Error::too_large("UNKNOWN", "the form is too long"))?;
        let pairs = pairs(&form)?;
        let field = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default();
        let credentials = match field("grant_type") {
            "password" => Credentials { username: field("username").to_owned(), password: field("password").into() },
            // What a client keeps instead of a password: an API key.
            "refresh_token" => {
                Credentials { username: field("username").to_owned(), password: field("refresh_token").into() }
            }
            other => {
                let message = format!("grant_type is password or refresh_token, not {other:?}");
                return Err(Error::new(Kind::Malformed, "UNSUPPORTED_GRANT", message));
            }
        };
        issue(&registry, Some(credentials), &pairs, &parts).await
    };
    answered(answer.await)
}

async fn issue(
    registry: &Registry,
    credentials: Option<Credentials>,
    pairs: &[(String, String)],
    parts: &Parts,
) -> Result<Response> {
    // Several scopes come parted by spaces, or as parameters of the same name.
    let scopes: Vec<&str> = pairs.iter().filter(|(name, _)| name == "scope").map(|(_, v)| v.as_str()).collect();
    let scopes = Scope::parse_all(&scopes.join(" "));
    let access = registry.sign_in(credentials.as_ref(), scopes, request_info(parts)).await?;
    Ok(axum::Json(registry.issue(&access)?).into_response())
}

fn pairs(encoded: &[u8]) -> Result<Vec<(String, String)>> {
    serde_urlencoded::from_bytes(encoded)
        .map_err(|e| Error::new(Kind::Malformed, "UNKNOWN", format!("the parameters do not parse: {e}")))
}

fn answered(answer: Result<Response>) -> Response {
    let response = answer.unwrap_or_else(|error| refuse(&error, &Challenge::basic()));
    metrics::counter!("image_factory_registry_requests_total",
        "route" => "token", "method" => "-", "status" => response.status().as_str().to_owned())
    .increment(1);
    response
}
