//! Listing names: of a repository's tags, and of repositories.

use super::Registry;
use crate::images::registry::access::{Access, Pass};
use crate::images::registry::error;
use crate::images::registry::model::{Action, RepositoryName, RepositoryPattern};
use crate::images::registry::store;
use crate::kernel::Result;
use crate::kernel::ids::{ImageId, ProjectId, TenantId, UserId};
use crate::tenancy::access::Permission;
use std::collections::HashSet;

/// A part of a list of names.
#[derive(Debug)]
pub struct NamePage {
    /// In the order of their bytes.
    pub names: Vec<String>,
    /// Whether there are more.
    pub more: bool,
}

impl NamePage {
    fn cut(mut names: Vec<String>, limit: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or_default();
        let more = names.len() > limit;
        names.truncate(limit);
        Self { names, more: more && limit > 0 }
    }
}

impl Registry {
    /// Most names of one answer, also where the client sets no limit.
    pub const MAX_NAMES: i64 = 10_000;

    /// Names of a repository's tags after `last`.
    pub async fn tags(&self, access: &Access, name: &RepositoryName, last: &str, limit: i64) -> Result<NamePage> {
        let place = access.place(name, Action::Pull)?;
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        let repository = store::repositories::find(&mut tx, place.project_id, name.image()).await?;
        let repository = repository.ok_or_else(error::name_unknown)?;
        let names = store::tags::names(&mut tx, repository, last, limit + 1).await?;
        Ok(NamePage::cut(names, limit))
    }

    /// Names after `last` of the repositories that whoever asks may pull from now, in all their tenants. A running build
    /// knows its repositories and is shown none.
    pub async fn repositories(&self, access: &Access, last: &str, limit: i64) -> Result<NamePage> {
        if access.is_anonymous() {
            return Err(error::unauthorized());
        }
        let limit_of = |found: &Vec<String>| limit + 1 - i64::try_from(found.len()).unwrap_or(limit);
        let mut names = Vec::new();
        for readable in self.readable_tenants(access).await? {
            let mut last = last.to_owned();
            // What is hidden is left out, so that a part of the list may take several looks.
            while limit_of(&names) > 0 {
                let wanted = limit_of(&names);
                let found = self.readable_names(&readable, &last, wanted).await?;
                names.extend(found.names);
                match found.read_up_to {
                    Some(name) => last = name,
                    None => break,
                }
            }
        }
        Ok(NamePage::cut(names, limit))
    }

    /// At most so many names after `last` that are not hidden.
    async fn readable_names(&self, readable: &Readable, last: &str, limit: i64) -> Result<Part> {
        // Every name of a tenant begins with its slug and a slash; a 0 comes next after the slash.
        if last >= format!("{}0", readable.slug).as_str() {
            return Ok(Part { names: Vec::new(), read_up_to: None });
        }
        let projects = readable.projects.as_deref();
        let mut tx = self.parts.db.tenant(readable.tenant_id).await?;
        let found = store::repositories::named_after(&mut tx, projects, last, limit).await?;
        let ids: Vec<ImageId> = found.iter().map(|(id, _)| *id).collect();
        let (member_of, user) = (readable.member_of.as_deref(), readable.user_id);
        let hidden: HashSet<ImageId> =
            self.parts.shelf.hidden(&mut tx, &ids, member_of, user).await?.into_iter().collect();
        let whole = i64::try_from(found.len()).is_ok_and(|n| n == limit);
        let read_up_to = found.last().filter(|_| whole).map(|(_, name)| name.clone());
        let mut names = Vec::new();
        for (_, text) in found.into_iter().filter(|(id, _)| !hidden.contains(id)) {
            let matches = match &readable.patterns {
                None => true,
                Some(patterns) => {
                    let name = text.parse()?;
                    patterns.iter().any(|p| p.matches(&name))
                }
            };
            if matches {
                names.push(text);
            }
        }
        Ok(Part { names, read_up_to })
    }

    /// Where whoever asks may pull, in the order of the repositories' names.
    async fn readable_tenants(&self, access: &Access) -> Result<Vec<Readable>> {
        if let Some(pass) = access.robot {
            return self.readable_tenant_of_robot(pass).await;
        }
        let mut tenants = Vec::new();
        for caller in self.parts.identity.callers_of(&access.actor).await? {
            if let (Some(tenant), Ok(projects)) = (&caller.tenant, caller.projects_with(Permission::ImagePull)) {
                tenants.push(Readable {
                    tenant_id: tenant.id,
                    slug: tenant.slug.clone(),
                    projects,
                    member_of: tenant.member_of.as_ref().map(|all| all.iter().copied().collect()),
                    user_id: caller.user_id,
                    patterns: None,
                });
            }
        }
        tenants.sort_by_cached_key(|t| format!("{}/", t.slug));
        Ok(tenants)
    }

    async fn readable_tenant_of_robot(&self, pass: Pass) -> Result<Vec<Readable>> {
        let robot = self.robot(pass).await?.filter(|r| r.actions.has(Action::Pull));
        let readable = robot.map(|robot| Readable {
            tenant_id: robot.tenant_id,
            slug: robot.tenant_slug,
            projects: robot.project_id.map(|only| vec![only]),
            member_of: None,
            user_id: None,
            patterns: Some(robot.repositories),
        });
        Ok(readable.into_iter().collect())
    }
}

/// Where somebody may pull in a tenant.
struct Readable {
    tenant_id: TenantId,
    slug: String,
    /// In these projects; in all when none.
    projects: Option<Vec<ProjectId>>,
    /// Closed repositories of these projects too; of all when none.
    member_of: Option<Vec<ProjectId>>,
    /// And of those on which this person has a role.
    user_id: Option<UserId>,
    /// Repositories that match one of these alone.
    patterns: Option<Vec<RepositoryPattern>>,
}

/// A part of a tenant's list.
struct Part {
    names: Vec<String>,
    /// The last name that was looked at; none at the end.
    read_up_to: Option<String>,
}
