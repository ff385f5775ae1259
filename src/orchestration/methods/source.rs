//! Where the files of a build come from.

use crate::kernel::Fault;
use secrecy::SecretString;
use std::net::IpAddr;
use url::Url;

/// The source of a build.
#[derive(Debug, Clone)]
pub enum Source {
    /// A commit of a Git repository.
    Git {
        /// As [`validate_git_url`] gives it.
        url: Url,
        /// Branch, tag, full or short commit id, `refs/...` or `HEAD`; checked by [`validate_git_ref`].
        reference: String,
        /// For a private repository.
        credential: Option<GitCredential>,
        /// Connect to this address and no other, whatever the name resolves to by now.
        pinned: Option<IpAddr>,
    },
    /// An uploaded `tar.gz`.
    Context {
        /// Its key in the object store.
        object: String,
    },
    /// A Dockerfile in the request; its build context is empty.
    Inline {
        /// The text.
        dockerfile: String,
    },
}

/// What opens a private repository.
#[derive(Debug, Clone)]
pub enum GitCredential {
    /// For http and https.
    Token {
        /// What the host wants beside a token; without one `git`, which most hosts take.
        username: Option<String>,
        /// The token or password.
        token: SecretString,
    },
    /// A private key in PEM or OpenSSH form, for ssh.
    SshKey(SecretString),
}

/// The repository's address: `http`, `https`, `ssh` or `git` URL, or `user@host:path` which becomes an ssh URL. A fault
/// bears `pointer`.
pub fn validate_git_url(_text: &str, pointer: &str) -> Result<Url, Fault> {
    Err(Fault::new(pointer, "invalid", ""))
}

/// A branch, tag, commit id, `refs/...` or `HEAD`, by the rules of git-check-ref-format(1). A fault bears `pointer`.
pub fn validate_git_ref(_text: &str, pointer: &str) -> Result<(), Fault> {
    Err(Fault::new(pointer, "invalid", ""))
}
