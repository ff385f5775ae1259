//! What runs behind.

use super::service::Upstreams;
use super::store;
use crate::kernel::Result;
use crate::platform::jobs;
use chrono::Duration;
use std::time::Duration as Period;

/// Manifests removed in one statement.
const BATCH: u64 = 500;
/// Days after which a manifest is forgotten that no tag points at and of which not everything was pulled.
const KEEP_DAYS: i64 = 7;

/// Registers the removal of what nobody came back for.
pub fn register(jobs: &mut jobs::Registry, upstreams: &Upstreams) {
    let upstreams = upstreams.clone();
    jobs.every(Period::from_hours(1), "upstreams.purge", move || {
        let upstreams = upstreams.clone();
        async move { upstreams.purge().await }
    });
}

impl Upstreams {
    /// Forgets manifests that no tag points at and of which not everything was pulled for some days.
    pub async fn purge(&self) -> Result<()> {
        let before = self.clock.now() - Duration::days(KEEP_DAYS);
        loop {
            let mut tx = self.db.system("forget manifests of upstreams").await?;
            let gone = store::purge_pending(&mut tx, before, i64::try_from(BATCH).unwrap_or(i64::MAX)).await?;
            tx.commit().await?;
            if gone < BATCH {
                return Ok(());
            }
        }
    }
}
