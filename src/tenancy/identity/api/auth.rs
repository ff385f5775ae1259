//! Signing in, refreshing, signing out.

use super::super::model::User;
use super::super::service::{Credentials, Identity, SignIn};
use super::cookies::csrf;
use crate::kernel::{Error, Result};
use crate::platform::http::{Json, Refusals};
use crate::tenancy::access::RequestInfo;
use axum::Extension;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginRequest {
    /// Any case.
    #[schema(min_length = 3, max_length = 254)]
    email: String,
    #[schema(value_type = String, format = Password, min_length = 1, max_length = 128)]
    password: SecretString,
    /// Programs get the tokens in the answer; browsers, by default, in HttpOnly cookies.
    #[serde(default)]
    tokens_in_body: bool,
}

/// A session, new or refreshed.
#[derive(Serialize, Deserialize, ToSchema)]
pub(super) struct SessionAnswer {
    /// Send it as `Authorization: Bearer`; only when it was asked for in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// Seconds until the access token expires.
    expires_in_seconds: u32,
    /// Good for one refresh; only when it was asked for in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// Send it as `X-CSRF-Token` with the cookies; only when the tokens went there. Also in a readable cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    /// The person. While `must_change_password` is true, nothing but changing it is allowed.
    user: User,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshRequest {
    /// Left out when the refresh cookie is sent.
    #[schema(value_type = Option<String>, format = Password, min_length = 1, max_length = 128)]
    refresh_token: Option<SecretString>,
}

/// Sign in with address and password.
#[utoipa::path(
    post, path = "/auth/login", tag = "auth", operation_id = "login",
    request_body = LoginRequest,
    responses((status = 200, body = SessionAnswer), Refusals),
    extensions(("x-access" = json!("public"))),
)]
pub(super) async fn login(
    State(identity): State<Identity>,
    Extension(info): Extension<RequestInfo>,
    Json(body): Json<LoginRequest>,
) -> Result<(HeaderMap, axum::Json<SessionAnswer>)> {
    let credentials = Credentials { email: body.email, password: body.password };
    let signed_in = identity.sign_in(credentials, info).await?;
    Ok(answer(&identity, signed_in, !body.tokens_in_body))
}

/// Exchange the refresh token for a new one and an access token. Using one twice ends the session.
#[utoipa::path(
    post, path = "/auth/refresh", tag = "auth", operation_id = "refresh_session",
    request_body = RefreshRequest,
    params(("X-CSRF-Token" = Option<String>, Header, description = "Required with the refresh cookie")),
    responses((status = 200, body = SessionAnswer), Refusals),
    extensions(("x-access" = json!("public"))),
)]
pub(super) async fn refresh_session(
    State(identity): State<Identity>,
    Extension(info): Extension<RequestInfo>,
    headers: HeaderMap,
    Json(body): Json<RefreshRequest>,
) -> Result<(HeaderMap, axum::Json<SessionAnswer>)> {
    let (token, cookie) = token(&identity, &headers, body.refresh_token)
        .ok_or_else(|| Error::unauthenticated("auth.no_refresh_token", "send the refresh token or its cookie"))?;
    let csrf = cookie.then(|| csrf(&headers));
    let signed_in = identity.refresh(token.expose_secret(), csrf, info).await?;
    Ok(answer(&identity, signed_in, cookie))
}

/// End the session: of the refresh token or its cookie, else of the access token.
#[utoipa::path(
    post, path = "/auth/logout", tag = "auth", operation_id = "logout",
    request_body = RefreshRequest,
    params(("X-CSRF-Token" = Option<String>, Header, description = "Required with the refresh cookie")),
    responses((status = 204, description = "The session is over"), Refusals),
    extensions(("x-access" = json!("public"))),
)]
pub(super) async fn logout(
    State(identity): State<Identity>,
    headers: HeaderMap,
    Json(body): Json<RefreshRequest>,
) -> Result<(StatusCode, HeaderMap)> {
    if let Some((token, cookie)) = token(&identity, &headers, body.refresh_token) {
        identity.sign_out(token.expose_secret(), cookie.then(|| csrf(&headers))).await?;
    } else if let Some(session) = identity.principal(&headers).await?.and_then(|p| p.session) {
        identity.end_session(session).await?;
    }
    Ok((StatusCode::NO_CONTENT, identity.cookies().clear()))
}

/// The refresh token, and whether it came as a cookie.
fn token(identity: &Identity, headers: &HeaderMap, in_body: Option<SecretString>) -> Option<(SecretString, bool)> {
    match in_body {
        Some(token) => Some((token, false)),
        None => identity.cookies().refresh_token(headers).map(|t| (t.into(), true)),
    }
}

fn answer(identity: &Identity, signed_in: SignIn, cookie: bool) -> (HeaderMap, axum::Json<SessionAnswer>) {
    let headers = if cookie { identity.cookies().set(&signed_in) } else { HeaderMap::new() };
    let answer = SessionAnswer {
        access_token: (!cookie).then_some(signed_in.access_token),
        expires_in_seconds: signed_in.expires_in_seconds,
        refresh_token: (!cookie).then(|| signed_in.refresh_token.expose_secret().to_owned()),
        csrf_token: cookie.then_some(signed_in.csrf_token),
        user: signed_in.user,
    };
    (headers, axum::Json(answer))
}
