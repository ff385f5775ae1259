//! Which resource a path means. Repository names hold slashes, so a path is read from its end.

use super::super::error;
use super::super::model::{Action, RepositoryName, Scope};
use crate::kernel::{Error, Kind, Result};
use http::Method;

/// What a path under `/v2/` means. Digests, references and ids are read where they are used.
#[derive(Debug)]
pub enum Target {
    Manifest(RepositoryName, String),
    Tags(RepositoryName),
    Referrers(RepositoryName, String),
    /// The repositories.
    Catalog,
    Blob(RepositoryName, String),
    Uploads(RepositoryName),
    Upload(RepositoryName, String),
}

impl Target {
    /// For metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Manifest(..) => "manifest",
            Self::Tags(..) => "tags",
            Self::Referrers(..) => "referrers",
            Self::Catalog => "catalog",
            Self::Blob(..) => "blob",
            Self::Uploads(..) => "uploads",
            Self::Upload(..) => "upload",
        }
    }

    /// What a token needs for it; nothing where no repository is named.
    pub fn scope(&self, method: &Method) -> Option<Scope> {
        let (Self::Manifest(name, _)
        | Self::Tags(name)
        | Self::Referrers(name, _)
        | Self::Blob(name, _)
        | Self::Uploads(name)
        | Self::Upload(name, _)) = self
        else {
            return None;
        };
        let upload = matches!(self, Self::Uploads(..) | Self::Upload(..));
        let actions: &[Action] = match *method {
            Method::DELETE if !upload => &[Action::Delete],
            Method::GET | Method::HEAD if !upload => &[Action::Pull],
            _ => &[Action::Pull, Action::Push],
        };
        Some(Scope { name: name.clone(), actions: actions.iter().copied().collect() })
    }
}

/// Reads what follows `/v2/`.
pub fn parse(path: &str) -> Result<Target> {
    let unknown = || Error::new(Kind::NotFound, "UNSUPPORTED", "the registry has no such endpoint");
    if path == "_catalog" {
        return Ok(Target::Catalog);
    }
    let (head, last) = path.rsplit_once('/').ok_or_else(unknown)?;
    let (name, kind) = head.rsplit_once('/').ok_or_else(unknown)?;
    match kind {
        "manifests" => Ok(Target::Manifest(name.parse()?, last.to_owned())),
        "tags" if last == "list" => Ok(Target::Tags(name.parse()?)),
        "referrers" => Ok(Target::Referrers(name.parse()?, last.to_owned())),
        // `blobs/uploads/` and, from clients that leave the last slash away, `blobs/uploads`.
        "blobs" if last == "uploads" => Ok(Target::Uploads(name.parse()?)),
        "blobs" => Ok(Target::Blob(name.parse()?, last.to_owned())),
        "uploads" => {
            let name: RepositoryName = name.strip_suffix("/blobs").ok_or_else(unknown)?.parse()?;
            Ok(if last.is_empty() { Target::Uploads(name) } else { Target::Upload(name, last.to_owned()) })
        }
        _ => Err(unknown()),
    }
}

/// Reads the id of an upload: one that is no id is no upload.
pub fn upload_id(text: &str) -> Result<crate::kernel::ids::UploadId> {
    text.parse().map_err(|_| error::upload_unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_their_end() {
        let of = |path: &str| {
            let target = parse(path).unwrap();
            format!(
                "{} {}",
                target.label(),
                target.scope(&Method::GET).map_or_else(String::new, |s| s.name.to_string())
            )
        };
        assert_eq!(of("a/b/c/manifests/latest"), "manifest a/b/c");
        assert_eq!(of("a/b/blobs/manifests/x"), "manifest a/b/blobs");
        assert_eq!(of("a/b/c/blobs/sha256:00"), "blob a/b/c");
        assert_eq!(of("a/b/c/blobs/uploads/"), "uploads a/b/c");
        assert_eq!(of("a/b/c/blobs/uploads"), "uploads a/b/c");
        assert_eq!(of("a/b/c/blobs/uploads/x"), "upload a/b/c");
        assert_eq!(of("a/b/c/tags/list"), "tags a/b/c");
        assert_eq!(of("a/b/c/referrers/sha256:00"), "referrers a/b/c");
        assert_eq!(of("_catalog"), "catalog ");
        for bad in ["", "a", "a/b", "a/b/c/tags/x", "a/b/c/uploads/x", "a/manifests/x", "A/b/c/manifests/x"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
