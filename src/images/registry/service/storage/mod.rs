//! Looking after what is stored: runs that collect garbage or verify content, started by operators or by time.
//!
//! A run is a row. The periodic task of its kind works on it in small steps, and saves after each where to go on: killed
//! at any moment, it does at most one step twice, and every step may be done twice. The task's lease keeps two processes
//! from working on the same run.

mod collect;
mod scrub;

use super::Registry;
use crate::images::registry::model::{RunCounts, RunKind, RunStatus, StorageRun, StorageTotals};
use crate::images::registry::store;
use crate::kernel::ids::StorageRunId;
use crate::kernel::{Actor, Error, Page, PageRequest, Result};
use crate::platform::db::SystemTx;
use crate::tenancy::access::{Caller, SystemPermission};
use crate::tenancy::audit;
use chrono::Duration;
use collect::Cursor;
use serde_json::json;

/// Attempts without progress after which a run is given up.
const GIVE_UP_AFTER: i32 = 20;
/// How long ended runs are kept.
const KEEP_RUNS: Duration = Duration::days(90);

impl Registry {
    /// Queues a collection or a verification; a dry run changes nothing.
    pub async fn start_storage_run(&self, caller: &Caller, kind: RunKind, dry_run: bool) -> Result<StorageRun> {
        caller.require_system(SystemPermission::OperationsManage)?;
        let mut tx = self.parts.db.system("start a storage run").await?;
        let run = self.queue_run(&mut tx, kind, dry_run, &caller.actor).await?;
        let entry = audit::Entry {
            action: "storage_run.started",
            resource: format!("storage_run:{}", run.id),
            before: None,
            after: Some(json!({"kind": kind, "dry_run": dry_run})),
        };
        audit::record(&mut tx, &self.parts.clock, caller, None, entry).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Runs, newest first.
    pub async fn storage_runs(&self, caller: &Caller, page: &PageRequest) -> Result<Page<StorageRun>> {
        caller.require_system(SystemPermission::SystemRead)?;
        let mut tx = self.parts.db.system("list storage runs").await?;
        let runs = store::runs::list(&mut tx, page.after()?, page.fetch()).await?;
        page.page(runs, |r| r.id)
    }

    /// A run.
    pub async fn storage_run(&self, caller: &Caller, id: StorageRunId) -> Result<StorageRun> {
        caller.require_system(SystemPermission::SystemRead)?;
        let mut tx = self.parts.db.system("get a storage run").await?;
        store::runs::get(&mut tx, id).await?.ok_or_else(|| Error::not_found("storage run"))
    }

    /// What each storage backend holds.
    pub async fn storage_totals(&self, caller: &Caller) -> Result<Vec<StorageTotals>> {
        caller.require_system(SystemPermission::SystemRead)?;
        let mut tx = self.parts.db.system("storage totals").await?;
        store::garbage::totals(&mut tx).await
    }

    /// Works on the runs of a kind until none is left. Begins one when it is time for it.
    pub async fn work_on_storage(&self, kind: RunKind) -> Result<()> {
        self.queue_when_due(kind).await?;
        loop {
            let mut tx = self.parts.db.system("next storage run").await?;
            let next = store::runs::next(&mut tx, kind).await?;
            drop(tx);
            let Some((mut run, cursor)) = next else { return Ok(()) };
            if let Err(error) = self.carry_on(&mut run, cursor).await {
                let mut tx = self.parts.db.system("a storage run failed").await?;
                let now = self.parts.clock.now();
                store::runs::failed(&mut tx, run.id, &error.chain(), GIVE_UP_AFTER, now).await?;
                tx.commit().await?;
                return Err(error);
            }
            metrics::counter!("image_factory_storage_runs_total", "kind" => kind.as_str()).increment(1);
        }
    }

    async fn carry_on(&self, run: &mut StorageRun, cursor: Option<serde_json::Value>) -> Result<()> {
        let mut cursor = match cursor {
            Some(cursor) => serde_json::from_value(cursor)?,
            None => Cursor::first(run.kind),
        };
        run.status = RunStatus::Running;
        run.started_at.get_or_insert_with(|| self.parts.clock.now());
        loop {
            let next = self.step(run, cursor).await?;
            if next.is_none() {
                run.status = RunStatus::Succeeded;
                run.finished_at = Some(self.parts.clock.now());
            }
            let mut tx = self.parts.db.system("save a storage run").await?;
            store::runs::save(&mut tx, run, next.as_ref().map(serde_json::to_value).transpose()?).await?;
            tx.commit().await?;
            match next {
                Some(next) => cursor = next,
                None => return Ok(()),
            }
        }
    }

    async fn queue_when_due(&self, kind: RunKind) -> Result<()> {
        let config = self.config();
        let period = match kind {
            RunKind::Collect => Duration::hours(config.collect_every_hours.into()),
            RunKind::Scrub => Duration::days(config.scrub_every_days.into()),
        };
        if period.is_zero() {
            return Ok(());
        }
        let mut tx = self.parts.db.system("queue a storage run").await?;
        let now = self.parts.clock.now();
        if store::runs::due(&mut tx, kind, now - period).await? {
            store::runs::purge(&mut tx, now - KEEP_RUNS).await?;
            self.queue_run(&mut tx, kind, false, &Actor::system("storage")).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn queue_run(&self, tx: &mut SystemTx, kind: RunKind, dry_run: bool, by: &Actor) -> Result<StorageRun> {
        let run = StorageRun {
            id: StorageRunId::new(),
            kind,
            dry_run,
            status: RunStatus::Queued,
            started_by: by.to_string(),
            created_at: self.parts.clock.now(),
            started_at: None,
            finished_at: None,
            counts: RunCounts::default(),
            report: Vec::new(),
            error: None,
        };
        store::runs::insert(tx, &run).await?;
        Ok(run)
    }
}
