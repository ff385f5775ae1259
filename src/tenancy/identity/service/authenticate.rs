//! From a credential to a caller.

use super::super::model::{API_KEY_START, ApiKey, UserStatus, split_api_key};
use super::super::principals::{Credential, KeyLimits, Principal};
use super::super::store::{api_keys, sessions, users};
use super::Identity;
use crate::kernel::ids::{ApiKeyId, SessionId, UserId};
use crate::kernel::secret::{constant_time_eq, fingerprint};
use crate::kernel::{Actor, Error, Result};
use crate::platform::db::PgConnection;
use crate::tenancy::access::{Caller, RequestInfo};
use crate::tenancy::projects;
use crate::tenancy::tenants::{self, Membership};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::SecretString;
use std::sync::Arc;

impl Identity {
    /// Who sends this request: an access token or an API key as `Authorization: Bearer`, the tenant in `X-Tenant-ID`.
    /// None without credentials; 401 when they do not hold; 403 while a password must be changed.
    pub async fn authenticate(&self, headers: &HeaderMap, request: RequestInfo) -> Result<Option<Caller>> {
        let Some(principal) = self.principal(headers).await? else { return Ok(None) };
        principal.require_own_password()?;
        let tenant = self.select(&principal, selector(headers)).await?;
        Ok(Some(principal.caller(tenant.as_ref(), request)))
    }

    /// Basic credentials, for registry clients: address and password, or anything with an API key as the password. The
    /// caller's tenant is the named one if the person may be in it, else none. Passwords are throttled like sign-in;
    /// what was found out is remembered for five seconds.
    pub async fn authenticate_basic(
        &self,
        username: &str,
        password: &str,
        tenant_slug: Option<&str>,
        request: RequestInfo,
    ) -> Result<Caller> {
        let principal = if password.starts_with(API_KEY_START) {
            self.api_key_principal(password).await?
        } else {
            let credential = self.users.principals.basic(username, password);
            let load = async || {
                let user = self.check_password(username, password.into(), request.ip).await?;
                self.load_user(user.id).await
            };
            self.users.principals.get(credential, load).await?
        };
        principal.require_own_password()?;
        let tenant = self.select(&principal, tenant_slug).await.ok().flatten();
        Ok(principal.caller(tenant.as_ref(), request))
    }

    /// The present rights of a user or an API key in a tenant, for tokens already issued to them. None when they have
    /// no place there any more.
    pub async fn caller_of(&self, actor: &Actor, tenant_slug: &str) -> Result<Option<Caller>> {
        let Some(principal) = self.principal_of(actor).await? else { return Ok(None) };
        match self.select(&principal, Some(tenant_slug)).await {
            Ok(tenant) => Ok(Some(principal.caller(tenant.as_ref(), RequestInfo::default()))),
            Err(e) if matches!(e.kind(), crate::kernel::Kind::NotFound | crate::kernel::Kind::Forbidden) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The present rights of a user or an API key in every active tenant that they belong to, for listings across them.
    pub async fn callers_of(&self, actor: &Actor) -> Result<Vec<Caller>> {
        let Some(principal) = self.principal_of(actor).await? else { return Ok(Vec::new()) };
        let active = principal.tenants.iter().filter(|t| t.status.is_active());
        Ok(active.map(|t| principal.caller(Some(t), RequestInfo::default())).collect())
    }

    /// Who stands behind a token that was issued before; none when they may not sign in any more.
    async fn principal_of(&self, actor: &Actor) -> Result<Option<Arc<Principal>>> {
        let loaded = match actor {
            Actor::User(id) => self.users.principals.get(Credential::User(*id), || self.load_user(*id)).await,
            Actor::ApiKey(id) => {
                self.users.principals.get(Credential::ApiKeyId(*id), || self.load_key_by_id(*id)).await
            }
            Actor::Robot(_) | Actor::Execution(_) | Actor::System(_) | Actor::Anonymous => return Ok(None),
        };
        match loaded {
            Ok(principal) => Ok(Some(principal).filter(|p| !p.must_change_password)),
            Err(e) if e.kind() == crate::kernel::Kind::Unauthenticated => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Who the `Authorization` header proves; none without one.
    pub(in super::super) async fn principal(&self, headers: &HeaderMap) -> Result<Option<Arc<Principal>>> {
        let Some(header) = headers.get(AUTHORIZATION) else { return Ok(None) };
        let token = header
            .to_str()
            .ok()
            .and_then(|h| h.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(|| {
                Error::unauthenticated("auth.scheme", "send Authorization: Bearer and a token or an API key")
            })?;
        if token.starts_with(API_KEY_START) {
            return self.api_key_principal(token).await.map(Some);
        }
        let claims = self.tokens.check(token)?;
        let load = || self.load_session(claims.sid);
        self.users.principals.get(Credential::Session(claims.sid), load).await.map(Some)
    }

    /// Who an access token proves that came as a cookie. Browsers send cookies by themselves, so what changes anything must
    /// carry the CSRF token of the session too.
    pub(in super::super) async fn cookie_principal(&self, token: &str, csrf: Option<&str>) -> Result<Arc<Principal>> {
        let claims = self.tokens.check(token)?;
        self.check_csrf(claims.sid, csrf)?;
        let load = || self.load_session(claims.sid);
        self.users.principals.get(Credential::Session(claims.sid), load).await
    }

    /// The tenant that a request selects: by slug or id, else the only one. 404 for one that the person may not see,
    /// 403 for one that is suspended.
    pub(in super::super) async fn select(
        &self,
        principal: &Principal,
        selector: Option<&str>,
    ) -> Result<Option<Membership>> {
        if let Some(limits) = &principal.limits {
            // A key works in its own tenant, whether or not the request names it.
            let own = principal.tenants.iter().find(|t| t.id == limits.tenant_id);
            let own = own.filter(|t| selector.is_none_or(|s| t.is(s))).ok_or_else(no_tenant)?;
            return usable(own.clone()).map(Some);
        }
        if let Some(tenant) = principal.membership(selector) {
            if principal.sees_every_tenant() {
                return Ok(Some(tenant.clone()));
            }
            return usable(tenant.clone()).map(Some);
        }
        let Some(selector) = selector else { return Ok(None) };
        if !principal.sees_every_tenant() {
            return Err(no_tenant());
        }
        let mut tx = self.db.system("select tenant").await?;
        tenants::resolve(&mut tx, selector).await?.map(Some).ok_or_else(no_tenant)
    }

    async fn load_session(&self, id: SessionId) -> Result<Principal> {
        let mut tx = self.db.system("authenticate session").await?;
        let user = sessions::live(&mut tx, id, self.clock.now())
            .await?
            .ok_or_else(|| Error::unauthenticated("auth.session_over", "the session is over: sign in again"))?;
        let mut principal = load_person(&mut tx, user, Actor::User(user)).await?;
        principal.session = Some(id);
        Ok(principal)
    }

    async fn load_user(&self, id: UserId) -> Result<Principal> {
        let mut tx = self.db.system("authenticate user").await?;
        load_person(&mut tx, id, Actor::User(id)).await
    }

    async fn api_key_principal(&self, key: &str) -> Result<Arc<Principal>> {
        self.users.principals.get(Credential::ApiKey(fingerprint(key)), || self.load_key(key)).await
    }

    async fn load_key(&self, key: &str) -> Result<Principal> {
        let (prefix, secret) = split_api_key(key).ok_or_else(bad_key)?;
        let mut tx = self.db.system("authenticate API key").await?;
        let (row, stored) = api_keys::by_prefix(&mut tx, prefix).await?.ok_or_else(bad_key)?;
        if !constant_time_eq(&fingerprint(secret), &stored) {
            return Err(bad_key());
        }
        let principal = self.key_principal(&mut tx, &row).await?;
        api_keys::touch(&mut tx, &row, self.clock.now()).await?;
        tx.commit().await?;
        Ok(principal)
    }

    async fn load_key_by_id(&self, id: ApiKeyId) -> Result<Principal> {
        let mut tx = self.db.system("authenticate API key").await?;
        let key = api_keys::by_id(&mut tx, id).await?.ok_or_else(bad_key)?;
        self.key_principal(&mut tx, &key).await
    }

    async fn key_principal(&self, tx: &mut PgConnection, key: &ApiKey) -> Result<Principal> {
        if key.revoked_at.is_some() || key.expires_at.is_some_and(|at| at <= self.clock.now()) {
            return Err(bad_key());
        }
        let mut principal = load_person(tx, key.user_id, Actor::ApiKey(key.id)).await?;
        // A key of a system administrator works in a tenant that its owner does not belong to.
        if principal.sees_every_tenant() && !principal.tenants.iter().any(|t| t.id == key.tenant_id) {
            principal.tenants.extend(tenants::resolve(tx, &key.tenant_id.to_string()).await?);
        }
        principal.tenants.retain(|t| t.id == key.tenant_id);
        if principal.tenants.is_empty() {
            return Err(bad_key());
        }
        principal.limits = Some(KeyLimits {
            tenant_id: key.tenant_id,
            scopes: key.scopes.iter().copied().collect(),
            project_id: key.project_id,
        });
        Ok(principal)
    }

    /// The active user of an address and password, after throttling. Unknown users cost the same time.
    pub(super) async fn check_password(
        &self,
        email: &str,
        password: SecretString,
        ip: Option<std::net::IpAddr>,
    ) -> Result<super::super::model::User> {
        let email = super::super::model::fold_email(email);
        let attempt = self.count_attempt(&email, ip).await?;
        let mut tx = self.db.system("sign in").await?;
        let record = users::by_email(&mut tx, &email).await?;
        drop(tx);
        let hash = record.as_ref().map(|r| r.password_hash.clone());
        let right = self.users.passwords.verify(password, hash).await?;
        match record {
            Some(r) if right && r.user.status == UserStatus::Active => {
                self.attempt_succeeded(&attempt).await?;
                Ok(r.user)
            }
            _ => {
                metrics::counter!("image_factory_login_failures_total").increment(1);
                Err(Error::unauthenticated("auth.wrong_password", "the address or the password is wrong"))
            }
        }
    }
}

/// An active person with all rights.
async fn load_person(tx: &mut PgConnection, id: UserId, actor: Actor) -> Result<Principal> {
    let user = users::by_id(tx, id).await?.map(|r| r.user).filter(|u| u.status == UserStatus::Active);
    let user = user.ok_or_else(|| Error::unauthenticated("auth.user_disabled", "the user may not sign in"))?;
    Ok(Principal {
        actor,
        user_id: id,
        session: None,
        system_roles: user.system_roles,
        must_change_password: user.must_change_password,
        tenants: tenants::memberships(tx, id).await?,
        projects: projects::grants(tx, id).await?,
        limits: None,
    })
}

/// The tenant that the header names.
pub(in super::super) fn selector(headers: &HeaderMap) -> Option<&str> {
    // A header that is not text names no tenant that exists.
    headers.get("x-tenant-id").map(|v| v.to_str().unwrap_or("\u{fffd}").trim())
}

fn usable(tenant: Membership) -> Result<Membership> {
    use crate::tenancy::tenants::TenantStatus as S;
    match tenant.status {
        S::Active => Ok(tenant),
        S::Suspended => {
            Err(Error::forbidden("tenant.suspended", "the tenant is suspended; ask a system administrator"))
        }
        S::Archived => Err(no_tenant()),
    }
}

fn no_tenant() -> Error {
    Error::not_found("tenant")
}

fn bad_key() -> Error {
    Error::unauthenticated("auth.invalid_key", "the API key is not valid, has expired or was revoked")
}
