//! SHA-256 of a stream that may pause: its state is kept between the chunks of an upload.

use crate::kernel::{Digest, Error, Result};
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest as _, Sha256};

/// A running SHA-256.
#[derive(Clone, Default)]
pub struct StreamHasher(Sha256);

impl StreamHasher {
    /// Takes up the work where [`Self::save`] left it; a new one where nothing was kept.
    pub fn restore(state: Option<&[u8]>) -> Result<Self> {
        let Some(state) = state else { return Ok(Self::default()) };
        state
            .try_into()
            .ok()
            .and_then(|state| Sha256::deserialize(state).ok())
            .map(Self)
            .ok_or_else(|| Error::internal("the kept state of a digest does not read back"))
    }

    /// The state, to be kept.
    pub fn save(&self) -> Vec<u8> {
        self.0.serialize().to_vec()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes so far.
    pub fn digest(self) -> Digest {
        Digest::from(<[u8; 32]>::from(self.0.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pausing_anywhere_changes_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..400), cut in 0usize..400) {
            let (a, b) = bytes.split_at(cut.min(bytes.len()));
            let mut first = StreamHasher::default();
            first.update(a);
            let mut second = StreamHasher::restore(Some(&first.save())).unwrap();
            second.update(b);
            prop_assert_eq!(second.digest(), Digest::of(&bytes));
        }
    }

    #[test]
    fn a_broken_state_is_an_error() {
        assert!(StreamHasher::restore(Some(b"short")).is_err());
    }
}
