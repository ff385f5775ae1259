//! Listing names: of a repository's tags, and of repositories.

use super::Registry;
use crate::images::registry::access::{Access, Pass};
use crate::images::registry::error;
use crate::images::registry::model::{Action, RepositoryName};
use crate::images::registry::store;
use crate::kernel::Result;

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

    /// Names after `last` of the repositories with manifests that whoever asks may pull from now, in all their tenants. A
    /// running build knows its repositories and is shown none.
    pub async fn repositories(&self, access: &Access, last: &str, limit: i64) -> Result<NamePage> {
        if access.is_anonymous() {
            return Err(error::unauthorized());
        }
        if let Some(pass) = access.robot {
            return self.repositories_of_robot(pass, last, limit).await;
        }
        let callers = Box::pin(self.parts.identity.callers_of(&access.actor)).await?;
        let mut callers: Vec<_> = callers.iter().filter_map(|c| Some((c.tenant.as_ref()?, c))).collect();
        // Every name of a tenant begins with its slug and a slash.
        callers.sort_by_cached_key(|(tenant, _)| format!("{}/", tenant.slug));
        let mut names = Vec::new();
        for (tenant, caller) in callers {
            let wanted = limit + 1 - i64::try_from(names.len()).unwrap_or(limit);
            // A 0 comes next after the slash.
            if wanted > 0 && last < format!("{}0", tenant.slug).as_str() {
                let mut tx = self.parts.db.tenant(tenant.id).await?;
                names.extend(self.parts.shelf.repositories(&mut tx, caller, last, wanted).await?);
            }
        }
        Ok(NamePage::cut(names, limit))
    }

    async fn repositories_of_robot(&self, pass: Pass, last: &str, limit: i64) -> Result<NamePage> {
        let Some(robot) = self.robot(pass).await?.filter(|r| r.actions.has(Action::Pull)) else {
            return Ok(NamePage::cut(Vec::new(), limit));
        };
        let (tenant, slug) = (robot.tenant_id, &robot.tenant_slug);
        let within = match robot.project_id {
            Some(project) => format!("{slug}/{}/", self.parts.projects.by_id(tenant, project).await?.slug),
            None => format!("{slug}/"),
        };
        let patterns: Vec<String> = robot.repositories.iter().map(|p| format!("{slug}/{p}")).collect();
        let mut tx = self.parts.db.tenant(tenant).await?;
        let names = self.parts.shelf.repositories_matching(&mut tx, &within, &patterns, last, limit + 1).await?;
        Ok(NamePage::cut(names, limit))
    }
}
