//! Runs: what begins them, what they are seen as, and what stops them.

use super::{Replication, find};
use crate::images::registry::RepositoryName;
use crate::images::replication::model::{
    ItemStatus, ReplicationCause, ReplicationCounts, ReplicationItem, ReplicationRule, ReplicationRun,
    ReplicationStatus,
};
use crate::images::replication::store::items::Tagged;
use crate::images::replication::store::runs::Wanted;
use crate::images::replication::{events, store};
use crate::kernel::ids::{ProjectId, ReplicationRuleId, ReplicationRunId, TenantId};
use crate::kernel::{Actor, Error, Page, PageRequest, Result};
use crate::platform::db::TenantTx;
use crate::platform::events::{Event, publish};
use crate::platform::jobs;
use crate::tenancy::access::Caller;
use crate::tenancy::audit::{self, Entry};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// The kind of the jobs that work on runs.
pub const RUN: &str = "replication.run";
/// The place of this context among the readers of events, and how many it takes at a time.
const CONSUMER: &str = "replication";
const EVENTS: i64 = 500;
/// Rules begun at a time.
const DUE: i64 = 1000;
/// How long ended runs are kept, and how many are forgotten in one transaction.
const KEEP_RUNS: Duration = Duration::days(30);
const FORGOTTEN: u64 = 100;

/// A tag that was pushed, and when.
type Pushed = (DateTime<Utc>, Tagged);

/// The payload of a job.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct RunAt {
    /// The run's tenant.
    pub tenant: TenantId,
    /// The run.
    pub run: ReplicationRunId,
}

impl Replication {
    /// Runs a rule now. The run that it has already looks through all that it covers.
    pub async fn start(&self, caller: &Caller, project: &str, id: ReplicationRuleId) -> Result<ReplicationRun> {
        let project = self.project(caller, project).await?;
        project.require_active()?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        let rule = find(&mut tx, &project, id).await?.rule;
        let run = self.open_run(&mut tx, &rule, ReplicationCause::Manual, &caller.actor).await?;
        let entry = Entry {
            action: "replication_run.started",
            resource: format!("replication_run:{}", run.id),
            before: None,
            after: Some(json!({"rule_id": rule.id, "rule": rule.name})),
        };
        audit::record(&mut tx, &self.clock, caller, Some(project.tenant_id), entry).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// The runs of a project, newest first.
    pub async fn runs(
        &self,
        caller: &Caller,
        project: &str,
        rule: Option<ReplicationRuleId>,
        status: Option<ReplicationStatus>,
        page: &PageRequest,
    ) -> Result<Page<ReplicationRun>> {
        let project = self.project(caller, project).await?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        let wanted = Wanted { project: project.id, rule, status, before: page.after()?, limit: page.fetch() };
        page.page(store::runs::list(&mut tx, wanted).await?, |r| r.id)
    }

    /// A run.
    pub async fn run(&self, caller: &Caller, project: &str, id: ReplicationRunId) -> Result<ReplicationRun> {
        let project = self.project(caller, project).await?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        find_run(&mut tx, project.id, id).await
    }

    /// The tags of a run.
    pub async fn items(
        &self,
        caller: &Caller,
        project: &str,
        id: ReplicationRunId,
        status: Option<ItemStatus>,
        page: &PageRequest,
    ) -> Result<Page<ReplicationItem>> {
        let project = self.project(caller, project).await?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        find_run(&mut tx, project.id, id).await?;
        let items = store::items::list(&mut tx, id, status, page.after()?, page.fetch()).await?;
        page.page(items, |i| (i.image.clone(), i.tag.clone()))
    }

    /// Stops a run. Whoever works on it notices within seconds.
    pub async fn cancel(&self, caller: &Caller, project: &str, id: ReplicationRunId) -> Result<ReplicationRun> {
        let project = self.project(caller, project).await?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        find_run(&mut tx, project.id, id).await?;
        if !self.end(&mut tx, &caller.actor, id, ReplicationStatus::Cancelled, None).await? {
            return Err(Error::conflict("replication_run.ended", "the run has ended"));
        }
        let run = find_run(&mut tx, project.id, id).await?;
        let resource = format!("replication_run:{id}");
        let entry = Entry { action: "replication_run.cancelled", resource, before: None, after: None };
        audit::record(&mut tx, &self.clock, caller, Some(project.tenant_id), entry).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Ends a run and tells the world; false when it has ended already.
    pub(super) async fn end(
        &self,
        tx: &mut TenantTx,
        by: &Actor,
        id: ReplicationRunId,
        status: ReplicationStatus,
        error: Option<&str>,
    ) -> Result<bool> {
        if !store::runs::end(tx, id, status, error, self.clock.now()).await? {
            return Ok(false);
        }
        if let Some(row) = store::runs::find(tx, id).await? {
            let tenant = tx.tenant_id();
            publish(tx, &events::run(&self.clock, "replication_run.finished", by, tenant, &row.run)).await?;
        }
        metrics::counter!("image_factory_replication_runs_total", "status" => status.as_str()).increment(1);
        Ok(true)
    }

    /// Begins the runs whose time has come.
    pub async fn start_due(&self) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.db.system("look for replication rules whose time has come").await?;
        let due = store::rules::due(&mut tx, now, DUE).await?;
        drop(tx);
        for (tenant, id) in due {
            // One that cannot begin now begins the next time, and holds up nobody.
            if let Err(error) = self.start_one(tenant, id, now).await {
                tracing::warn!(?error, rule = %id, "a replication run did not begin");
            }
        }
        Ok(())
    }

    async fn start_one(&self, tenant: TenantId, id: ReplicationRuleId, now: DateTime<Utc>) -> Result<()> {
        let mut tx = self.db.tenant(tenant).await?;
        if store::rules::take_turn(&mut tx, id, now).await?
            && let Some(row) = store::rules::find(&mut tx, id).await?
        {
            self.open_run(&mut tx, &row.rule, ReplicationCause::Schedule, &Actor::system(CONSUMER)).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Lets rules follow the images that were pushed since it was last called.
    pub async fn follow_pushes(&self) -> Result<()> {
        loop {
            let Some(taken) = self.events.take(CONSUMER, EVENTS).await? else { return Ok(()) };
            let mut pushed: BTreeMap<(TenantId, ProjectId), Vec<Pushed>> = BTreeMap::new();
            for event in &taken.events {
                if let Some((place, tag)) = pushed_tag(event) {
                    pushed.entry(place).or_default().push((event.occurred_at, tag));
                }
            }
            let full = i64::try_from(taken.events.len()).is_ok_and(|n| n == EVENTS);
            for ((tenant, project), tags) in pushed {
                let mut tx = self.db.tenant(tenant).await?;
                self.follow(&mut tx, project, &tags).await?;
                tx.commit().await?;
            }
            // Killed before this, it follows them again, and finds them over there.
            taken.tx.commit().await?;
            if !full {
                return Ok(());
            }
        }
    }

    async fn follow(&self, tx: &mut TenantTx, project: ProjectId, pushed: &[Pushed]) -> Result<()> {
        for row in store::rules::on_push(tx, project).await? {
            let filter = row.rule.filter()?;
            let since = pushed.iter().filter(|(at, _)| *at >= row.rule.created_at).map(|(_, tag)| tag);
            let covered: Vec<Tagged> =
                since.filter(|(image, tag)| filter.has_image(image) && filter.has_tag(tag)).cloned().collect();
            if !covered.is_empty() {
                let run = self.open_run(tx, &row.rule, ReplicationCause::Push, &Actor::system(CONSUMER)).await?;
                store::items::add(tx, run.id, &covered, true).await?;
            }
        }
        Ok(())
    }

    /// The open run of a rule, locked, or a new one with its job. Unless a push began it, it looks through all that the rule
    /// covers.
    async fn open_run(
        &self,
        tx: &mut TenantTx,
        rule: &ReplicationRule,
        cause: ReplicationCause,
        by: &Actor,
    ) -> Result<ReplicationRun> {
        let only_pushed = cause == ReplicationCause::Push;
        let run = ReplicationRun {
            id: ReplicationRunId::new(),
            rule_id: rule.id,
            project_id: rule.project_id,
            cause,
            status: ReplicationStatus::Queued,
            started_by: by.to_string(),
            counts: ReplicationCounts::default(),
            error: None,
            created_at: self.clock.now(),
            started_at: None,
            finished_at: None,
        };
        if store::runs::insert(tx, &run, only_pushed).await? {
            let tenant = tx.tenant_id();
            let at = serde_json::to_value(RunAt { tenant, run: run.id })?;
            jobs::enqueue(tx, RUN, Some(tenant), at).await?;
            publish(tx, &events::run(&self.clock, "replication_run.started", by, tenant, &run)).await?;
            return Ok(run);
        }
        let open = store::runs::lock_open(tx, rule.id).await?;
        let open =
            open.ok_or_else(|| Error::unavailable("replication_run.ending", "a run is just ending; try again"))?;
        if !only_pushed && open.planned {
            store::runs::set_planned(tx, open.run.id, false).await?;
        }
        Ok(open.run)
    }

    /// Forgets runs that ended long ago.
    pub async fn purge_runs(&self) -> Result<()> {
        let before = self.clock.now() - KEEP_RUNS;
        loop {
            let mut tx = self.db.system("forget replication runs").await?;
            let gone = store::runs::purge(&mut tx, before, i64::try_from(FORGOTTEN).unwrap_or(i64::MAX)).await?;
            tx.commit().await?;
            if gone < FORGOTTEN {
                return Ok(());
            }
        }
    }
}

async fn find_run(tx: &mut TenantTx, project: ProjectId, id: ReplicationRunId) -> Result<ReplicationRun> {
    let found = store::runs::find(tx, id).await?.map(|r| r.run).filter(|r| r.project_id == project);
    found.ok_or_else(|| Error::not_found("replication run"))
}

/// The tag that an event tells of, if it tells of one.
fn pushed_tag(event: &Event) -> Option<((TenantId, ProjectId), Tagged)> {
    if event.kind != "image.pushed" {
        return None;
    }
    let repository: RepositoryName = event.payload.get("repository")?.as_str()?.parse().ok()?;
    let tag = event.payload.get("tag")?.as_str()?;
    Some(((event.tenant_id?, event.project_id?), (repository.image().to_owned(), tag.to_owned())))
}
