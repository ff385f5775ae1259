//! Repository names, tags and references (OCI Distribution Specification 1.1, "Pulling manifests").

use crate::images::registry::error;
use crate::kernel::{Digest, Error, Result};
use std::fmt;
use std::str::FromStr;

/// `<tenant>/<project>/<image>`, where the image may have further segments: at most 255 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepositoryName {
    full: String,
    /// Where the first slash is.
    tenant: usize,
    /// Where the second slash is.
    project: usize,
}

impl RepositoryName {
    const MAX: usize = 255;

    /// The tenant's slug.
    pub fn tenant(&self) -> &str {
        &self.full[..self.tenant]
    }

    /// The project's slug.
    pub fn project(&self) -> &str {
        &self.full[self.tenant + 1..self.project]
    }

    /// The image's name in its project.
    pub fn image(&self) -> &str {
        &self.full[self.project + 1..]
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.full
    }
}

impl FromStr for RepositoryName {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        let invalid = || error::name_invalid(s);
        if s.len() > Self::MAX || !s.split('/').all(is_component) {
            return Err(invalid());
        }
        let tenant = s.find('/').ok_or_else(invalid)?;
        let project = tenant + 1 + s[tenant + 1..].find('/').ok_or_else(invalid)?;
        Ok(Self { full: s.to_owned(), tenant, project })
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(s: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = s.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
        && bytes
            .split(u8::is_ascii_alphanumeric)
            .all(|separator| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-'))
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag(String);

impl Tag {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let good = (1..=128).contains(&s.len())
            && word(s.as_bytes()[0])
            && s.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'));
        if good { Ok(Self(s.to_owned())) } else { Err(error::tag_invalid(s)) }
    }
}

/// The tag under which clients keep an index of a manifest's referrers (OCI Distribution Specification 1.1, "Referrers Tag
/// Schema").
pub fn referrers_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// The manifest that a tag is named after: `sha256-<hex>`, or that and an extension.
pub fn subject_of(tag: &str) -> Option<Digest> {
    let rest = tag.strip_prefix("sha256-")?;
    let (hex, extension) = rest.split_at_checked(64)?;
    if !(extension.is_empty() || extension.starts_with('.')) {
        return None;
    }
    format!("sha256:{hex}").parse().ok()
}

/// Whether a tag is one of the referrers tag schema, or one of those that signers made of it: `sha256-<hex>.sig`.
pub fn is_referrers_tag(tag: &str) -> bool {
    subject_of(tag).is_some()
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a manifest is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By a name that can move.
    Tag(Tag),
    /// By its content.
    Digest(Digest),
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        // A colon cannot stand in a tag.
        if s.contains(':') { error::digest(s).map(Self::Digest) } else { s.parse().map(Self::Tag) }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::Regex;
    use std::sync::LazyLock;

    static COMPONENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$").unwrap());
    static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$").unwrap());

    #[test]
    fn a_name_has_a_tenant_a_project_and_an_image() {
        let name: RepositoryName = "acme/hello/web/api".parse().unwrap();
        assert_eq!((name.tenant(), name.project(), name.image()), ("acme", "hello", "web/api"));
        for bad in
            ["", "acme", "acme/hello", "acme/hello/", "/acme/hello/x", "acme//x", "acme/Hello/x", "acme/hello/x..y"]
        {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad}");
        }
        assert!(format!("a/b/{}", "x".repeat(251)).parse::<RepositoryName>().is_ok());
        assert!(format!("a/b/{}", "x".repeat(252)).parse::<RepositoryName>().is_err());
    }

    #[test]
    fn a_reference_with_a_colon_is_a_digest() {
        let digest = Digest::of(b"x").to_string();
        assert!(matches!(digest.parse(), Ok(Reference::Digest(_))));
        assert!(matches!("v1.0".parse(), Ok(Reference::Tag(_))));
        assert_eq!("sha256:zz".parse::<Reference>().unwrap_err().code(), "DIGEST_INVALID");
        assert_eq!("-x".parse::<Reference>().unwrap_err().code(), "TAG_INVALID");
    }

    #[test]
    fn tags_of_referrers_are_known() {
        let tag = referrers_tag(&Digest::of(b"x"));
        assert!(is_referrers_tag(&tag) && is_referrers_tag(&format!("{tag}.sig")));
        for other in ["latest", "sha256-", &tag[..70], &format!("{tag}0"), &tag.to_uppercase(), &tag.replace('-', ":")]
        {
            assert!(!is_referrers_tag(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn components_follow_the_grammar_of_the_specification(s in "[a-zA0._\\-/é]{0,10}") {
            prop_assert_eq!(is_component(&s), COMPONENT.is_match(&s), "{}", s);
        }

        #[test]
        fn tags_follow_the_grammar_of_the_specification(s in "[a-zA-Z0-9._:/ \\-]{0,130}") {
            prop_assert_eq!(s.parse::<Tag>().is_ok(), TAG.is_match(&s), "{}", s);
        }

        #[test]
        fn a_name_that_parses_is_put_together_from_its_parts(s in "[a-z0-9/._\\-]{0,40}") {
            if let Ok(name) = s.parse::<RepositoryName>() {
                prop_assert_eq!(format!("{}/{}/{}", name.tenant(), name.project(), name.image()), s);
            }
        }
    }
}
