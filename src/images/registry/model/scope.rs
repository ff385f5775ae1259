//! What a token is for: `repository:<name>:pull,push,delete` (Docker Registry token specification, "Token Scope").

use super::RepositoryName;
use crate::tenancy::access::Permission;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// One thing to do with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Read manifests, tags and blobs.
    Pull,
    /// Write them.
    Push,
    /// Delete them.
    Delete,
}

impl Action {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::Pull, Self::Push, Self::Delete];

    /// As written in scopes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }

    /// What a person needs for it in the repository's project.
    pub fn permission(self) -> Permission {
        match self {
            Self::Pull => Permission::ImagePull,
            Self::Push => Permission::ImagePush,
            Self::Delete => Permission::ImageDelete,
        }
    }
}

/// A set of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Action>", into = "Vec<Action>")]
pub struct Actions(u8);

impl Actions {
    /// Whether it holds this one.
    pub fn has(self, action: Action) -> bool {
        self.0 & (1 << action as u8) != 0
    }

    /// Whether it holds nothing.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Every action.
    pub fn all() -> Self {
        Action::ALL.into_iter().collect()
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those for which the answer is yes.
    #[must_use]
    pub fn filter(self, allowed: impl Fn(Action) -> bool) -> Self {
        Action::ALL.into_iter().filter(|a| self.has(*a) && allowed(*a)).collect()
    }
}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        Self(actions.into_iter().fold(0, |set, a| set | (1 << a as u8)))
    }
}

impl From<Vec<Action>> for Actions {
    fn from(actions: Vec<Action>) -> Self {
        actions.into_iter().collect()
    }
}

impl From<Actions> for Vec<Action> {
    fn from(actions: Actions) -> Self {
        Action::ALL.into_iter().filter(|a| actions.has(*a)).collect()
    }
}

/// Actions on one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The repository.
    pub name: RepositoryName,
    /// What is to be done with it.
    pub actions: Actions,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actions: Vec<_> = Vec::<Action>::from(self.actions).into_iter().map(Action::as_str).collect();
        write!(f, "repository:{}:{}", self.name, actions.join(","))
    }
}

impl Scope {
    /// Asks to list repositories. A token needs no such right: whoever it was made for sees what they may pull.
    pub const CATALOG: &str = "registry:catalog:*";

    /// Most scopes of one token.
    pub const MAX: usize = 16;

    /// Reads the scopes of a request, parted by spaces. What is not understood grants nothing and is left out: other
    /// types, other actions, names that cannot exist.
    pub fn parse_all(text: &str) -> Vec<Self> {
        let mut scopes: Vec<Self> = Vec::new();
        for scope in text.split_ascii_whitespace().filter_map(Self::parse) {
            if let Some(known) = scopes.iter_mut().find(|s| s.name == scope.name) {
                known.actions = known.actions.union(scope.actions);
            } else if scopes.len() < Self::MAX {
                scopes.push(scope);
            }
        }
        scopes
    }

    fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        // A class may follow the type: `repository(plugin)`.
        if kind.split('(').next() != Some("repository") {
            return None;
        }
        let mut set = Vec::new();
        for word in actions.split(',') {
            match word {
                "*" => set.extend(Action::ALL),
                _ => set.extend(Action::ALL.into_iter().find(|a| a.as_str() == word)),
            }
        }
        Some(Self { name: name.parse().ok()?, actions: set.into_iter().collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scopes_are_read_and_strangers_left_out() {
        let scopes = Scope::parse_all(
            "repository:acme/hello/web:pull repository:acme/hello/web:push registry:catalog:* repository:bad:pull repository(x):a/b/c:*,fly",
        );
        assert_eq!(scopes.len(), 2);
        assert_eq!(scopes[0].name.as_str(), "acme/hello/web");
        assert!(scopes[0].actions.has(Action::Push) && !scopes[0].actions.has(Action::Delete));
        assert!(Action::ALL.into_iter().all(|a| scopes[1].actions.has(a)));
        assert_eq!(scopes[0].to_string(), "repository:acme/hello/web:pull,push");
        assert_eq!(serde_json::to_string(&scopes[0].actions).unwrap(), r#"["pull","push"]"#);
    }

    proptest! {
        #[test]
        fn reading_scopes_never_panics_and_is_bounded(text in ".{0,200}") {
            prop_assert!(Scope::parse_all(&text).len() <= Scope::MAX);
        }

        #[test]
        fn actions_read_back_what_they_write(set in proptest::collection::vec(0usize..3, 0..5)) {
            let actions: Actions = set.into_iter().map(|n| Action::ALL[n]).collect();
            let json = serde_json::to_string(&actions).unwrap();
            prop_assert_eq!(serde_json::from_str::<Actions>(&json).unwrap(), actions);
        }
    }
}
