//! Who may do what with a repository: people and API keys by their permissions in its project and their roles on it alone,
//! running builds, robot accounts, and everybody with what is public.

use super::Registry;
use super::tokens::Credentials;
use crate::images::registry::access::{Access, Grant, Lease, Pass, Place};
use crate::images::registry::error;
use crate::images::registry::gates::{ROBOT_SECRET_START, Robot, Standing};
use crate::images::registry::model::{Action, Actions, RepositoryName, Scope};
use crate::images::registry::store;
use crate::kernel::ids::{ProjectId, TenantId, UserId};
use crate::kernel::{Actor, Error, Kind, Result};
use crate::platform::db::TenantStatement;
use crate::tenancy::access::{Caller, RequestInfo};
use secrecy::ExposeSecret;
use std::borrow::Cow;

/// Whoever asks, as far as it decides what they may do.
enum Holder {
    /// Somebody who has not signed in.
    Nobody,
    /// A person, or an API key of theirs.
    Person(Caller),
    /// A running build: may pull in its tenant and push to these repositories.
    Build(Lease, Vec<String>),
    Robot(Robot),
}

impl Registry {
    /// Rights of these credentials on these repositories; without credentials, on those that are public. 401 when they do
    /// not hold, 429 for an address that asks too often without them.
    pub async fn sign_in(
        &self,
        credentials: Option<&Credentials>,
        scopes: Vec<Scope>,
        request: RequestInfo,
    ) -> Result<Access> {
        let (holder, mut access) = match credentials {
            None => (Holder::Nobody, self.admit(Access::anonymous(), request)?),
            Some(credentials) => self.holder(credentials, &scopes, request).await?,
        };
        for scope in scopes {
            access.grants.push(self.grant(&holder, scope).await?);
        }
        Ok(access)
    }

    /// The rights that a token carries. 401 when it is not one of ours or has expired, 429 for an address that uses one of
    /// nobody too often.
    pub fn verify_token(&self, token: &str, request: RequestInfo) -> Result<Access> {
        self.admit(self.tokens.verify(token)?, request)
    }

    /// Lets a request in; without credentials not too often from one address.
    fn admit(&self, access: Access, request: RequestInfo) -> Result<Access> {
        if access.is_anonymous() {
            let address = request.ip.map(|ip| ip.to_canonical().to_string()).unwrap_or_default();
            self.anonymous_limits.check(&address, None)?;
        }
        Ok(Access { request, ..access })
    }

    async fn holder(
        &self,
        credentials: &Credentials,
        scopes: &[Scope],
        request: RequestInfo,
    ) -> Result<(Holder, Access)> {
        let (username, password) = (credentials.username.as_str(), credentials.password.expose_secret());
        if let Some(build) = self.parts.build_robots.build_robot(username, password).await? {
            let (execution, attempt) = (build.execution, build.attempt);
            let lease = Lease { execution, attempt, tenant_id: build.tenant_id, project_id: build.project_id };
            let access = Access { lease: Some(lease), request, ..Access::of(Actor::Execution(execution), Vec::new()) };
            return Ok((Holder::Build(lease, build.push), access));
        }
        if password.starts_with(ROBOT_SECRET_START) {
            let robot = self.parts.robots.robot(username, password).await?.ok_or_else(|| {
                let message = "the robot account's name or secret is wrong, or it is disabled or has expired";
                Error::unauthenticated("UNAUTHORIZED", message)
            })?;
            let pass = Pass { robot: robot.id, tenant_id: robot.tenant_id, secret_version: robot.secret_version };
            let access = Access { robot: Some(pass), request, ..Access::of(Actor::Robot(robot.id), Vec::new()) };
            return Ok((Holder::Robot(robot), access));
        }
        let tenant = scopes.first().map(|s| s.name.tenant());
        let caller = Box::pin(self.parts.identity.authenticate_basic(username, password, tenant, request)).await;
        let caller = caller.map_err(|e| if e.kind() == Kind::Unauthenticated { wrong_credentials(e) } else { e })?;
        let access = Access { request: caller.request.clone(), ..Access::of(caller.actor.clone(), Vec::new()) };
        Ok((Holder::Person(caller), access))
    }

    /// Where a repository is that the holder of these rights may pull from now: clients ask for a token of a mount's
    /// target alone, so the rights on its source are looked up.
    pub(super) async fn readable(&self, access: &Access, name: &RepositoryName) -> Result<Option<Place>> {
        if let Ok(place) = access.place(name, Action::Pull) {
            return Ok(Some(place));
        }
        let holder = if let Some(lease) = access.lease {
            Holder::Build(lease, Vec::new())
        } else if let Some(pass) = access.robot {
            self.robot(pass).await?.map_or(Holder::Nobody, Holder::Robot)
        } else {
            let caller = Box::pin(self.parts.identity.caller_of(&access.actor, name.tenant())).await?;
            caller.map_or(Holder::Nobody, Holder::Person)
        };
        let asked = Scope { name: name.clone(), actions: [Action::Pull].into_iter().collect() };
        let grant = self.grant(&holder, asked).await?;
        Ok(grant.place.filter(|_| grant.allowed.has(Action::Pull)))
    }

    /// The robot that a token was made for, as it is now; none when it works no more or has another secret.
    pub(super) async fn robot(&self, pass: Pass) -> Result<Option<Robot>> {
        let robot = self.parts.robots.robot_of(pass.tenant_id, pass.robot).await?;
        Ok(robot.filter(|r| r.secret_version == pass.secret_version))
    }

    async fn grant(&self, holder: &Holder, asked: Scope) -> Result<Grant> {
        let found = match self.rights(holder, &asked.name).await? {
            None => self.public_place(&asked.name).await?.map(|place| (place, [Action::Pull].into_iter().collect())),
            own => own,
        };
        Ok(match found {
            Some((place, rights)) => {
                let allowed = asked.actions.filter(|action| rights.has(action));
                Grant { asked, allowed, place: Some(place) }
            }
            None => Grant { asked, allowed: Actions::default(), place: None },
        })
    }

    /// Where a repository of the holder's own tenant is, and all that they may do with it.
    async fn rights(&self, holder: &Holder, name: &RepositoryName) -> Result<Option<(Place, Actions)>> {
        let (caller, tenant) = match holder {
            Holder::Nobody => return Ok(None),
            Holder::Build(lease, _) => (None, lease.tenant_id),
            Holder::Robot(robot) => (None, robot.tenant_id),
            Holder::Person(caller) => match self.caller_in(caller, name.tenant()).await? {
                Some((caller, tenant)) => (Some(caller), tenant),
                None => return Ok(None),
            },
        };
        let Some((place, writable)) = self.project_place(tenant, name).await? else { return Ok(None) };
        let standing = self.standing(place, name, caller.as_ref().and_then(|c| c.user_id)).await?;
        let project = place.project_id;
        let may = |action: Action| match holder {
            Holder::Nobody => false,
            Holder::Build(lease, push) => match action {
                Action::Pull => !standing.closed || lease.project_id == project,
                Action::Push => push.iter().any(|own| own == name.as_str()),
                Action::Delete => false,
            },
            Holder::Robot(robot) => robot.may(action, project, name),
            Holder::Person(_) => caller.as_ref().is_some_and(|c| person_may(c, standing, action, place)),
        };
        let rights = Actions::all().filter(|action| match action {
            Action::Pull => standing.public || may(action),
            Action::Push | Action::Delete => writable && may(action),
        });
        Ok(Some((place, rights)))
    }

    /// The person in the tenant of a name, if they have a place there.
    async fn caller_in<'c>(&self, caller: &'c Caller, slug: &str) -> Result<Option<(Cow<'c, Caller>, TenantId)>> {
        let id = |c: &Caller| c.tenant.as_ref().filter(|t| t.slug == slug).map(|t| t.id);
        if let Some(tenant) = id(caller) {
            return Ok(Some((Cow::Borrowed(caller), tenant)));
        }
        let other = Box::pin(self.parts.identity.caller_of(&caller.actor, slug)).await?;
        Ok(other.and_then(|other| id(&other).map(|tenant| (Cow::Owned(other), tenant))))
    }

    /// The project behind a name in this tenant, and whether it may be written to: an archived one is read-only, and a
    /// suspended tenant has none.
    async fn project_place(&self, tenant_id: TenantId, name: &RepositoryName) -> Result<Option<(Place, bool)>> {
        if self.parts.tenants.slug_to_id(name.tenant()).await? != Some(tenant_id) {
            return Ok(None);
        }
        let project = self.parts.projects.by_slug(tenant_id, name.project()).await?;
        Ok(project.map(|p| (Place { tenant_id, project_id: p.id }, p.require_active().is_ok())))
    }

    async fn standing(&self, place: Place, name: &RepositoryName, user: Option<UserId>) -> Result<Standing> {
        let mut at = self.parts.db.statement(place.tenant_id).await?;
        let standing = match self.parts.shelf.standing(&mut at, place.project_id, name.image(), user).await? {
            Some(standing) => standing,
            None => self.standing_without_image(&mut at, place.project_id, name).await?,
        };
        at.keep();
        Ok(standing)
    }

    /// A layer cache may hold any image of its project, and is as closed as the most closed of them.
    async fn standing_without_image(
        &self,
        at: &mut TenantStatement,
        project: ProjectId,
        name: &RepositoryName,
    ) -> Result<Standing> {
        let closed = store::repositories::has_layer_cache(at, project, name.image()).await?
            && self.parts.shelf.any_closed(at, project).await?;
        Ok(Standing { closed, ..Standing::default() })
    }

    /// Where a repository is that everybody may pull. For all others the answer takes the same one look, whether they
    /// exist or not.
    async fn public_place(&self, name: &RepositoryName) -> Result<Option<Place>> {
        let mut tx = self.parts.db.system("find a public repository").await?;
        let found = self.parts.shelf.public_place(&mut tx, name).await?;
        drop(tx);
        let Some(place) = found else { return Ok(None) };
        let tenant = self.parts.tenants.slug_to_id(name.tenant()).await?;
        Ok(Some(place).filter(|p| tenant == Some(p.tenant_id)))
    }

    /// Where the repository is, if it may be written: a build must still hold its lease, a robot still have its right.
    pub(super) async fn place_to_write(&self, access: &Access, name: &RepositoryName, action: Action) -> Result<Place> {
        let place = access.place(name, action)?;
        if let Some(lease) = access.lease
            && !self.parts.build_robots.lease_alive(lease.execution, lease.attempt).await?
        {
            return Err(error::denied_because("the build behind this token has ended or lost its lease"));
        }
        if let Some(pass) = access.robot
            && !self.robot(pass).await?.is_some_and(|robot| robot.may(action, place.project_id, name))
        {
            return Err(error::denied_because("the robot account behind this token may not do this any more"));
        }
        if action == Action::Push && self.is_cache(access, place).await? {
            return Err(error::denied_because("the project is a cache of another registry: nothing is pushed to it"));
        }
        Ok(place)
    }
}

/// A right in the project opens what is not closed to those outside of it; a role on the repository opens that alone.
fn person_may(caller: &Caller, standing: Standing, action: Action, place: Place) -> bool {
    let (permission, project) = (action.permission(), place.project_id);
    let by_project = caller.has_in(permission, project) && (!standing.closed || caller.belongs_to(project));
    by_project || (standing.granted.has(action) && caller.carries(permission, project))
}

fn wrong_credentials(cause: Error) -> Error {
    Error::unauthenticated("UNAUTHORIZED", cause.message().to_owned()).with_source(cause)
}
