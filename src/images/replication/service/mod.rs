//! Use cases of replication: rules here, runs in `runs`, what a run does in `work` and `copy`.

mod copy;
mod runs;
mod work;

pub use runs::RUN;

use super::model::{Direction, NewRule, Password, ReplicationRule, RuleChange, seal_context};
use super::store::rules::RuleRow;
use super::{events, store};
use crate::images::catalog::Catalog;
use crate::images::registry::{Place, Registry};
use crate::images::remotes::{Client, Login, Purpose, Remote, parse_url};
use crate::kernel::ids::{ReplicationRuleId, TenantId};
use crate::kernel::secret::Keyring;
use crate::kernel::{Clock, Error, Page, PageRequest, Result};
use crate::platform::db::{Db, TenantTx};
use crate::platform::events::{Events, publish};
use crate::platform::http::IfMatch;
use crate::tenancy::access::{Caller, Permission};
use crate::tenancy::audit::{self, Entry};
use crate::tenancy::projects::{Project, Projects};
use crate::tenancy::tenants::Tenants;
use serde_json::{Value, json};

/// The most rules of one project.
const MAX_RULES: i64 = 50;

/// Replication between projects and other registries. Cheap to clone.
#[derive(Clone)]
pub struct Replication {
    db: Db,
    clock: Clock,
    keyring: Keyring,
    events: Events,
    tenants: Tenants,
    projects: Projects,
    registry: Registry,
    catalog: Catalog,
    client: Client,
}

/// What replication works with.
pub struct Parts {
    pub db: Db,
    pub clock: Clock,
    pub keyring: Keyring,
    pub events: Events,
    pub tenants: Tenants,
    pub projects: Projects,
    pub registry: Registry,
    pub catalog: Catalog,
    pub client: Client,
}

impl Replication {
    /// The rules of this database.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, clock, keyring, events, tenants, projects, registry, catalog, client } = parts;
        Self { db, clock, keyring, events, tenants, projects, registry, catalog, client }
    }

    /// Makes a rule.
    pub async fn create_rule(&self, caller: &Caller, project: &str, new: NewRule) -> Result<ReplicationRule> {
        let project = self.project(caller, project).await?;
        project.require_active()?;
        let now = self.clock.now();
        let mut rule = ReplicationRule {
            id: ReplicationRuleId::new(),
            project_id: project.id,
            name: new.name,
            direction: new.direction,
            url: new.url,
            username: new.login.as_ref().map(|l| l.username.clone()),
            images: new.images,
            tags: new.tags,
            overwrite: new.overwrite,
            enabled: new.enabled,
            on_push: new.on_push,
            every_minutes: new.every_minutes,
            next_run_at: None,
            last_run: None,
            created_by: caller.actor.to_string(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        rule.next_run_at = rule.next_after(now);
        self.check(&rule).await?;
        let place = Place { tenant_id: project.tenant_id, project_id: project.id };
        if rule.direction == Direction::Pull {
            self.registry.require_no_cache(place).await?;
        }
        let context = seal_context(project.tenant_id, rule.id);
        let sealed = new.login.map(|login| login.sealed(&self.keyring, &context)).transpose()?;
        let row = RuleRow { rule, place: format!("{}/{}", caller.tenant()?.slug, project.slug), sealed };
        let mut tx = self.db.tenant(project.tenant_id).await?;
        if store::rules::count(&mut tx, project.id).await? >= MAX_RULES {
            let text = format!("the project has {MAX_RULES} replication rules, which is the most");
            return Err(Error::conflict("replication_rule.too_many", text));
        }
        store::rules::insert(&mut tx, &row).await?;
        self.record(&mut tx, caller, "replication_rule.created", None, &row.rule).await?;
        tx.commit().await?;
        Ok(row.rule)
    }

    /// The rules of a project with their newest runs, in order of creation.
    pub async fn rules(&self, caller: &Caller, project: &str, page: &PageRequest) -> Result<Page<ReplicationRule>> {
        let project = self.project(caller, project).await?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        let rows = store::rules::list(&mut tx, project.id, page.after()?, page.fetch()).await?;
        let mut page = page.page(rows, |r| r.rule.id)?.map(|r| r.rule);
        add_newest_runs(&mut tx, &mut page.items).await?;
        Ok(page)
    }

    /// A rule with its newest run.
    pub async fn rule(&self, caller: &Caller, project: &str, id: ReplicationRuleId) -> Result<ReplicationRule> {
        let project = self.project(caller, project).await?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        let mut rule = [find(&mut tx, &project, id).await?.rule];
        add_newest_runs(&mut tx, &mut rule).await?;
        let [rule] = rule;
        Ok(rule)
    }

    /// Changes a rule.
    pub async fn update_rule(
        &self,
        caller: &Caller,
        project: &str,
        id: ReplicationRuleId,
        change: RuleChange,
        if_match: IfMatch,
    ) -> Result<ReplicationRule> {
        let project = self.project(caller, project).await?;
        project.require_active()?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        let before = find(&mut tx, &project, id).await?;
        drop(tx);
        if_match.check(before.rule.version)?;
        let (rule, password) = before.rule.changed(change, self.clock.now())?;
        self.check(&rule).await?;
        let sealed = match password {
            Password::Stays => before.sealed,
            Password::Goes => None,
            Password::Is(login) => Some(login.sealed(&self.keyring, &seal_context(project.tenant_id, id))?),
        };
        let mut row = RuleRow { rule, place: before.place, sealed };
        let mut tx = self.db.tenant(project.tenant_id).await?;
        store::rules::update(&mut tx, &row).await?;
        self.record(&mut tx, caller, "replication_rule.updated", Some(json!(before.rule)), &row.rule).await?;
        add_newest_runs(&mut tx, std::slice::from_mut(&mut row.rule)).await?;
        tx.commit().await?;
        Ok(row.rule)
    }

    /// Deletes a rule with its runs; one at work ends within seconds.
    pub async fn delete_rule(&self, caller: &Caller, project: &str, id: ReplicationRuleId) -> Result<()> {
        let project = self.project(caller, project).await?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        let rule = find(&mut tx, &project, id).await?.rule;
        store::rules::delete(&mut tx, id).await?;
        self.record(&mut tx, caller, "replication_rule.deleted", Some(json!(rule)), &rule).await?;
        tx.commit().await
    }

    async fn project(&self, caller: &Caller, project: &str) -> Result<Project> {
        let project = self.projects.find(caller, project).await?;
        caller.require_in(Permission::ProjectUpdate, project.id)?;
        Ok(project)
    }

    async fn check(&self, rule: &ReplicationRule) -> Result<()> {
        let faults = rule.faults();
        if !faults.is_empty() {
            return Err(Error::faults(faults));
        }
        let url = parse_url(&rule.url).map_err(|fault| Error::faults(vec![fault]))?;
        self.client.check_address(&url).await
    }

    /// Where a rule copies from or to.
    fn remote(&self, tenant: TenantId, row: &RuleRow) -> Result<Remote> {
        let rule = &row.rule;
        let url = parse_url(&rule.url).map_err(|fault| Error::faults(vec![fault]))?;
        let context = seal_context(tenant, rule.id);
        let login = Login::open(&self.keyring, &context, rule.username.as_ref(), row.sealed.as_ref())?;
        let purpose = match rule.direction {
            Direction::Push => Purpose::Push,
            Direction::Pull => Purpose::Pull,
        };
        Ok(Remote { url, login, purpose, key: format!("{} {}", rule.id, rule.version) })
    }

    async fn record(
        &self,
        tx: &mut TenantTx,
        caller: &Caller,
        action: &'static str,
        before: Option<Value>,
        rule: &ReplicationRule,
    ) -> Result<()> {
        let tenant = tx.tenant_id();
        publish(tx, &events::rule(&self.clock, action, &caller.actor, tenant, rule)).await?;
        let after = (action != "replication_rule.deleted").then(|| json!(rule));
        let entry = Entry { action, resource: format!("replication_rule:{}", rule.id), before, after };
        audit::record(tx, &self.clock, caller, Some(tenant), entry).await
    }
}

async fn find(tx: &mut TenantTx, project: &Project, id: ReplicationRuleId) -> Result<RuleRow> {
    let found = store::rules::find(tx, id).await?.filter(|r| r.rule.project_id == project.id);
    found.ok_or_else(|| Error::not_found("replication rule"))
}

async fn add_newest_runs(tx: &mut TenantTx, rules: &mut [ReplicationRule]) -> Result<()> {
    let ids: Vec<_> = rules.iter().map(|r| r.id).collect();
    for run in store::runs::newest(tx, &ids).await? {
        if let Some(rule) = rules.iter_mut().find(|r| r.id == run.rule_id) {
            rule.last_run = Some(run);
        }
    }
    Ok(())
}
