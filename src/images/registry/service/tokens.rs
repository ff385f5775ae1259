//! Who asks, and tokens for it: short-lived JWTs (RFC 7519) that carry the rights on repositories, decided when they are
//! made (Docker Registry v2 token specification).

use super::Registry;
use crate::images::registry::access::{Access, Grant, Lease, Place};
use crate::images::registry::error;
use crate::images::registry::gates::Robot;
use crate::images::registry::model::{Action, Actions, RepositoryName, Scope};
use crate::kernel::ids::{ProjectId, TenantId};
use crate::kernel::secret::Keyring;
use crate::kernel::{Actor, Clock, Error, Kind, Result};
use crate::tenancy::access::{Caller, Permission, RequestInfo};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The `service` of tokens and challenges.
pub const SERVICE: &str = "image-factory";

/// User name and password as a client sent them.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// An address, a robot's name, or anything beside an API key.
    pub username: String,
    /// The password, a robot's token or an API key.
    pub password: SecretString,
}

/// A token as it is handed out.
#[derive(Debug, Serialize)]
pub struct IssuedToken {
    /// The token.
    pub token: String,
    /// The same, under the name that OAuth 2 gives it.
    pub access_token: String,
    /// Seconds for which it is good.
    pub expires_in: u32,
    /// When it was made.
    pub issued_at: DateTime<Utc>,
}

impl Registry {
    /// Rights of these credentials on these repositories; nobody's without credentials. 401 when they do not hold.
    pub async fn sign_in(
        &self,
        credentials: Option<&Credentials>,
        scopes: Vec<Scope>,
        request: RequestInfo,
    ) -> Result<Access> {
        let Some(credentials) = credentials else {
            return Ok(Access { grants: scopes.into_iter().map(refused).collect(), ..Access::anonymous() });
        };
        let (username, password) = (credentials.username.as_str(), credentials.password.expose_secret());
        if let Some(robot) = self.parts.robots.robot(username, password).await? {
            return self.robot_access(robot, scopes).await;
        }
        let tenant = scopes.first().map(|s| s.name.tenant());
        let caller = Box::pin(self.parts.identity.authenticate_basic(username, password, tenant, request)).await;
        let caller = caller.map_err(|e| if e.kind() == Kind::Unauthenticated { wrong_credentials(e) } else { e })?;
        let mut grants = Vec::with_capacity(scopes.len());
        for scope in scopes {
            grants.push(self.grant(&caller, scope).await?);
        }
        Ok(Access { actor: caller.actor, lease: None, grants })
    }

    /// A token that carries these rights.
    pub fn issue(&self, access: &Access) -> Result<IssuedToken> {
        self.tokens.issue(access)
    }

    /// The rights that a token carries. 401 when it is not one of ours or has expired.
    pub fn verify_token(&self, token: &str) -> Result<Access> {
        self.tokens.verify(token)
    }

    async fn grant(&self, caller: &Caller, asked: Scope) -> Result<Grant> {
        let in_tenant = |c: &Caller| c.tenant.as_ref().is_some_and(|t| t.slug == asked.name.tenant());
        let other;
        let caller = if in_tenant(caller) {
            caller
        } else {
            match Box::pin(self.parts.identity.caller_of(&caller.actor, asked.name.tenant())).await? {
                Some(found) if in_tenant(&found) => {
                    other = found;
                    &other
                }
                _ => return Ok(refused(asked)),
            }
        };
        let Some((place, writable)) = self.place_of(caller, &asked.name).await? else { return Ok(refused(asked)) };
        let allowed = asked.actions.filter(|action| {
            let (permission, writes) = match action {
                Action::Pull => (Permission::ImagePull, false),
                Action::Push => (Permission::ImagePush, true),
                Action::Delete => (Permission::ImageDelete, true),
            };
            (writable || !writes) && caller.has_in(permission, place.project_id)
        });
        Ok(Grant { asked, allowed, place: Some(place) })
    }

    /// The project behind a name in the caller's tenant, and whether it may be written to: an archived one is read-only,
    /// and a suspended tenant has none.
    async fn place_of(&self, caller: &Caller, name: &RepositoryName) -> Result<Option<(Place, bool)>> {
        match &caller.tenant {
            Some(tenant) if tenant.slug == name.tenant() => self.project_place(tenant.id, name).await,
            _ => Ok(None),
        }
    }

    async fn project_place(&self, tenant_id: TenantId, name: &RepositoryName) -> Result<Option<(Place, bool)>> {
        if self.parts.tenants.slug_to_id(name.tenant()).await? != Some(tenant_id) {
            return Ok(None);
        }
        let project = self.parts.projects.by_slug(tenant_id, name.project()).await?;
        Ok(project.map(|p| (Place { tenant_id, project_id: p.id }, p.require_active().is_ok())))
    }

    async fn robot_access(&self, robot: Robot, scopes: Vec<Scope>) -> Result<Access> {
        let mut grants = Vec::with_capacity(scopes.len());
        for asked in scopes {
            let found = if asked.name.tenant() == robot.tenant_slug {
                self.project_place(robot.tenant_id, &asked.name).await?
            } else {
                None
            };
            grants.push(match found {
                None => refused(asked),
                Some((place, writable)) => {
                    let allowed = asked.actions.filter(|action| match action {
                        Action::Pull => true,
                        Action::Push => writable && robot.push.iter().any(|name| name == asked.name.as_str()),
                        Action::Delete => false,
                    });
                    Grant { asked, allowed, place: Some(place) }
                }
            });
        }
        let lease = Lease { execution: robot.execution, attempt: robot.attempt, tenant_id: robot.tenant_id };
        Ok(Access { actor: Actor::Execution(robot.execution), lease: Some(lease), grants })
    }

    /// Where a repository is that the holder of these rights may pull from now: clients ask for a token of a mount's
    /// target alone, so the rights on its source are looked up.
    pub(super) async fn readable(&self, access: &Access, name: &RepositoryName) -> Result<Option<Place>> {
        if let Ok(place) = access.place(name, Action::Pull) {
            return Ok(Some(place));
        }
        if let Some(lease) = access.lease {
            return Ok(self.project_place(lease.tenant_id, name).await?.map(|(place, _)| place));
        }
        let Some(caller) = Box::pin(self.parts.identity.caller_of(&access.actor, name.tenant())).await? else {
            return Ok(None);
        };
        let place = self.place_of(&caller, name).await?;
        Ok(place.map(|(place, _)| place).filter(|p| caller.has_in(Permission::ImagePull, p.project_id)))
    }
}

fn refused(asked: Scope) -> Grant {
    Grant { asked, allowed: Actions::default(), place: None }
}

fn wrong_credentials(cause: Error) -> Error {
    Error::unauthenticated("UNAUTHORIZED", cause.message().to_owned()).with_source(cause)
}

/// Signs and verifies tokens.
#[derive(Clone)]
pub struct Signer {
    keys: Arc<(EncodingKey, DecodingKey)>,
    validation: Arc<Validation>,
    clock: Clock,
    minutes: u32,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
    jti: String,
    /// As the specification has it, for clients that look into it.
    access: Vec<AccessClaim>,
    /// What the registry itself reads.
    actor: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease: Option<Lease>,
}

#[derive(Serialize, Deserialize)]
struct AccessClaim {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    actions: Actions,
    asked: Actions,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<TenantId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<ProjectId>,
}

impl Signer {
    pub fn new(keyring: &Keyring, clock: Clock, minutes: u32) -> Result<Self> {
        let key = keyring.derive("registry token")?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[SERVICE]);
        validation.set_issuer(&[SERVICE]);
        // Expiry is held against our own clock below.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["aud", "iss"]);
        let keys = (EncodingKey::from_secret(&key), DecodingKey::from_secret(&key));
        Ok(Self { keys: Arc::new(keys), validation: Arc::new(validation), clock, minutes: minutes.max(1) })
    }

    fn issue(&self, access: &Access) -> Result<IssuedToken> {
        let now = self.clock.now();
        let expires_in = self.minutes.saturating_mul(60);
        let claims = Claims {
            iss: SERVICE.to_owned(),
            aud: SERVICE.to_owned(),
            sub: access.actor.to_string(),
            iat: now.timestamp(),
            exp: now.timestamp() + i64::from(expires_in),
            jti: uuid::Uuid::now_v7().to_string(),
            access: access.grants.iter().map(claim).collect(),
            actor: access.actor.clone(),
            lease: access.lease,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.keys.0)
            .map_err(|e| Error::internal("a token could not be signed").with_source(e))?;
        Ok(IssuedToken { access_token: token.clone(), token, expires_in, issued_at: now })
    }

    fn verify(&self, token: &str) -> Result<Access> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.keys.1, &self.validation)
            .map_err(|e| error::unauthorized().with_source(e))?
            .claims;
        if claims.exp <= self.clock.now().timestamp() {
            return Err(error::unauthorized());
        }
        let grants = claims.access.into_iter().map(|c| {
            let place = c.tenant.zip(c.project).map(|(tenant_id, project_id)| Place { tenant_id, project_id });
            Ok(Grant { asked: Scope { name: c.name.parse()?, actions: c.asked }, allowed: c.actions, place })
        });
        Ok(Access { actor: claims.actor, lease: claims.lease, grants: grants.collect::<Result<_>>()? })
    }
}

fn claim(grant: &Grant) -> AccessClaim {
    AccessClaim {
        kind: "repository".to_owned(),
        name: grant.asked.name.to_string(),
        actions: grant.allowed,
        asked: grant.asked.actions,
        tenant: grant.place.map(|p| p.tenant_id),
        project: grant.place.map(|p| p.project_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::{ExecutionId, UserId};

    fn signer() -> (Signer, Clock) {
        let clock = Clock::system();
        let keyring = Keyring::from_base64(&Keyring::generate_base64()).unwrap();
        (Signer::new(&keyring, clock.clone(), 5).unwrap(), clock)
    }

    fn access() -> Access {
        let place = Place { tenant_id: TenantId::new(), project_id: ProjectId::new() };
        let mut scopes = Scope::parse_all("repository:acme/hello/web:pull,push repository:b/c/d:pull").into_iter();
        let first = scopes.next().unwrap();
        let grants =
            vec![Grant { allowed: first.actions, asked: first, place: Some(place) }, refused(scopes.next().unwrap())];
        let lease = Lease { execution: ExecutionId::new(), attempt: 2, tenant_id: place.tenant_id };
        Access { actor: Actor::User(UserId::new()), lease: Some(lease), grants }
    }

    #[test]
    fn a_token_carries_the_rights_it_was_made_with() {
        let (signer, _) = signer();
        let access = access();
        let back = signer.verify(&signer.issue(&access).unwrap().token).unwrap();
        assert_eq!(format!("{back:?}"), format!("{access:?}"));
    }

    #[test]
    fn a_token_expires_and_another_key_does_not_open_it() {
        let (first, clock) = signer();
        let token = first.issue(&access()).unwrap().token;
        assert!(signer().0.verify(&token).is_err());
        clock.advance(chrono::Duration::minutes(4));
        assert!(first.verify(&token).is_ok());
        clock.advance(chrono::Duration::minutes(1));
        assert_eq!(first.verify(&token).unwrap_err().kind(), Kind::Unauthenticated);
        assert!(first.verify("no.token.at-all").is_err());
    }
}
