use crate::kernel::{Digest, Error, Result};
use std::fmt;
use uuid::Uuid;

/// Where an object is: segments of lower-case letters, digits, `.`, `_` and `-`, between slashes. None starts with a dot,
/// so a key can never leave the store's folder or meet its own files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    const MAX: usize = 512;

    /// A key as it is written.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let segment = |s: &str| {
            !s.is_empty()
                && !s.starts_with('.')
                && s.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        };
        if text.len() <= Self::MAX && text.split('/').all(segment) {
            Ok(Self(text))
        } else {
            Err(Error::internal(format!("{text:?} is not a storage key")))
        }
    }

    /// Content by its digest: `blobs/sha256/ab/abcd...`.
    pub fn blob(digest: &Digest) -> Self {
        let hex = digest.hex();
        Self(format!("blobs/sha256/{}/{hex}", &hex[..2]))
    }

    /// The key as one upload's own: no two uploads write to the same.
    #[must_use]
    pub fn of_upload(&self, upload: Uuid) -> Self {
        Self(format!("{self}.{upload}"))
    }

    /// The upload whose key this is.
    pub fn upload(&self) -> Option<Uuid> {
        self.0.rsplit_once('.').and_then(|(_, upload)| upload.parse().ok())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_blob_lies_under_its_first_byte() {
        let key = Key::blob(&Digest::of(b""));
        assert!(key.as_str().starts_with("blobs/sha256/e3/e3b0c442"));
        assert!(Key::new(key.as_str()).is_ok());
        let upload = Uuid::now_v7();
        assert!(Key::new(key.of_upload(upload).as_str()).is_ok());
        assert_eq!((key.of_upload(upload).upload(), key.upload()), (Some(upload), None));
    }

    proptest! {
        #[test]
        fn a_key_never_leaves_its_folder(text in "[a-z./\\\\\\-]{0,12}") {
            if Key::new(text.as_str()).is_ok() {
                let path = std::path::Path::new(&text);
                prop_assert!(path.components().all(|c| matches!(c, std::path::Component::Normal(_))));
            }
        }
    }
}
