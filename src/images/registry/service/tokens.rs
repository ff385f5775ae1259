//! Tokens: short-lived JWTs (RFC 7519) that carry the rights on repositories, decided when they are made (Docker Registry
//! v2 token specification).

use super::Registry;
use crate::images::registry::access::{Access, Grant, Lease, Pass, Place};
use crate::images::registry::error;
use crate::images::registry::model::{Actions, Scope};
use crate::kernel::ids::{ProjectId, TenantId};
use crate::kernel::secret::Keyring;
use crate::kernel::{Actor, Clock, Error, Result};
use crate::tenancy::access::RequestInfo;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The `service` of tokens and challenges.
pub const SERVICE: &str = "image-factory";

/// User name and password as a client sent them.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// An address, the name of a robot account or a build, or anything beside an API key.
    pub username: String,
    /// The password, the secret of a robot account, the token of a build or an API key.
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
    /// What it is good for, as OAuth 2 has it: less than was asked for where something was refused.
    pub scope: String,
}

impl Registry {
    /// A token that carries these rights.
    pub fn issue(&self, access: &Access) -> Result<IssuedToken> {
        self.tokens.issue(access)
    }
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    robot: Option<Pass>,
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

    pub fn issue(&self, access: &Access) -> Result<IssuedToken> {
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
            robot: access.robot,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.keys.0)
            .map_err(|e| Error::internal("a token could not be signed").with_source(e))?;
        let scopes: Vec<String> = access.grants.iter().filter(|g| !g.allowed.is_empty()).map(granted).collect();
        Ok(IssuedToken { access_token: token.clone(), token, expires_in, issued_at: now, scope: scopes.join(" ") })
    }

    pub fn verify(&self, token: &str) -> Result<Access> {
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
        Ok(Access {
            actor: claims.actor,
            lease: claims.lease,
            robot: claims.robot,
            grants: grants.collect::<Result<_>>()?,
            request: RequestInfo::default(),
        })
    }
}

fn granted(grant: &Grant) -> String {
    Scope { name: grant.asked.name.clone(), actions: grant.allowed }.to_string()
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
    use crate::kernel::Kind;
    use crate::kernel::ids::{ExecutionId, RobotId, UserId};

    fn signer() -> (Signer, Clock) {
        let clock = Clock::system();
        let keyring = Keyring::from_base64(&Keyring::generate_base64()).unwrap();
        (Signer::new(&keyring, clock.clone(), 5).unwrap(), clock)
    }

    fn access() -> Access {
        let place = Place { tenant_id: TenantId::new(), project_id: ProjectId::new() };
        let mut scopes = Scope::parse_all("repository:acme/hello/web:pull,push repository:b/c/d:pull").into_iter();
        let first = scopes.next().unwrap();
        let refused = Grant { asked: scopes.next().unwrap(), allowed: Actions::default(), place: None };
        let grants = vec![Grant { allowed: first.actions, asked: first, place: Some(place) }, refused];
        let Place { tenant_id, project_id } = place;
        let lease = Lease { execution: ExecutionId::new(), attempt: 2, tenant_id, project_id };
        let pass = Pass { robot: RobotId::new(), tenant_id, secret_version: 3 };
        Access { lease: Some(lease), robot: Some(pass), ..Access::of(Actor::User(UserId::new()), grants) }
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
