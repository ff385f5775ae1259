//! The middleware of every API request: who asks, in which tenant, and not too often.

use super::super::principals::Principal;
use super::super::service::Identity;
use super::super::service::selector;
use crate::kernel::{Error, Result};
use crate::platform::http::rate_limit::RateLimits;
use crate::platform::http::{peer, request_id};
use crate::platform::tasks::Tasks;
use crate::tenancy::access::RequestInfo;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::USER_AGENT;
use std::sync::Arc;
use std::time::Duration;

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
        let limits = RateLimits::per_second(requests_per_second);
        let idle = limits.clone();
        tasks.spawn_until_stopped("forget idle rate limits", async move {
            loop {
                tokio::time::sleep(Duration::from_secs(60)).await;
                idle.forget_idle();
            }
        });
        Self { identity, limits }
    }
}

/// Puts the `Caller` (where there is one) and the `RequestInfo` into the request. Runs inside the API's prefix.
pub async fn middleware(State(gate): State<Gate>, mut request: Request, next: Next) -> Result<Response> {
    let info = request_info(&request);
    let address = format!("address:{}", info.ip.map(|ip| ip.to_canonical().to_string()).unwrap_or_default());
    let path = request.uri().path();
    // Signing in works beside a token that has expired.
    let principal = if path.starts_with("/auth/") { None } else { gate.identity.principal(request.headers()).await? };
    let Some(principal) = principal else {
        gate.limits.check(&address, None)?;
        request.extensions_mut().insert(info);
        return Ok(next.run(request).await);
    };
    if !about_oneself(path) {
        principal.require_own_password()?;
    }
    let in_path = tenant_in_path(path);
    let in_header = selector(request.headers());
    let tenant = gate.identity.select(&principal, in_path.or(in_header)).await?;
    if let (Some(tenant), Some(header)) = (&tenant, in_header)
        && !tenant.is(header)
    {
        return Err(Error::not_found("tenant"));
    }
    match &tenant {
        Some(t) => {
            gate.limits.check(&format!("tenant:{}", t.id), t.requests_per_second.and_then(|n| u32::try_from(n).ok()))?;
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
