//! Signing in and out, refreshing, changing the password.

use super::super::model::{User, UserStatus, password_fault};
use super::super::principals::Principal;
use super::super::store::{sessions, throttles, users};
use super::super::throttle::{Counter, counters};
use super::Identity;
use crate::kernel::ids::SessionId;
use crate::kernel::secret::{fingerprint, random_token};
use crate::kernel::{Actor, Clock, Error, Fault, Result};
use crate::tenancy::access::{Caller, RequestInfo};
use chrono::{DateTime, Duration, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::net::IpAddr;

/// What somebody signs in with.
pub struct Credentials {
    /// Any case.
    pub email: String,
    /// The password.
    pub password: SecretString,
}

/// A session, new or refreshed.
pub struct SignIn {
    /// The session.
    pub session: SessionId,
    /// The person.
    pub user: User,
    /// Short-lived.
    pub access_token: String,
    /// Seconds that it lives.
    pub expires_in_seconds: u32,
    /// Good for one refresh.
    pub refresh_token: SecretString,
    /// Days after which an unused refresh token is over.
    pub refresh_days: u32,
    /// Goes with the refresh token where that is a cookie.
    pub csrf_token: String,
}

impl Identity {
    /// Starts a session.
    pub async fn sign_in(&self, credentials: Credentials, request: RequestInfo) -> Result<SignIn> {
        let user = self.check_password(&credentials.email, credentials.password, request.ip).await?;
        let now = self.clock.now();
        let session = SessionId::new();
        let token = random_token();
        let mut tx = self.db.system("sign in").await?;
        let ip = request.ip.map(|ip| ip.to_canonical().to_string());
        let ends = self.session_end(now, now);
        sessions::insert(&mut tx, session, user.id, now, ends, ip, request.user_agent.as_deref()).await?;
        sessions::add_token(&mut tx, session, &fingerprint(&token), now).await?;
        users::touch_login(&mut tx, user.id, now).await?;
        let caller = caller_of(&user, request);
        self.users
            .record(&mut tx, &caller, "session.created", user.id, None, Some(json!({"session": session})))
            .await?;
        tx.commit().await?;
        self.answer(session, user, token)
    }

    /// Exchanges a refresh token for a new one and an access token. A token that was used before means that somebody
    /// copied it: the whole session ends (RFC 9700 section 4.14.2). `csrf` is given where the token came as a cookie.
    pub async fn refresh(&self, token: &str, csrf: Option<&str>, request: RequestInfo) -> Result<SignIn> {
        let over = || Error::unauthenticated("auth.session_over", "the session is over: sign in again");
        let now = self.clock.now();
        let mut tx = self.db.system("refresh session").await?;
        let found = sessions::lock_by_token(&mut tx, &fingerprint(token)).await?.ok_or_else(over)?;
        self.check_csrf(found.id, csrf)?;
        if found.revoked || found.expires_at <= now {
            return Err(over());
        }
        let user = users::by_id(&mut tx, found.user_id).await?.map(|r| r.user).ok_or_else(over)?;
        if found.spent {
            sessions::revoke(&mut tx, found.id, "token_reuse", now).await?;
            let caller = caller_of(&user, request);
            let after = Some(json!({"session": found.id}));
            self.users.record(&mut tx, &caller, "session.token_reused", user.id, None, after).await?;
            tx.commit().await?;
            self.users.principals.changed();
            metrics::counter!("image_factory_refresh_reuse_total").increment(1);
            return Err(Error::unauthenticated(
                "auth.token_reused",
                "the refresh token was used before, so the session was ended: sign in again",
            ));
        }
        if user.status != UserStatus::Active {
            return Err(over());
        }
        let next = random_token();
        sessions::spend(&mut tx, &fingerprint(token), now).await?;
        sessions::add_token(&mut tx, found.id, &fingerprint(&next), now).await?;
        sessions::extend(&mut tx, found.id, now, self.session_end(found.created_at, now)).await?;
        tx.commit().await?;
        self.answer(found.id, user, next)
    }

    /// Ends the session of a refresh token. A token that is no good ends nothing, which is no fault.
    pub async fn sign_out(&self, token: &str, csrf: Option<&str>) -> Result<()> {
        let mut tx = self.db.system("sign out").await?;
        let Some(found) = sessions::lock_by_token(&mut tx, &fingerprint(token)).await? else { return Ok(()) };
        self.check_csrf(found.id, csrf)?;
        sessions::revoke(&mut tx, found.id, "logout", self.clock.now()).await?;
        tx.commit().await?;
        self.users.principals.changed();
        Ok(())
    }

    /// Ends one session.
    pub async fn end_session(&self, session: SessionId) -> Result<()> {
        let mut tx = self.db.system("sign out").await?;
        sessions::revoke(&mut tx, session, "logout", self.clock.now()).await?;
        tx.commit().await?;
        self.users.principals.changed();
        Ok(())
    }

    /// Changes the caller's own password and ends their other sessions. Guesses of the present one are throttled like
    /// sign-in.
    pub async fn change_password(
        &self,
        caller: &Caller,
        session: Option<SessionId>,
        current: SecretString,
        new: SecretString,
    ) -> Result<()> {
        let Some(id) = caller.actor.user_id() else {
            return Err(Error::forbidden("access.person_required", "only a person, signed in, changes their password"));
        };
        if let Some(fault) = password_fault("/new_password", new.expose_secret()) {
            return Err(Error::faults(vec![fault]));
        }
        if new.expose_secret() == current.expose_secret() {
            let fault = Fault::new("/new_password", "unchanged", "the new password is the present one");
            return Err(Error::faults(vec![fault]));
        }
        let mut tx = self.db.system("read user").await?;
        let user = users::by_id(&mut tx, id).await?.map(|r| r.user).ok_or_else(|| Error::not_found("user"))?;
        drop(tx);
        self.check_password(&user.email, current, caller.request.ip).await.map_err(|e| {
            if e.code() == "auth.wrong_password" {
                let fault = Fault::new("/current_password", "wrong_password", "this is not the present password");
                Error::faults(vec![fault])
            } else {
                e
            }
        })?;
        let hash = self.users.passwords.hash(new).await?;
        let now = self.clock.now();
        let mut tx = self.db.system("change password").await?;
        users::set_password(&mut tx, id, &hash, false, now).await?;
        sessions::revoke_all(&mut tx, id, session, "password_changed", now).await?;
        self.users.record(&mut tx, caller, "user.password_changed", id, None, None).await?;
        tx.commit().await?;
        self.users.principals.changed();
        Ok(())
    }

    /// The person behind the request.
    pub(in super::super) async fn own_user(&self, principal: &Principal) -> Result<User> {
        let mut tx = self.db.system("read user").await?;
        let user = users::by_id(&mut tx, principal.user_id).await?.map(|r| r.user);
        user.ok_or_else(|| Error::not_found("user"))
    }

    /// Counts an attempt before the password is looked at, or says when to try again.
    pub(super) async fn count_attempt(&self, email: &str, ip: Option<IpAddr>) -> Result<Vec<Counter>> {
        let mut tx = self.db.system("count sign-in").await?;
        let known = match ip {
            Some(ip) => sessions::known_address(&mut tx, email, &ip.to_canonical().to_string()).await?,
            None => false,
        };
        let counters = counters(email, ip, known);
        for counter in &counters {
            if let Some(seconds) = throttles::count(&mut tx, counter).await? {
                metrics::counter!("image_factory_login_throttled_total").increment(1);
                return Err(Error::limited("auth.throttled", "too many failed sign-ins: try again later")
                    .with_retry_after(std::time::Duration::from_secs_f64(seconds.clamp(1.0, 3600.0).ceil())));
            }
        }
        tx.commit().await?;
        Ok(counters)
    }

    pub(super) async fn attempt_succeeded(&self, counters: &[Counter]) -> Result<()> {
        let mut tx = self.db.system("count sign-in").await?;
        for counter in counters {
            throttles::succeeded(&mut tx, counter).await?;
        }
        tx.commit().await
    }

    pub(super) fn check_csrf(&self, session: SessionId, csrf: Option<&str>) -> Result<()> {
        match csrf {
            Some(token) if !self.tokens.is_csrf(session, token) => Err(Error::forbidden(
                "auth.csrf",
                "a request with cookies carries the CSRF token of its session as X-CSRF-Token",
            )),
            _ => Ok(()),
        }
    }

    fn session_end(&self, began: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        let idle = now + Duration::days(self.config.session_idle_days.into());
        idle.min(began + Duration::days(self.config.session_max_days.into()))
    }

    fn answer(&self, session: SessionId, user: User, token: String) -> Result<SignIn> {
        Ok(SignIn {
            session,
            access_token: self.tokens.issue(user.id, session)?,
            expires_in_seconds: self.tokens.lifetime_seconds(),
            refresh_token: token.into(),
            refresh_days: self.config.session_idle_days,
            csrf_token: self.tokens.csrf(session),
            user,
        })
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// The person themselves, for the audit trail of signing in.
fn caller_of(user: &User, request: RequestInfo) -> Caller {
    Caller { actor: Actor::User(user.id), user_id: Some(user.id), system_roles: vec![], tenant: None, request }
}
