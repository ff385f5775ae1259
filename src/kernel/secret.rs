//! Secrets: random tokens, their fingerprints, and encryption at rest.

use crate::kernel::error::{Error, Result};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use rand::RngExt;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// A random 256-bit token: 43 characters of URL-safe base64.
pub fn random_token() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 32]>())
}

/// The SHA-256 under which a random token is stored. Not for passwords: those are guessable and get argon2id.
pub fn fingerprint(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// Whether two byte strings are equal, in a time that does not depend on where they differ.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(a, b).into()
}

/// Length of a derived key for HKDF.
struct KeyLength;

impl hkdf::KeyType for KeyLength {
    fn len(&self) -> usize {
        32
    }
}

/// Encrypts what is stored: AES-256-GCM-SIV (RFC 8452) with a random nonce, bound to a context that says what it is
/// for, so that a value copied to another row does not open.
#[derive(Clone)]
pub struct Keyring {
    key: Arc<RandomizedNonceKey>,
    derive: Arc<hkdf::Prk>,
}

impl Keyring {
    /// From 32 bytes in standard base64.
    pub fn from_base64(key: &str) -> Result<Self> {
        let bad = || Error::invalid("config.invalid", "the encryption key is 32 bytes in base64");
        let bytes = BASE64_STANDARD.decode(key.trim()).map_err(|_| bad())?;
        let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, &bytes).map_err(|_| bad())?;
        let derive = hkdf::Salt::new(hkdf::HKDF_SHA256, b"image-factory").extract(&bytes);
        Ok(Self { key: Arc::new(key), derive: Arc::new(derive) })
    }

    /// A fresh key for a configuration file.
    pub fn generate_base64() -> String {
        BASE64_STANDARD.encode(rand::rng().random::<[u8; 32]>())
    }

    /// A 32-byte key of its own for one purpose, such as signing tokens: HKDF-SHA256 (RFC 5869).
    pub fn derive(&self, purpose: &str) -> Result<[u8; 32]> {
        let mut key = [0u8; 32];
        self.derive
            .expand(&[purpose.as_bytes()], KeyLength)
            .and_then(|okm| okm.fill(&mut key))
            .map_err(|_| Error::internal("key derivation failed"))?;
        Ok(key)
    }

    /// Nonce, ciphertext and tag in one.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let mut body = plain.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut body)
            .map_err(|_| Error::internal("encryption failed"))?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// The plain bytes of what [`Self::seal`] made under the same context.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let failed = || Error::internal(format!("a stored secret does not open: {context}"));
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or_else(failed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| failed())?;
        let mut body = body.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(context.as_bytes()), &mut body).map_err(|_| failed())?;
        Ok(plain.to_vec())
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_in_its_context() {
        let ring = Keyring::from_base64(&Keyring::generate_base64()).unwrap();
        let sealed = ring.seal("project:1", b"swordfish").unwrap();
        assert_eq!(ring.open("project:1", &sealed).unwrap(), b"swordfish");
        assert!(ring.open("project:2", &sealed).is_err());
        assert!(ring.open("project:1", &sealed[1..]).is_err());
    }
}
