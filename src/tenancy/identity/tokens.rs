//! Access tokens (JWT, RFC 7519, HS256) and the CSRF tokens that accompany the refresh cookie.

use crate::kernel::ids::{SessionId, UserId};
use crate::kernel::secret::{Keyring, constant_time_eq};
use crate::kernel::{Clock, Error, Result};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Says what the token is for, so that a token signed for another purpose never passes.
const AUDIENCE: &str = "image-factory:api";

/// Makes and checks tokens with keys derived from the encryption key.
#[derive(Clone)]
pub(super) struct Tokens {
    keys: Arc<Keys>,
    clock: Clock,
    lifetime_seconds: u32,
}

struct Keys {
    sign: EncodingKey,
    check: DecodingKey,
    validation: Validation,
    csrf: hmac::Key,
}

/// What an access token says. Rights are looked up: a token carries none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Claims {
    /// The person.
    pub sub: UserId,
    /// The session, which can be revoked.
    pub sid: SessionId,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
    aud: String,
}

impl Tokens {
    pub fn new(keyring: &Keyring, clock: Clock, lifetime_seconds: u32) -> Result<Self> {
        let key = keyring.derive("access-token")?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        // Held against our own clock below.
        validation.validate_exp = false;
        let keys = Keys {
            sign: EncodingKey::from_secret(&key),
            check: DecodingKey::from_secret(&key),
            validation,
            csrf: hmac::Key::new(hmac::HMAC_SHA256, &keyring.derive("csrf-token")?),
        };
        Ok(Self { keys: Arc::new(keys), clock, lifetime_seconds })
    }

    /// Seconds that an access token lives.
    pub fn lifetime_seconds(&self) -> u32 {
        self.lifetime_seconds
    }

    /// A new access token of a session.
    pub fn issue(&self, user: UserId, session: SessionId) -> Result<String> {
        let iat = self.clock.now().timestamp();
        let exp = iat + i64::from(self.lifetime_seconds);
        let claims = Claims { sub: user, sid: session, iat, exp, aud: AUDIENCE.to_owned() };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.keys.sign)
            .map_err(|e| Error::internal("an access token was not signed").with_source(e))
    }

    /// What a token says, when we signed it and it has not expired.
    pub fn check(&self, token: &str) -> Result<Claims> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.keys.check, &self.keys.validation)
            .map_err(|e| Error::unauthenticated("auth.invalid_token", "the access token is not valid").with_source(e))?
            .claims;
        if claims.exp <= self.clock.now().timestamp() {
            return Err(Error::unauthenticated("auth.expired_token", "the access token has expired: refresh it"));
        }
        Ok(claims)
    }

    /// The CSRF token of a session.
    pub fn csrf(&self, session: SessionId) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&self.keys.csrf, session.0.as_bytes()).as_ref())
    }

    /// Whether this is the CSRF token of the session.
    pub fn is_csrf(&self, session: SessionId, token: &str) -> bool {
        constant_time_eq(self.csrf(session).as_bytes(), token.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(clock: &Clock) -> Tokens {
        let ring = Keyring::from_base64(&Keyring::generate_base64()).unwrap();
        Tokens::new(&ring, clock.clone(), 900).unwrap()
    }

    #[test]
    fn a_token_lives_for_its_lifetime_and_no_longer() {
        let clock = Clock::system();
        let tokens = tokens(&clock);
        let (user, session) = (UserId::new(), SessionId::new());
        let token = tokens.issue(user, session).unwrap();
        let claims = tokens.check(&token).unwrap();
        assert_eq!((claims.sub, claims.sid), (user, session));
        clock.advance(chrono::Duration::seconds(901));
        assert_eq!(tokens.check(&token).unwrap_err().code(), "auth.expired_token");
    }

    #[test]
    fn a_token_of_another_key_audience_or_algorithm_is_refused() {
        let clock = Clock::system();
        let ours = tokens(&clock);
        let (user, session) = (UserId::new(), SessionId::new());
        let stranger = tokens(&clock).issue(user, session).unwrap();
        assert_eq!(ours.check(&stranger).unwrap_err().code(), "auth.invalid_token");
        let iat = clock.now().timestamp();
        let other = Claims { sub: user, sid: session, iat, exp: iat + 900, aud: "image-factory:registry".into() };
        let other = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &other, &ours.keys.sign).unwrap();
        assert!(ours.check(&other).is_err());
        let body = ours.issue(user, session).unwrap().split('.').nth(1).unwrap().to_owned();
        let none = format!("{}.{body}.", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
        assert!(ours.check(&none).is_err());
    }

    #[test]
    fn a_csrf_token_belongs_to_one_session() {
        let tokens = tokens(&Clock::system());
        let (a, b) = (SessionId::new(), SessionId::new());
        assert!(tokens.is_csrf(a, &tokens.csrf(a)));
        assert!(!tokens.is_csrf(b, &tokens.csrf(a)));
        assert!(!tokens.is_csrf(a, ""));
    }
}
