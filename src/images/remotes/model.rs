//! Addresses of other registries, and how they ask for credentials.

use crate::kernel::secret::Keyring;
use crate::kernel::{Error, Fault, Result};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// User name and password.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// The password or token.
    pub password: SecretString,
}

impl Login {
    /// Reads the fields `username` and `password` of a request: both, or none.
    pub fn of(username: Option<String>, password: Option<SecretString>) -> Result<Option<Self>> {
        let required = |pointer: &str, detail: &str| Err(Error::faults(vec![Fault::new(pointer, "required", detail)]));
        match (username, password) {
            (Some(username), Some(password)) => Ok(Some(Self { username, password })),
            (None, None) => Ok(None),
            (Some(_), None) => required("/password", "the password of this user name"),
            (None, Some(_)) => required("/username", "the user name of this password"),
        }
    }

    /// The password encrypted, bound to a context.
    pub fn sealed(&self, keyring: &Keyring, context: &str) -> Result<Vec<u8>> {
        keyring.seal(context, self.password.expose_secret().as_bytes())
    }

    /// A login as it is stored: both, or none.
    pub fn open(
        keyring: &Keyring,
        context: &str,
        username: Option<&String>,
        sealed: Option<&Vec<u8>>,
    ) -> Result<Option<Self>> {
        let (Some(username), Some(sealed)) = (username, sealed) else { return Ok(None) };
        let password = String::from_utf8(keyring.open(context, sealed)?)
            .map_err(|e| Error::internal("a password is not text").with_source(e))?;
        Ok(Some(Self { username: username.clone(), password: password.into() }))
    }
}

/// Reads an address: http or https, a host, maybe a path.
pub fn parse_url(text: &str) -> Result<Url, Fault> {
    let fault = |detail: &str| Fault::new("/url", "wrong_format", detail);
    let url = Url::parse(text).map_err(|e| fault(&format!("it is no address: {e}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(fault("an http or https address"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(fault("an address without credentials, query and fragment"));
    }
    Ok(url)
}

/// Name at the upstream of an image of the project.
pub fn repository(url: &Url, image: &str) -> String {
    match url.path().trim_matches('/') {
        "" => image.to_owned(),
        path => format!("{path}/{image}"),
    }
}

/// How a registry asks for credentials (RFC 9110 section 11.6.1).
#[derive(Debug, PartialEq, Eq)]
pub enum Challenge {
    /// User name and password on each request.
    Basic,
    /// A token from this address (Docker Registry token specification).
    Bearer {
        /// Where to ask.
        realm: String,
        /// For which service.
        service: Option<String>,
    },
}

impl Challenge {
    /// Reads a `WWW-Authenticate` header.
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        Some(Self::Bearer { realm: parameter(rest, "realm")?, service: parameter(rest, "service") })
    }
}

/// A quoted parameter; a comma in another's value does not end it.
fn parameter(mut rest: &str, wanted: &str) -> Option<String> {
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let (value, next) = after.split_once('"')?;
        if name.trim_matches([',', ' ']).eq_ignore_ascii_case(wanted) {
            return Some(value.to_owned());
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn challenges_are_read() {
        let header = r#"Bearer realm="https://auth.example.com/token",service="reg",scope="repository:a/b:pull,push""#;
        let realm = "https://auth.example.com/token".to_owned();
        assert_eq!(Challenge::parse(header), Some(Challenge::Bearer { realm, service: Some("reg".into()) }));
        let header = r#"bearer scope="a, realm=x", realm="r""#;
        assert_eq!(Challenge::parse(header), Some(Challenge::Bearer { realm: "r".into(), service: None }));
        assert_eq!(Challenge::parse(r#"Basic realm="x""#), Some(Challenge::Basic));
        for bad in ["", "Bearer", "Bearer service=\"x\"", "Digest realm=\"x\""] {
            assert_eq!(Challenge::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_path_of_the_address_stands_before_the_names() {
        let name = |url: &str| repository(&parse_url(url).unwrap(), "library/alpine");
        assert_eq!(name("https://registry-1.docker.io"), "library/alpine");
        assert_eq!(name("https://example.com/team/a/"), "team/a/library/alpine");
        for bad in ["", "x", "ftp://x", "https://u:p@x", "https://x?y", "https://x#y"] {
            assert_eq!(parse_url(bad).unwrap_err().pointer, "/url", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_a_challenge_never_panics(header in ".{0,80}") {
            let _ = Challenge::parse(&header);
        }
    }
}
