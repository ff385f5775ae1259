//! Patterns of repositories, such as `hello/*`.

use super::RepositoryName;
use crate::kernel::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// Stands for repositories of one tenant, by `<project>/<image>`; `*` stands for any characters, slashes too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryPattern(String);

impl RepositoryPattern {
    const MAX: usize = 255;

    /// Whether it stands for this repository of its tenant.
    pub fn matches(&self, name: &RepositoryName) -> bool {
        let name = &name.as_str()[name.tenant().len() + 1..];
        let mut parts = self.0.split('*');
        let (first, last) = (parts.next().unwrap_or_default(), parts.next_back());
        let (Some(last), Some(rest)) = (last, name.strip_prefix(first)) else { return self.0 == name };
        let Some(mut rest) = rest.strip_suffix(last) else { return false };
        // What lies between stars is found as early as it can be, which leaves the most for what follows.
        parts.all(|part| match rest.split_once(part) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    }
}

impl FromStr for RepositoryPattern {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-/*".contains(&b);
        if (1..=Self::MAX).contains(&s.len()) && s.bytes().all(plain) {
            Ok(Self(s.to_owned()))
        } else {
            Err(Error::invalid(
                "pattern.invalid",
                "a pattern is <project>/<image>, in which * stands for any characters",
            ))
        }
    }
}

impl fmt::Display for RepositoryPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::Regex;

    #[test]
    fn a_star_stands_for_any_characters() {
        let matches = |pattern: &str, name: &str| {
            pattern.parse::<RepositoryPattern>().unwrap().matches(&format!("acme/{name}").parse().unwrap())
        };
        for (pattern, name) in
            [("*", "hello/web"), ("hello/*", "hello/web/api"), ("*/web", "hello/web"), ("hello/web", "hello/web")]
        {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("hello/*", "other/web"), ("hello/web", "hello/web2"), ("web", "hello/web")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        for bad in ["", "Hello/*", "hello web", "a/é"] {
            assert!(bad.parse::<RepositoryPattern>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_pattern_matches_as_the_regular_expression_does(pattern in "[ab/*]{1,8}", name in "[ab]{1,4}/[ab]{1,4}") {
            let regex = Regex::new(&format!("^{}$", pattern.replace('*', ".*"))).unwrap();
            let full: RepositoryName = format!("acme/{name}").parse().unwrap();
            let found = pattern.parse::<RepositoryPattern>().unwrap().matches(&full);
            prop_assert_eq!(found, regex.is_match(&name), "{} {}", pattern, name);
        }
    }
}
