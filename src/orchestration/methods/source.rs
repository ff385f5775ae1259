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
    /// A Dockerfile in the request. It becomes the file that the configuration names, alone in the source.
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
pub fn validate_git_url(text: &str, pointer: &str) -> Result<Url, Fault> {
    let fault = |code: &str, detail: &str| Err(Fault::new(pointer, code, detail));
    if text.len() > 2048 {
        return fault("too_long", "a repository's address has at most 2048 characters");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return fault("invalid", "a repository's address has no spaces or control characters");
    }
    let Ok(url) = Url::parse(&scp_to_ssh(text).unwrap_or_else(|| text.to_owned())) else {
        return fault("invalid", "give the repository's address as a URL, such as https://host/group/name.git");
    };
    if !matches!(url.scheme(), "http" | "https" | "ssh" | "git") {
        return fault("scheme_unsupported", "a repository is reached by http, https, ssh or git");
    }
    if url.host_str().is_none_or(|host| host.is_empty() || host.starts_with('-') || host.contains('%')) {
        return fault("invalid", "the address names no host");
    }
    if url.password().is_some() || (url.scheme() != "ssh" && !url.username().is_empty()) {
        return fault(
            "credential_in_url",
            "keep user names and passwords out of the address: store a project secret and name it as the credential",
        );
    }
    if url.username().starts_with('-') || url.username().contains('%') {
        return fault("invalid", "the user name in the address is not a plain one");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return fault("invalid", "the address ends with the path; give branch, tag or commit as the reference");
    }
    if url.path().trim_start_matches('/').is_empty() || url.path().trim_start_matches('/').starts_with('-') {
        return fault("invalid", "the address has no path to a repository");
    }
    Ok(url)
}

/// `user@host:path`, as scp(1) has it and Git hosts show it.
fn scp_to_ssh(text: &str) -> Option<String> {
    let (host, path) = text.split_once(':')?;
    let plain = host.contains('@') && !host.contains('/') && !path.starts_with("//");
    plain.then(|| format!("ssh://{host}/{}", path.trim_start_matches('/')))
}

/// A branch, tag, commit id, `refs/...` or `HEAD`, by the rules of git-check-ref-format(1). A fault bears `pointer`.
pub fn validate_git_ref(text: &str, pointer: &str) -> Result<(), Fault> {
    let forbidden = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let ok = (1..=255).contains(&text.len())
        && text != "@"
        && !text.starts_with('-')
        && !text.ends_with('.')
        && !text.contains("..")
        && !text.contains("@{")
        && !text.chars().any(forbidden)
        && text
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.') && part.as_bytes().last_chunk() != Some(b".lock"));
    if ok {
        return Ok(());
    }
    Err(Fault::new(pointer, "invalid", "give a branch, a tag, a commit id, refs/... or HEAD, as git itself writes it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_repositories_are_taken_in_all_their_forms() {
        for (given, understood) in [
            ("https://example.org/group/name.git", "https://example.org/group/name.git"),
            ("http://example.org:8080/name", "http://example.org:8080/name"),
            ("ssh://git@example.org:2222/group/name.git", "ssh://git@example.org:2222/group/name.git"),
            ("git@example.org:group/name.git", "ssh://git@example.org/group/name.git"),
            ("git://[::1]:9418/name", "git://[::1]:9418/name"),
        ] {
            assert_eq!(validate_git_url(given, "/url").unwrap().as_str(), understood);
        }
    }

    #[test]
    fn addresses_that_carry_secrets_or_tricks_are_refused() {
        for (given, code) in [
            ("file:///etc", "scheme_unsupported"),
            ("ext::sh -c id", "invalid"),
            ("ext::id", "scheme_unsupported"),
            ("/srv/repository", "invalid"),
            ("-u@host:path", "invalid"),
            ("ssh://-oProxyCommand=id/path", "invalid"),
            ("ssh://git@host/-path", "invalid"),
            ("https://user:password@host/name", "credential_in_url"),
            ("https://token@host/name", "credential_in_url"),
            ("ssh://git:password@host/name", "credential_in_url"),
            ("https://host/name?x=1", "invalid"),
            ("https://host", "invalid"),
            ("https://host/a b", "invalid"),
        ] {
            let fault = validate_git_url(given, "/source/url").unwrap_err();
            assert_eq!((fault.code.as_str(), fault.pointer.as_str()), (code, "/source/url"), "{given}");
        }
    }

    #[test]
    fn references_follow_the_rules_of_git() {
        for good in ["main", "HEAD", "feature/x-1", "v1.2.3", "refs/heads/main", "refs/pull/7/head", "0a1b2c3", "a@b"] {
            assert!(validate_git_ref(good, "/ref").is_ok(), "{good}");
        }
        for bad in [
            "", "-x", "a..b", "a b", "a~1", "a^", "a:b", "/a", "a/", "a//b", ".a", "a/.b", "a.lock", "a.lock/b", "a.",
            "@", "a@{1}", "a\\b", "a\nb", "*",
        ] {
            assert!(validate_git_ref(bad, "/ref").is_err(), "{bad}");
        }
    }
}
