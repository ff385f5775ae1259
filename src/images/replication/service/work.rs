//! What a run does: it looks for the tags that its rule covers, then copies them, for a minute at a time.

use super::Replication;
use super::copy::{Blobs, Copied, Copy, End, Here, There};
use super::runs::RunAt;
use crate::images::catalog::ImageFilters;
use crate::images::registry::{Access, Place, Registry, RepositoryName, Tag};
use crate::images::remotes::Remote;
use crate::images::replication::model::{Direction, Filter, ItemStatus, ReplicationItem, ReplicationStatus};
use crate::images::replication::store;
use crate::images::replication::store::items::{Ended, Tagged, Waiting};
use crate::images::replication::store::rules::RuleRow;
use crate::images::replication::store::runs::RunRow;
use crate::kernel::{Actor, Error, Kind, PageRequest, Result};
use crate::platform::jobs::Step;
use crate::tenancy::access::Caller;
use chrono::Duration;
use futures::{StreamExt, stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration as Period;
use tokio::time::Instant;

/// How long a run works before the next has its turn.
const SLICE: Period = Period::from_mins(1);
/// How long one tag may take, and the look for all of them.
const TAG_WITHIN: Period = Period::from_hours(6);
const PLAN_WITHIN: Period = Period::from_hours(1);
/// Tags that are copied at the same time, and taken at a time.
const PARALLEL: usize = 4;
const BATCH: i64 = 64;
/// Runs of one tenant at work at the same time; the others look again after a while.
const RUNS_OF_TENANT: i64 = 2;
const WAIT: Period = Period::from_secs(5);
/// How often a run at work says so, and sees whether it was stopped; and how long that is believed.
const TOUCH: Period = Period::from_secs(2);
const AT_WORK: Duration = Duration::minutes(2);
/// Attempts at one tag, and attempts of a run without getting on, after which each is given up.
const TAG_ATTEMPTS: i32 = 5;
const GIVE_UP_AFTER: i32 = 10;
/// Days after which a run is given up.
const MAX_DAYS: i64 = 7;
/// Tags of one run.
const MAX_ITEMS: usize = 100_000;
/// Tags added in one transaction.
const ADDED: usize = 1000;

/// Who acts.
const PART: &str = "replication";

/// A run with what it works with.
struct Task {
    at: RunAt,
    rule: RuleRow,
    place: Place,
    remote: Arc<Remote>,
    filter: Filter,
    blobs: Blobs,
    /// Bytes that have passed and were not yet saved.
    bytes: Arc<AtomicI64>,
}

impl Task {
    /// The full name of an image of the project.
    fn name(&self, image: &str) -> Result<RepositoryName> {
        format!("{}/{image}", self.rule.place).parse()
    }

    /// Whether a tag is to be copied. What a registry gives for one may be none.
    fn covers(&self, tag: &str) -> bool {
        self.filter.has_tag(tag) && tag.parse::<Tag>().is_ok()
    }
}

impl Replication {
    /// Works on a run for a while.
    pub async fn work(&self, at: RunAt) -> Result<Step> {
        let mut tx = self.db.tenant(at.tenant).await?;
        let Some(row) = store::runs::find(&mut tx, at.run).await? else { return Ok(Step::Done) };
        let Some(rule) = store::rules::find(&mut tx, row.run.rule_id).await? else { return Ok(Step::Done) };
        drop(tx);
        if row.run.status.is_final() {
            return Ok(Step::Done);
        }
        match self.slice(at, &row, rule).await {
            Ok(step) => Ok(step),
            Err(error) => self.stumbled(at, &row, &error).await,
        }
    }

    async fn slice(&self, at: RunAt, row: &RunRow, rule: RuleRow) -> Result<Step> {
        if self.clock.now() - row.run.created_at > Duration::days(MAX_DAYS) {
            let text = format!("it was not done after {MAX_DAYS} days");
            return Err(Error::conflict("replication.too_long", text));
        }
        let tenant_slug = rule.place.split('/').next().unwrap_or_default();
        if self.tenants.slug_to_id(tenant_slug).await? != Some(at.tenant) {
            // The tenant is suspended: its runs wait for it.
            return Ok(Step::More(Period::from_mins(1)));
        }
        let place = Place { tenant_id: at.tenant, project_id: row.run.project_id };
        self.projects.require_active(at.tenant, place.project_id).await?;
        if rule.rule.direction == Direction::Pull {
            self.registry.require_no_cache(place).await?;
        }
        let task = Task {
            at,
            remote: Arc::new(self.remote(at.tenant, &rule)?),
            filter: rule.rule.filter()?,
            rule,
            place,
            blobs: Blobs::default(),
            bytes: Arc::default(),
        };
        let now = self.clock.now();
        let mut tx = self.db.tenant(at.tenant).await?;
        if !store::runs::begin(&mut tx, at.run, RUNS_OF_TENANT, now + AT_WORK, now).await? {
            return Ok(Step::More(WAIT));
        }
        tx.commit().await?;
        let ends = Instant::now() + SLICE;
        if !self.touch(&task, true).await? {
            return Ok(Step::Done);
        }
        if !row.planned {
            let plan = in_time(PLAN_WITHIN, self.plan(&task, row.plans));
            if !self.unless_stopped(&task, Box::pin(plan)).await?.unwrap_or_default() {
                return Ok(Step::Done);
            }
        }
        while Instant::now() < ends {
            let mut tx = self.db.tenant(at.tenant).await?;
            let waiting = store::items::waiting(&mut tx, at.run, BATCH).await?;
            drop(tx);
            if waiting.is_empty() {
                if self.finish(&task).await? {
                    return Ok(Step::Done);
                }
                break;
            }
            if self.unless_stopped(&task, Box::pin(self.copy_all(&task, waiting, ends))).await?.is_none() {
                return Ok(Step::Done);
            }
        }
        self.touch(&task, false).await?;
        Ok(Step::More(Period::ZERO))
    }

    /// Does something while the run is not stopped; none when it was. Says from time to time that it is at work.
    async fn unless_stopped<T>(&self, task: &Task, work: impl Future<Output = Result<T>>) -> Result<Option<T>> {
        // Beside the work and not between its steps: it may hold connections that this waits for.
        let stopped = async {
            let mut tick = tokio::time::interval(TOUCH);
            loop {
                tick.tick().await;
                if !self.touch(task, true).await? {
                    return Ok::<(), Error>(());
                }
            }
        };
        let outcome = tokio::select! {
            outcome = work => outcome?,
            stopped = stopped => return stopped.map(|()| None),
        };
        Ok(self.touch(task, true).await?.then_some(outcome))
    }

    /// Saves how many bytes have passed, and whether somebody is at work. False when the run has ended.
    async fn touch(&self, task: &Task, at_work: bool) -> Result<bool> {
        let now = self.clock.now();
        let bytes = task.bytes.swap(0, Ordering::Relaxed);
        metrics::counter!("image_factory_replication_bytes_total", "direction" => task.rule.rule.direction.as_str())
            .increment(bytes.unsigned_abs());
        let mut at = self.db.statement(task.at.tenant).await?;
        let open = store::runs::touch(&mut at, task.at.run, bytes, at_work.then(|| now + AT_WORK), now).await?;
        at.keep();
        Ok(open)
    }

    /// Adds all tags that the rule covers to the run. Done twice, it finds the same.
    async fn plan(&self, task: &Task, plans: i32) -> Result<bool> {
        let mut found = 0;
        let images = match task.rule.rule.direction {
            Direction::Push => self.images_here(task).await?,
            Direction::Pull => self.images_there(task).await?,
        };
        for image in images {
            let Some(tags) = self.tags(task, &image).await? else {
                self.missing(task, &image).await?;
                continue;
            };
            let covered: Vec<Tagged> =
                tags.into_iter().filter(|tag| task.covers(tag)).map(|tag| (image.clone(), tag)).collect();
            found += covered.len();
            if found > MAX_ITEMS {
                let text = format!("the rule covers more than {MAX_ITEMS} tags: make several of it");
                return Err(Error::conflict("replication.too_many_tags", text));
            }
            for part in covered.chunks(ADDED) {
                let mut tx = self.db.tenant(task.at.tenant).await?;
                if store::runs::lock(&mut tx, task.at.run).await?.is_none_or(|r| r.run.status.is_final()) {
                    return Ok(false);
                }
                // What was copied before somebody asked again may have moved.
                store::items::add(&mut tx, task.at.run, part, plans > 1).await?;
                tx.commit().await?;
            }
        }
        let mut tx = self.db.tenant(task.at.tenant).await?;
        store::runs::set_planned(&mut tx, task.at.run, plans).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Records that the other registry does not have an image, which keeps nothing else from being copied.
    async fn missing(&self, task: &Task, image: &str) -> Result<()> {
        let item = (image.to_owned(), ReplicationItem::ALL_TAGS.to_owned());
        let error = "the other registry has no such image, or does not show it";
        let mut tx = self.db.tenant(task.at.tenant).await?;
        let open = store::runs::lock(&mut tx, task.at.run).await?.is_some_and(|r| !r.run.status.is_final());
        if open && store::items::add_failed(&mut tx, task.at.run, &item, error).await? {
            store::runs::count_missing(&mut tx, task.at.run).await?;
        }
        tx.commit().await
    }

    async fn images_here(&self, task: &Task) -> Result<Vec<String>> {
        let slug = task.rule.place.split('/').next().unwrap_or_default().to_owned();
        let caller = Caller::system(PART, Some((task.at.tenant, slug)));
        let filters = ImageFilters { project: Some(task.place.project_id.to_string()), ..ImageFilters::default() };
        let mut page = PageRequest { limit: PageRequest::MAX, cursor: None };
        let mut names = Vec::new();
        loop {
            let images = self.catalog.list(&caller, &filters, &page).await?;
            names.extend(images.items.into_iter().map(|i| i.name).filter(|name| task.filter.has_image(name)));
            if images.next_cursor.is_none() {
                return Ok(names);
            }
            page.cursor = images.next_cursor;
        }
    }

    /// Images of the other registry, by the names that they have in the project.
    async fn images_there(&self, task: &Task) -> Result<Vec<String>> {
        if let Some(named) = task.rule.rule.named_images() {
            return Ok(named.to_vec());
        }
        let listed = self.client.catalog(&task.remote).await?.ok_or_else(|| {
            let text = "the other registry does not list its repositories: name the images without patterns";
            Error::conflict("replication.no_catalog", text)
        })?;
        let path = task.remote.url.path().trim_matches('/');
        let inside = |full: &String| {
            let image = if path.is_empty() { full.as_str() } else { full.strip_prefix(path)?.strip_prefix('/')? };
            // What cannot be a name here cannot be copied.
            Some(image.to_owned()).filter(|image| task.filter.has_image(image) && task.name(image).is_ok())
        };
        Ok(listed.iter().filter_map(inside).collect())
    }

    /// The tags of an image; none when the other registry does not have it.
    async fn tags(&self, task: &Task, image: &str) -> Result<Option<Vec<String>>> {
        if task.rule.rule.direction == Direction::Pull {
            return self.client.tags(&task.remote, image).await;
        }
        let name = task.name(image)?;
        let access = Access::service(PART, task.place, &name);
        let mut all: Vec<String> = Vec::new();
        loop {
            let last = all.last().cloned().unwrap_or_default();
            let page = match self.registry.tags(&access, &name, &last, Registry::MAX_NAMES).await {
                // It went meanwhile.
                Err(error) if error.kind() == Kind::NotFound => return Ok(Some(Vec::new())),
                page => page?,
            };
            all.extend(page.names);
            if !page.more || all.len() > MAX_ITEMS {
                return Ok(Some(all));
            }
        }
    }

    /// Copies tags until all are done, the time is over, or one does not get on; those on their way are brought to their end.
    async fn copy_all(&self, task: &Task, tags: Vec<Waiting>, ends: Instant) -> Result<()> {
        let stumbled = AtomicBool::new(false);
        let goes_on = || !stumbled.load(Ordering::Relaxed) && Instant::now() < ends;
        let begun = stream::iter(tags).take_while(|_| std::future::ready(goes_on()));
        let mut copies = begun.map(|item| async move { self.copy(task, item).await }).buffer_unordered(PARALLEL);
        let mut first = Ok(());
        while let Some(done) = copies.next().await {
            stumbled.fetch_or(done.is_err(), Ordering::Relaxed);
            first = first.and(done);
        }
        first
    }

    /// Copies a tag and records what became of it. An error is one that may pass, and the tag waits on.
    async fn copy(&self, task: &Task, item: Waiting) -> Result<()> {
        let (image, tag) = &item.tagged;
        let bytes: Arc<AtomicI64> = Arc::default();
        let copied = self.copied(task, &item, &bytes).await;
        let mut ended = Ended {
            status: None,
            digest: None,
            bytes: bytes.load(Ordering::Relaxed),
            error: None,
            at: self.clock.now(),
        };
        let text;
        match copied {
            Ok(Copied { status, digest }) => (ended.status, ended.digest) = (status, digest),
            Err(error) => {
                if passes(&error) {
                    let mut at = self.db.statement(task.at.tenant).await?;
                    let attempts = store::items::put_off(&mut at, task.at.run, &item).await?;
                    at.keep();
                    if attempts < TAG_ATTEMPTS {
                        return Err(error);
                    }
                }
                tracing::warn!(?error, run = %task.at.run, image, tag, "a tag was not replicated");
                text = for_people(&error);
                (ended.status, ended.error) = (Some(ItemStatus::Failed), Some(text.as_str()));
            }
        }
        let mut tx = self.db.tenant(task.at.tenant).await?;
        // In the order in which others take the two.
        store::runs::lock(&mut tx, task.at.run).await?;
        if store::items::end(&mut tx, task.at.run, &item, &ended).await? {
            store::runs::count(&mut tx, task.at.run, ended.status).await?;
        }
        tx.commit().await?;
        metrics::counter!(
            "image_factory_replication_tags_total",
            "direction" => task.rule.rule.direction.as_str(),
            "outcome" => ended.status.map_or("unchanged", ItemStatus::as_str)
        )
        .increment(1);
        Ok(())
    }

    async fn copied(&self, task: &Task, item: &Waiting, bytes: &Arc<AtomicI64>) -> Result<Copied> {
        let (image, tag) = &item.tagged;
        // The rule may have changed since the tag began to wait.
        if !task.filter.has_image(image) || !task.covers(tag) {
            return Ok(Copied { status: Some(ItemStatus::Gone), digest: None });
        }
        let (from, to) = self.ends(task, image)?;
        let copy = Copy { from: &from, to: &to, blobs: &task.blobs, bytes: [bytes.clone(), task.bytes.clone()] };
        in_time(TAG_WITHIN, Box::pin(copy.tag(tag, task.rule.rule.overwrite))).await
    }

    fn ends(&self, task: &Task, image: &str) -> Result<(End, End)> {
        let name = task.name(image)?;
        let access = Arc::new(Access::service(PART, task.place, &name));
        let here = End::Here(Here { registry: self.registry.clone(), place: task.place, access, name });
        let there = End::There(There {
            client: self.client.clone(),
            remote: task.remote.clone(),
            image: image.to_owned(),
            max_manifest_bytes: self.registry.config().max_manifest_bytes,
        });
        Ok(match task.rule.rule.direction {
            Direction::Push => (here, there),
            Direction::Pull => (there, here),
        })
    }

    /// Ends a run that has nothing more to do; false when something came meanwhile.
    async fn finish(&self, task: &Task) -> Result<bool> {
        let mut tx = self.db.tenant(task.at.tenant).await?;
        let Some(row) = store::runs::lock(&mut tx, task.at.run).await? else { return Ok(true) };
        if !row.planned || !store::items::waiting(&mut tx, task.at.run, 1).await?.is_empty() {
            return Ok(false);
        }
        let failed = row.run.counts.failed;
        let (status, error) = match failed {
            0 => (ReplicationStatus::Succeeded, None),
            n => (ReplicationStatus::Failed, Some(format!("{n} of its tags could not be copied"))),
        };
        self.end(&mut tx, &Actor::system(PART), task.at.run, status, error.as_deref()).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A run did not get on. It is tried again later, unless that is in vain.
    async fn stumbled(&self, at: RunAt, row: &RunRow, error: &Error) -> Result<Step> {
        tracing::warn!(?error, run = %at.run, "a replication run does not get on");
        let text = for_people(error);
        let mut tx = self.db.tenant(at.tenant).await?;
        // Tags that went well meanwhile have set it back.
        let failures = store::runs::lock(&mut tx, at.run).await?.map_or(row.failures, |r| r.failures) + 1;
        let step = if passes(error) && failures < GIVE_UP_AFTER {
            store::runs::stumbled(&mut tx, at.run, &text).await?;
            Step::More(Period::from_secs(5) * 2u32.pow(failures.unsigned_abs().min(6)))
        } else {
            self.end(&mut tx, &Actor::system(PART), at.run, ReplicationStatus::Failed, Some(&text)).await?;
            Step::Done
        };
        tx.commit().await?;
        Ok(step)
    }
}

/// Gives something up that takes too long, so that others have their turn.
async fn in_time<T>(most: Period, work: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |_| Error::unavailable("replication.slow", "it took too long; what is copied stays");
    tokio::time::timeout(most, work).await.map_err(late)?
}

/// Whether a failure may pass by itself.
fn passes(error: &Error) -> bool {
    matches!(error.kind(), Kind::Unavailable | Kind::Limited | Kind::Internal)
}

/// What the owner of a rule is told: all of what the other registry did, nothing of what is our defect.
fn for_people(error: &Error) -> String {
    match error.kind() {
        Kind::Internal => "an internal error; the server's log says more".to_owned(),
        _ if error.code().starts_with("remote.") => error.chain(),
        _ => error.to_string(),
    }
}
