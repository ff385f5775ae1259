//! Password hashing: argon2id, off the reactor, few at a time because each takes 19 MiB.

use crate::kernel::secret::random_token;
use crate::kernel::{Error, Result};
use crate::platform::tasks::blocking;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Longest wait for a turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// More bytes than any password has: 128 characters of four bytes.
const MAX_BYTES: usize = 512;

/// Hashes and checks passwords. Cheap to clone; clones share the turns.
#[derive(Clone)]
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of a password that nobody knows: what the password of an unknown user is checked against.
    nobody: Arc<str>,
}

impl Passwords {
    /// Hashes one password at once, to have something to compare unknown users' with.
    pub fn new() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let nobody = hash(&random_token())?.into();
        Ok(Self { turns: Arc::new(Semaphore::new(cores.clamp(1, 4))), nobody })
    }

    /// The PHC string of a password (m = 19 MiB, t = 2, p = 1; random salt).
    pub async fn hash(&self, password: SecretString) -> Result<String> {
        let turn = self.turn().await?;
        blocking(move || {
            let _turn = turn;
            hash(password.expose_secret())
        })
        .await
    }

    /// Whether the password is the one of the hash. Without a hash: no, after the same work.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool> {
        let turn = self.turn().await?;
        let nobody = self.nobody.clone();
        blocking(move || {
            let _turn = turn;
            let known = hash.is_some();
            let hash = hash.as_deref().unwrap_or(&nobody);
            let hash = PasswordHash::new(hash).map_err(|e| Error::internal("a password hash is broken").with_source(e))?;
            let given = password.expose_secret().as_bytes();
            let given = given.get(..MAX_BYTES).unwrap_or(given);
            Ok(Argon2::default().verify_password(given, &hash).is_ok() && known)
        })
        .await
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned())
            .await
            .ok()
            .and_then(std::result::Result::ok)
            .ok_or_else(|| Error::unavailable("auth.busy", "too many sign-ins at the same time; try again"))
    }
}

fn hash(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|h| h.to_string())
        .map_err(|e| Error::internal("a password was not hashed").with_source(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify("correct horse battery".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("correct horse batterz".into(), Some(stored)).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_user_is_refused_after_the_same_work() {
        let passwords = Passwords::new().unwrap();
        assert!(!passwords.verify("anything at all".into(), None).await.unwrap());
    }
}
