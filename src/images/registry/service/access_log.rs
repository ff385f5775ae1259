//! Who pulled what, and how much went in and out, without a request that waits for the database: pulls go through a
//! bounded queue, sums through memory, and a task writes both in batches. Pushes and deletes are recorded in their own
//! transactions.

use super::Registry;
use crate::images::registry::access::{Access, Place};
use crate::images::registry::model::{AccessKind, Action, ImageAccess, RepositoryName, Transfer};
use crate::images::registry::store::accesses::{self as store, NewAccess, Sums};
use crate::kernel::ids::{ImageId, TenantId};
use crate::kernel::{Clock, Digest, Error, Fault, Page, PageRequest, Result};
use crate::platform::db::Db;
use crate::platform::tasks::Tasks;
use crate::tenancy::access::{Caller, Permission};
use chrono::{Datelike, Days, Months, NaiveDate};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use uuid::Uuid;

/// How long pulls are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(250);
/// Most pulls of one statement.
const BATCH: usize = 1000;
/// How long a request waits for room in the queue.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the last batches may take at shutdown.
const FAREWELL: Duration = Duration::from_secs(10);
/// Months for which there is a partition ahead of time.
const MONTHS_AHEAD: u32 = 2;

/// Writes down accesses. Cheap to clone.
#[derive(Clone)]
pub struct AccessLog(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    queue: mpsc::Sender<NewAccess>,
    /// Held by whoever writes.
    unwritten: tokio::sync::Mutex<Unwritten>,
    sums: Mutex<BTreeMap<(TenantId, NaiveDate), Sums>>,
    /// The month (counted from year 0) whose partition is known to exist.
    month: AtomicI32,
}

struct Unwritten {
    queue: mpsc::Receiver<NewAccess>,
    /// Taken from the queue; kept until they are written.
    batch: Vec<NewAccess>,
    /// Taken from the sums; kept until they are written.
    sums: Vec<((TenantId, NaiveDate), Sums)>,
}

/// What is to be recorded of an access.
pub struct Noted<'a> {
    pub image: ImageId,
    pub action: AccessKind,
    pub reference: String,
    pub digest: &'a Digest,
    pub bytes: u64,
}

impl AccessLog {
    /// Starts the task that writes. At most `capacity` pulls wait for it.
    pub fn start(db: Db, clock: Clock, capacity: usize, tasks: &Tasks) -> Self {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let log = Self(Arc::new(Inner {
            db,
            clock,
            queue: sender,
            unwritten: tokio::sync::Mutex::new(Unwritten { queue: receiver, batch: Vec::new(), sums: Vec::new() }),
            sums: Mutex::default(),
            month: AtomicI32::new(0),
        }));
        let writer = log.clone();
        tasks.spawn_until_stopped("registry access log", async move {
            loop {
                tokio::time::sleep(GATHER).await;
                if let Err(error) = writer.write().await {
                    tracing::warn!(?error, "accesses to the registry were not recorded yet");
                }
            }
        });
        log
    }

    /// What an access is recorded as.
    pub fn entry(&self, access: &Access, place: Place, noted: Noted<'_>) -> NewAccess {
        NewAccess {
            tenant_id: place.tenant_id,
            project_id: place.project_id,
            image_id: noted.image,
            id: Uuid::now_v7(),
            occurred_at: self.0.clock.now(),
            actor: access.actor.to_string(),
            action: noted.action,
            reference: noted.reference,
            digest: *noted.digest,
            bytes: noted.bytes,
            address: access.request.ip.map(|ip| ip.to_canonical().to_string()),
            user_agent: access.request.user_agent.clone(),
        }
    }

    /// Records a pull. Where the queue is full, the request waits a moment for room; then the pull is lost and counted.
    pub async fn pulled(&self, entry: NewAccess) {
        self.add(entry.tenant_id, |sums| {
            sums.pulls += 1;
            sums.pulled_bytes += entry.bytes;
        });
        let Err(mpsc::error::TrySendError::Full(entry)) = self.0.queue.try_send(entry) else { return };
        if !matches!(tokio::time::timeout(PATIENCE, self.0.queue.send(entry)).await, Ok(Ok(()))) {
            metrics::counter!("image_factory_registry_accesses_lost_total").increment(1);
        }
    }

    /// Adds to what the tenant has transferred today.
    pub fn add(&self, tenant: TenantId, to: impl FnOnce(&mut Sums)) {
        let today = self.0.clock.now().date_naive();
        to(self.sums().entry((tenant, today)).or_default());
    }

    fn sums(&self) -> std::sync::MutexGuard<'_, BTreeMap<(TenantId, NaiveDate), Sums>> {
        self.0.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that there is a partition for now. To be called before the transaction that records an access: asks the
    /// database once a month.
    pub async fn ready(&self) -> Result<()> {
        self.ready_for(self.0.clock.now().date_naive()).await
    }

    async fn ready_for(&self, day: NaiveDate) -> Result<()> {
        let month = day.year() * 12 + i32::try_from(day.month0()).unwrap_or_default();
        if self.0.month.load(Ordering::Relaxed) == month {
            return Ok(());
        }
        let mut tx = self.0.db.system("make a partition of the access log").await?;
        store::make_partition(&mut tx, day).await?;
        tx.commit().await?;
        self.0.month.store(month, Ordering::Relaxed);
        Ok(())
    }

    /// Writes all that is there. What fails is tried again with the next call.
    async fn write(&self) -> Result<()> {
        let mut unwritten = self.0.unwritten.lock().await;
        let Unwritten { queue, batch, sums } = &mut *unwritten;
        loop {
            while batch.len() < BATCH
                && let Ok(entry) = queue.try_recv()
            {
                batch.push(entry);
            }
            if sums.is_empty() {
                sums.extend(std::mem::take(&mut *self.sums()));
            }
            if batch.is_empty() && sums.is_empty() {
                return Ok(());
            }
            self.write_batch(batch, sums).await?;
            batch.clear();
            sums.clear();
        }
    }

    async fn write_batch(&self, batch: &[NewAccess], sums: &[((TenantId, NaiveDate), Sums)]) -> Result<()> {
        for entry in batch {
            self.ready_for(entry.occurred_at.date_naive()).await?;
        }
        let mut tx = self.0.db.system("record accesses to the registry").await?;
        if !batch.is_empty() {
            store::insert(&mut tx, batch).await?;
            store::note_pulls(&mut tx, batch).await?;
        }
        if !sums.is_empty() {
            store::add_transfers(&mut tx, sums).await?;
        }
        tx.commit().await
    }
}

/// Counts the bytes of an answer as they are sent; they are added when it ends, also when the client breaks off.
pub struct Outgoing {
    log: AccessLog,
    tenant: TenantId,
    bytes: u64,
}

impl Outgoing {
    /// So many more were sent.
    pub fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.log.add(self.tenant, |sums| sums.pulled_bytes += self.bytes);
        }
    }
}

impl Registry {
    /// A counter for the bytes of a blob that is sent from a repository.
    pub fn outgoing(&self, access: &Access, name: &RepositoryName) -> Result<Outgoing> {
        let tenant = access.place(name, Action::Pull)?.tenant_id;
        Ok(Outgoing { log: self.accesses.clone(), tenant, bytes: 0 })
    }

    /// Writes down what was done until now; for the shutdown, when nothing is done any more.
    pub async fn flush_accesses(&self) {
        match tokio::time::timeout(FAREWELL, self.accesses.write()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(?error, "the last accesses to the registry were not recorded"),
            Err(_) => tracing::warn!("the last accesses to the registry were not recorded in time"),
        }
    }

    /// Who pulled, pushed, mounted and deleted in a repository, newest first, for the catalogue. The caller's rights are
    /// checked there.
    pub async fn image_accesses(
        &self,
        tenant: TenantId,
        image: ImageId,
        page: &PageRequest,
    ) -> Result<Page<ImageAccess>> {
        let mut tx = self.parts.db.tenant(tenant).await?;
        let rows = store::list(&mut tx, image, page.after()?, page.fetch()).await?;
        page.page(rows, |a| a.id)
    }

    /// What the caller's tenant has transferred by day, both days included; left out: the last 30 days.
    pub async fn transfers(
        &self,
        caller: &Caller,
        from: Option<NaiveDate>,
        to: Option<NaiveDate>,
        page: &PageRequest,
    ) -> Result<Page<Transfer>> {
        let tenant = caller.require(Permission::TenantRead)?;
        let to = to.unwrap_or_else(|| self.parts.clock.now().date_naive());
        let from = from.unwrap_or_else(|| to.checked_sub_days(Days::new(29)).unwrap_or(to));
        if from > to {
            return Err(Error::faults(vec![Fault::new("?from", "out_of_range", "from is after to")]));
        }
        let mut tx = self.parts.db.tenant(tenant).await?;
        let rows = store::transfers(&mut tx, from, to, page.after()?, page.fetch()).await?;
        page.page(rows, |t| t.day)
    }

    /// Makes the partitions of this month and the next, and drops those whose time is over. Returns how many were dropped.
    pub async fn keep_access_log(&self) -> Result<i32> {
        let today = self.parts.clock.now().date_naive();
        for months in 0..=MONTHS_AHEAD {
            let mut tx = self.parts.db.system("make partitions of the access log").await?;
            store::make_partition(&mut tx, today.checked_add_months(Months::new(months)).unwrap_or(today)).await?;
            tx.commit().await?;
        }
        let kept = Days::new(self.parts.config.access_log_days.into());
        let Some(ended_by) = today.checked_sub_days(kept) else { return Ok(0) };
        let mut tx = self.parts.db.system("drop partitions of the access log").await?;
        let dropped = store::drop_partitions(&mut tx, ended_by).await?;
        tx.commit().await?;
        Ok(dropped)
    }
}
