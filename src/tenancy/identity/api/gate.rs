//! The middleware of every API request: who asks, in which tenant, and not too often.

use super::super::principals::Principal;
use super::super::service::Identity;
use super::super::service::selector;
use super::cookies::csrf;
use crate::kernel::{Error, Result};
use crate::platform::http::rate_limit::RateLimits;
use crate::platform::http::{peer, request_id};
use crate::platform::tasks::Tasks;
use crate::tenancy::access::RequestInfo;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{HOST, ORIGIN, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri};
use std::sync::Arc;

/// Longest `User-Agent` kept.
const MAX_USER_AGENT: usize = 256;

/// What the middleware needs.
#[derive(Clone)]
pub struct Gate {
    identity: Identity,
    limits: RateLimits,
}

impl Gate {
    /// Tenants without a limit of their own get `requests_per_second`, as does each address that has not signed in.
    pub fn new(identity: Identity, requests_per_second: u32, tasks: &Tasks) -> Self {
        Self { identity, limits: RateLimits::per_second(requests_per_second).forgetful(tasks) }
    }
}

/// Puts the `Caller` (where there is one) and the `RequestInfo` into the request. Runs inside the API's prefix.
pub async fn middleware(State(gate): State<Gate>, mut request: Request, next: Next) -> Result<Response> {
    let info = request_info(&request);
    let address = format!("address:{}", info.ip.map(|ip| ip.to_canonical().to_string()).unwrap_or_default());
    let in_query = take_tenant_of_query(&mut request);
    let path = request.uri().path();
    // Signing in works beside a token that has expired.
    let principal = if path.starts_with("/auth/") {
        None
    } else {
        principal(&gate.identity, request.headers(), request.method(), request.uri()).await?
    };
    let Some(principal) = principal else {
        gate.limits.check(&address, None)?;
        request.extensions_mut().insert(info);
        return Ok(next.run(request).await);
    };
    if !about_oneself(path) {
        principal.require_own_password()?;
    }
    let in_path = tenant_in_path(path);
    let named = selector(request.headers()).or(in_query.as_deref());
    let tenant = gate.identity.select(&principal, in_path.or(named)).await?;
    if let (Some(tenant), Some(named)) = (&tenant, named)
        && !tenant.is(named)
    {
        return Err(Error::not_found("tenant"));
    }
    match &tenant {
        Some(t) => {
            gate.limits
                .check(&format!("tenant:{}", t.id), t.requests_per_second.and_then(|n| u32::try_from(n).ok()))?;
        }
        None => gate.limits.check(&format!("user:{}", principal.user_id), None)?,
    }
    let caller = principal.caller(tenant.as_ref(), info.clone());
    let extensions = request.extensions_mut();
    extensions.insert(info);
    extensions.insert(caller);
    extensions.insert::<Arc<Principal>>(principal);
    Ok(next.run(request).await)
}

/// Who asks: by the `Authorization` header, else by the cookie that a browser got when it signed in here.
async fn principal(
    identity: &Identity,
    headers: &HeaderMap,
    method: &Method,
    uri: &Uri,
) -> Result<Option<Arc<Principal>>> {
    if let Some(principal) = identity.principal(headers).await? {
        return Ok(Some(principal));
    }
    let Some(token) = identity.cookies().access_token(headers).filter(|_| own_page(identity, headers, uri)) else {
        return Ok(None);
    };
    let csrf = (!method.is_safe()).then(|| csrf(headers));
    identity.cookie_principal(&token, csrf).await.map(Some)
}

/// Whether the request comes from a page of this server. Browsers name the page's origin where another site's page could
/// read the answer (WebSocket: RFC 6455 section 10.2).
fn own_page(identity: &Identity, headers: &HeaderMap, uri: &Uri) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = headers.get(HOST).map(HeaderValue::as_bytes);
    let host = host.or(uri.authority().map(|a| a.as_str().as_bytes())).unwrap_or_default();
    let authority = |url: &[u8]| url.split(|b| *b == b'/').nth(2).map(<[u8]>::to_vec);
    let origin = authority(origin.as_bytes());
    origin.as_deref() == Some(host) || origin.is_some() && origin == authority(identity.public_url.as_bytes())
}

/// The tenant that the query names (`?tenant=`), for browsers' links and streams, which cannot bear headers. Taken out of
/// the address, so that routes need not know of it.
fn take_tenant_of_query(request: &mut Request) -> Option<String> {
    let query = request.uri().query()?;
    let (own, rest): (Vec<_>, Vec<_>) = query.split('&').partition(|p| p.starts_with("tenant="));
    let tenant = own.first()?.strip_prefix("tenant=").map(str::to_owned);
    let address = format!("{}?{}", request.uri().path(), rest.join("&"));
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(address).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    tenant
}

/// What somebody may do whose password must be changed.
fn about_oneself(path: &str) -> bool {
    path == "/me" || path.starts_with("/me/")
}

/// Paths below `/tenants/{id}` select that tenant.
fn tenant_in_path(path: &str) -> Option<&str> {
    path.strip_prefix("/tenants/")?.split('/').next().filter(|s| !s.is_empty())
}

fn request_info(request: &Request) -> RequestInfo {
    let user_agent = request.headers().get(USER_AGENT).and_then(|v| v.to_str().ok());
    RequestInfo {
        ip: peer(request.extensions()).map(|a| a.ip()),
        user_agent: user_agent.map(|s| s.chars().take(MAX_USER_AGENT).collect()),
        request_id: request_id::current(),
    }
}
