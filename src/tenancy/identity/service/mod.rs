//! Use cases of identity: who is it that asks ([`authenticate`](Identity::authenticate)), sessions, API keys.

mod api_keys;
mod authenticate;
mod sessions;

pub(super) use authenticate::selector;
pub use sessions::{Credentials, SignIn};

use super::config::Config;
use super::tokens::Tokens;
use super::users::Users;
use crate::kernel::secret::Keyring;
use crate::kernel::{Clock, Result};
use crate::platform::db::Db;

/// Who people are and how they prove it.
#[derive(Clone)]
pub struct Identity {
    db: Db,
    clock: Clock,
    users: Users,
    pub(super) tokens: Tokens,
    config: Config,
    pub(super) public_url: String,
    pub(super) registry: String,
}

impl Identity {
    /// Identity on this database. Token keys are derived from the encryption key. Cookies are secure where browsers
    /// reach the server over HTTPS. People are told the registry's address, `host[:port]`.
    pub fn new(
        db: Db,
        clock: Clock,
        users: Users,
        keyring: &Keyring,
        config: Config,
        public_url: String,
        registry: String,
    ) -> Result<Self> {
        let tokens = Tokens::new(keyring, clock.clone(), config.access_token_seconds)?;
        Ok(Self { db, clock, users, tokens, config, public_url, registry })
    }

    /// The directory of people.
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// Makes the first administrator, where the configuration names one.
    pub async fn bootstrap(&self) -> Result<()> {
        if self.config.bootstrap_email.is_empty() {
            return Ok(());
        }
        self.users.bootstrap(&self.config.bootstrap_email, self.config.bootstrap_password.as_str().into()).await
    }

    /// Deletes sessions that ended a season ago and quiet login counters.
    pub(super) async fn purge(&self) -> Result<()> {
        use super::store::{sessions, throttles};
        let before = self.clock.now() - chrono::Duration::days(90);
        let mut tx = self.db.system("purge sessions").await?;
        sessions::purge(&mut tx, before).await?;
        throttles::purge(&mut tx).await?;
        tx.commit().await
    }
}
