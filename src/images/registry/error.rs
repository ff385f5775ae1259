//! Failures in the words of the OCI Distribution Specification, "Error Codes": the `code` of each error here is one of
//! them, and the API writes it as such.

use crate::kernel::{Digest, Error, Kind, Result};

pub fn name_invalid(name: &str) -> Error {
    Error::new(Kind::Malformed, "NAME_INVALID", format!("{name:?} is no repository: names are tenant/project/image"))
}

/// The repository is not there, or the caller may not know that it is.
pub fn name_unknown() -> Error {
    Error::new(Kind::NotFound, "NAME_UNKNOWN", "there is no such repository")
}

pub fn tag_invalid(tag: &str) -> Error {
    Error::new(Kind::Malformed, "TAG_INVALID", format!("{tag:?} is no tag"))
}

/// Reads a digest of a request.
pub fn digest(text: &str) -> Result<Digest> {
    text.parse().map_err(|_| {
        let message = format!("{text:?} is no digest: sha256: and 64 lower-case hexadecimal characters");
        Error::new(Kind::Malformed, "DIGEST_INVALID", message)
    })
}

pub fn digest_mismatch(expected: &Digest, found: &Digest) -> Error {
    let message = format!("what was received has the digest {found}, not {expected}");
    Error::new(Kind::Malformed, "DIGEST_INVALID", message)
}

pub fn size_invalid(message: impl Into<String>) -> Error {
    Error::new(Kind::Malformed, "SIZE_INVALID", message)
}

pub fn blob_unknown(digest: &Digest) -> Error {
    Error::new(Kind::NotFound, "BLOB_UNKNOWN", format!("the repository has no blob {digest}"))
}

/// Stored, and found damaged. To a client it is as if it were not there, so that whoever has it pushes it again.
pub fn blob_rotten(digest: &Digest) -> Error {
    let message = format!("the stored blob {digest} is damaged; push it again to heal it");
    Error::new(Kind::NotFound, "BLOB_UNKNOWN", message)
}

pub fn upload_unknown() -> Error {
    Error::new(Kind::NotFound, "BLOB_UPLOAD_UNKNOWN", "there is no such upload: it ended, expired or was freed")
}

pub fn upload_invalid(message: impl Into<String>) -> Error {
    Error::new(Kind::Malformed, "BLOB_UPLOAD_INVALID", message)
}

/// Code of [`out_of_order`].
pub const OUT_OF_ORDER: &str = "RANGE_INVALID";

/// The chunk does not continue what is there: 416.
pub fn out_of_order(received: u64) -> Error {
    Error::new(Kind::Malformed, OUT_OF_ORDER, format!("the upload has {received} bytes; continue there"))
}

pub fn blob_too_large(max: u64) -> Error {
    Error::new(Kind::TooLarge, "SIZE_INVALID", format!("a blob has at most {max} bytes here"))
}

pub fn manifest_invalid(message: impl std::fmt::Display) -> Error {
    Error::new(Kind::Malformed, "MANIFEST_INVALID", format!("the manifest is not valid: {message}"))
}

pub fn manifest_too_large(max: usize) -> Error {
    Error::new(Kind::TooLarge, "MANIFEST_INVALID", format!("a manifest has at most {max} bytes here"))
}

pub fn manifest_unknown(reference: impl std::fmt::Display) -> Error {
    Error::new(Kind::NotFound, "MANIFEST_UNKNOWN", format!("the repository has no manifest {reference}"))
}

/// What a manifest refers to is not in its repository.
pub fn references_unknown(missing: &[Digest]) -> Error {
    let list = missing.iter().take(10).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Error::new(Kind::NotFound, "MANIFEST_BLOB_UNKNOWN", format!("push these to the repository first: {list}"))
}

pub fn unauthorized() -> Error {
    Error::unauthenticated("UNAUTHORIZED", "sign in: send a token or user name and password")
}

/// The same answer whether the thing exists or not.
pub fn denied() -> Error {
    Error::forbidden("DENIED", "you may not do this here")
}

pub fn denied_because(message: impl Into<String>) -> Error {
    Error::forbidden("DENIED", message)
}

pub fn tag_immutable(tag: &str) -> Error {
    denied_because(format!("the tag {tag} is immutable by the project's retention policy: it neither moves nor goes"))
}

/// 405.
pub fn unsupported(message: impl Into<String>) -> Error {
    Error::new(Kind::Conflict, "UNSUPPORTED", message)
}

/// The client stopped sending: the bytes so far are kept.
pub fn body_broken(message: impl Into<String>) -> Error {
    upload_invalid(message)
}

/// 409: two requests at one upload.
pub fn upload_busy() -> Error {
    Error::conflict("BLOB_UPLOAD_INVALID", "another request is writing to this upload")
}
