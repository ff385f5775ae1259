//! Runs: what begins them, what they are seen as, and what stops them.

use super::{Replication, find};
use crate::images::registry::{RepositoryName, subject_of};
use crate::images::replication::model::{
    ItemStatus, ReplicationCause, ReplicationCounts, ReplicationItem, ReplicationRule, ReplicationRun,
    ReplicationStatus,
};
use crate::images::replication::store::items::Tagged;
use crate::images::replication::store::runs::Wanted;
use crate::images::replication::{events, store};
use crate::kernel::ids::{ProjectId, ReplicationRuleId, ReplicationRunId, TenantId};
use crate::kernel::{Actor, Digest, Error, Page, PageRequest, Result};
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
const FORGOTTEN: u64 = 5;

/// What was pushed to an image of a project.
struct Pushed {
    at: DateTime<Utc>,
    image: String,
    what: What,
}

enum What {
    Tag(String),
    /// Something that is attached to this manifest, and goes with its tags.
    About(Digest),
}

impl Pushed {
    /// What an event tells of, if it tells of a push.
    fn of(event: &Event) -> Option<((TenantId, ProjectId), Self)> {
        if event.kind != "image.pushed" {
            return None;
        }
        let text = |name: &str| event.payload.get(name)?.as_str();
        let repository: RepositoryName = text("repository")?.parse().ok()?;
        let subject = text("subject").and_then(|s| s.parse().ok()).or_else(|| subject_of(text("tag")?));
        let what = match subject {
            Some(subject) => What::About(subject),
            None => What::Tag(text("tag")?.to_owned()),
        };
        let push = Self { at: event.occurred_at, image: repository.image().to_owned(), what };
        Some(((event.tenant_id?, event.project_id?), push))
    }
}

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
            let (events, place) = self.events.next(CONSUMER, EVENTS).await?;
            let Some(place) = place else { return Ok(()) };
            let mut pushed: BTreeMap<(TenantId, ProjectId), Vec<Pushed>> = BTreeMap::new();
            for event in &events {
                if let Some((at, push)) = Pushed::of(event) {
                    pushed.entry(at).or_default().push(push);
                }
            }
            let mut first = Ok(());
            for ((tenant, project), pushes) in pushed {
                // One tenant's trouble keeps no other's images.
                first = first.and(self.follow(tenant, project, &pushes).await);
            }
            // What was followed is followed again then, and found over there.
            first?;
            self.events.done(CONSUMER, place).await?;
            if i64::try_from(events.len()).is_ok_and(|n| n < EVENTS) {
                return Ok(());
            }
        }
    }

    async fn follow(&self, tenant: TenantId, project: ProjectId, pushed: &[Pushed]) -> Result<()> {
        let mut tx = self.db.tenant(tenant).await?;
        for row in store::rules::on_push(&mut tx, project).await? {
            let filter = row.rule.filter()?;
            let mut covered: Vec<Tagged> = Vec::new();
            for push in pushed.iter().filter(|p| p.at >= row.rule.created_at && filter.has_image(&p.image)) {
                let tags = match &push.what {
                    What::Tag(tag) => vec![tag.clone()],
                    What::About(subject) => self.registry.tags_of(&mut tx, project, &push.image, subject).await?,
                };
                covered.extend(tags.into_iter().filter(|t| filter.has_tag(t)).map(|t| (push.image.clone(), t)));
            }
            if !covered.is_empty() {
                let run = self.open_run(&mut tx, &row.rule, ReplicationCause::Push, &Actor::system(CONSUMER)).await?;
                store::items::add(&mut tx, run.id, &covered, true).await?;
            }
        }
        tx.commit().await
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
        if !only_pushed {
            store::runs::ask_for_all(tx, open.run.id).await?;
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
