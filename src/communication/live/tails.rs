//! One look at the store serves everybody who follows the same log: of a thousand readers woken by a signal, the first
//! one looks and the others take what it saw.

use super::model::Frame;
use crate::kernel::Result;
use crate::kernel::ids::{BuildId, TenantId};
use crate::orchestration::builds::{BuildStatus, Builds, LogView, StepReport};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Instant;
use tokio::sync::Mutex;

/// The logs that are followed in this process.
#[derive(Clone, Default)]
pub struct Tails(Arc<std::sync::Mutex<HashMap<BuildId, Weak<Tail>>>>);

/// The end of a log, as its readers saw it last.
pub struct Tail {
    tenant: TenantId,
    build: BuildId,
    newest: Mutex<Option<Arc<Look>>>,
}

/// What was stored after a line at one moment.
pub struct Look {
    /// That moment, or one before it.
    pub began: Instant,
    after: i64,
    /// The last line seen; `after` when there is none.
    pub last: i64,
    /// The lines, if any.
    pub lines: Option<Arc<Frame>>,
    /// All steps.
    pub steps: Arc<Steps>,
    /// Where the build stood; when it is final and there are no lines, the log has ended.
    pub status: BuildStatus,
    /// Whether the next look will find more, without anything new being stored.
    pub more: bool,
}

/// All steps of a build.
#[derive(Default)]
pub struct Steps {
    steps: Vec<StepReport>,
    /// None when there are no steps.
    pub frame: Option<Arc<Frame>>,
}

impl Steps {
    /// Whether both say the same.
    pub fn same(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        Arc::ptr_eq(self, other) || self.steps == other.steps
    }
}

impl Tails {
    /// The tail of a build's log, shared while somebody holds it.
    pub fn of(&self, tenant: TenantId, build: BuildId) -> Arc<Tail> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tail) = all.get(&build).and_then(Weak::upgrade) {
            return tail;
        }
        all.retain(|_, tail| tail.strong_count() > 0);
        let tail = Arc::new(Tail { tenant, build, newest: Mutex::default() });
        all.insert(build, Arc::downgrade(&tail));
        tail
    }
}

impl Tail {
    /// What is stored after a line, at `not_before` or later.
    pub async fn look(&self, builds: &Builds, after: i64, not_before: Instant) -> Result<Arc<Look>> {
        let mut newest = self.newest.lock().await;
        match &*newest {
            Some(look) if look.after == after && look.began >= not_before => return Ok(look.clone()),
            // Somebody who is not where the others are, but catches up, neither holds them up nor spoils their look.
            Some(look) if !(look.after..=look.last).contains(&after) => {
                let steps = look.steps.clone();
                drop(newest);
                return self.load(builds, after, &steps).await;
            }
            _ => {}
        }
        let steps = newest.as_ref().map(|look| look.steps.clone()).unwrap_or_default();
        let look = self.load(builds, after, &steps).await?;
        // A first reader may name a line that is not there yet.
        if newest.is_some() || after == 0 || look.lines.is_some() {
            *newest = Some(look.clone());
        }
        Ok(look)
    }

    async fn load(&self, builds: &Builds, after: i64, known: &Arc<Steps>) -> Result<Arc<Look>> {
        let began = Instant::now();
        let LogView { lines, more, steps, status } = builds.log_view(self.tenant, self.build, after).await?;
        let last = lines.last().map_or(after, |line| line.line);
        let frame = |event: &str, id: Option<i64>, data| {
            Arc::new(Frame { id: id.map(|id| id.to_string()), event: event.to_owned(), data })
        };
        let steps = if steps == known.steps {
            known.clone()
        } else {
            let data = serde_json::to_value(&steps)?;
            Arc::new(Steps { frame: Some(frame("steps", None, data)), steps })
        };
        let lines =
            if lines.is_empty() { None } else { Some(frame("lines", Some(last), serde_json::to_value(&lines)?)) };
        let more = more || (lines.is_some() && status.is_final());
        Ok(Arc::new(Look { began, after, last, lines, steps, status, more }))
    }
}
