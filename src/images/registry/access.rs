//! What one request, or one token, may do with which repositories.

use super::error;
use super::model::{Action, Actions, RepositoryName, Scope};
use crate::kernel::ids::{ExecutionId, ProjectId, RobotId, TenantId};
use crate::kernel::{Actor, Result};
use crate::tenancy::access::RequestInfo;
use serde::{Deserialize, Serialize};

/// Rights on repositories, decided when a token was made or, with a password on the request itself, just now.
#[derive(Debug, Clone)]
pub struct Access {
    /// Who asks.
    pub(super) actor: Actor,
    /// The lease of a running build: its rights end with it.
    pub(super) lease: Option<Lease>,
    /// The robot account behind it: its rights to write end with it.
    pub(super) robot: Option<Pass>,
    pub(super) grants: Vec<Grant>,
    /// Where the request came from; a token has none.
    pub(super) request: RequestInfo,
}

/// The attempt of a build that works with the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    pub execution: ExecutionId,
    pub attempt: i32,
    pub tenant_id: TenantId,
    pub project_id: ProjectId,
}

/// The robot account that a token was made for, and with which of its secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    pub robot: RobotId,
    pub tenant_id: TenantId,
    pub secret_version: i32,
}

/// The answer to one scope.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The repository and what was asked for.
    pub asked: Scope,
    /// What of it is allowed; nothing where the place is not known.
    pub allowed: Actions,
    /// The tenant and project behind the name, if the caller may do anything there.
    pub place: Option<Place>,
}

/// A project of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The project.
    pub project_id: ProjectId,
}

impl Access {
    /// Nobody: may do nothing.
    pub fn anonymous() -> Self {
        Self::of(Actor::Anonymous, Vec::new())
    }

    /// Rights that do not end before the token.
    pub(super) fn of(actor: Actor, grants: Vec<Grant>) -> Self {
        Self { actor, lease: None, robot: None, grants, request: RequestInfo::default() }
    }

    /// The service itself in one repository: may do everything there. The text says which part of it.
    pub fn service(part: &str, place: Place, name: &RepositoryName) -> Self {
        Self::of(Actor::system(part), Vec::new()).and(place, name)
    }

    /// The same in another repository, too.
    #[must_use]
    pub fn and(mut self, place: Place, name: &RepositoryName) -> Self {
        let asked = Scope { name: name.clone(), actions: Actions::all() };
        self.grants.push(Grant { allowed: asked.actions, asked, place: Some(place) });
        self
    }

    /// Whether it is the service itself.
    pub(super) fn is_service(&self) -> bool {
        matches!(self.actor, Actor::System(_))
    }

    /// Whether nobody stands behind it.
    pub fn is_anonymous(&self) -> bool {
        self.actor == Actor::Anonymous
    }

    /// Where the repository is, if this may be done to it. 401 while another token could help, 403 when it was asked for
    /// and refused; neither tells whether the repository exists.
    pub(super) fn place(&self, name: &RepositoryName, action: Action) -> Result<Place> {
        let grant = self.grants.iter().find(|g| g.asked.name == *name);
        match grant {
            Some(Grant { allowed, place: Some(place), .. }) if allowed.has(action) => Ok(*place),
            Some(g) if g.asked.actions.has(action) && !self.is_anonymous() => Err(error::denied()),
            _ => Err(error::unauthorized()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Kind;
    use crate::kernel::ids::UserId;

    #[test]
    fn what_was_not_asked_for_may_be_asked_for_and_what_was_refused_is_refused() {
        let place = Place { tenant_id: TenantId::new(), project_id: ProjectId::new() };
        let scope = |text: &str| Scope::parse_all(text).remove(0);
        let grant = |text: &str, allowed: &[Action], place| Grant {
            asked: scope(text),
            allowed: allowed.iter().copied().collect(),
            place,
        };
        let grants = vec![
            grant("repository:acme/hello/web:pull,push", &[Action::Pull], Some(place)),
            grant("repository:other/x/y:pull", &[], None),
        ];
        let access = Access::of(Actor::User(UserId::new()), grants);
        let kind = |name: &str, action| access.place(&name.parse().unwrap(), action).map_err(|e| e.kind());
        assert_eq!(kind("acme/hello/web", Action::Pull), Ok(place));
        assert_eq!(kind("acme/hello/web", Action::Push), Err(Kind::Forbidden));
        assert_eq!(kind("acme/hello/web", Action::Delete), Err(Kind::Unauthenticated));
        assert_eq!(kind("acme/hello/api", Action::Pull), Err(Kind::Unauthenticated));
        assert_eq!(kind("other/x/y", Action::Pull), Err(Kind::Forbidden));
    }
}
