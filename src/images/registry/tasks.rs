//! What runs behind.

use super::model::RunKind;
use super::service::Registry;
use super::store;
use crate::kernel::{Error, Result};
use crate::platform::jobs;
use chrono::Duration;
use std::time::Duration as Period;
use uuid::Uuid;

/// Uploads ended in one statement.
const BATCH: i64 = 500;

/// How soon after it was asked for a collection or verification begins.
const LOOK_FOR_RUNS: Period = Period::from_secs(10);

/// How soon after a push its layers are measured.
const MEASURE: Period = Period::from_secs(10);

/// Registers the reaper of uploads, the keeper of the access log, garbage collection, verification and the measuring of
/// layers.
pub fn register(jobs: &mut jobs::Registry, registry: &Registry) {
    for (name, kind) in [("registry.collect", RunKind::Collect), ("registry.scrub", RunKind::Scrub)] {
        let registry = registry.clone();
        jobs.every(LOOK_FOR_RUNS, name, move || {
            let registry = registry.clone();
            async move { registry.work_on_storage(kind).await }
        });
    }
    let measuring = registry.clone();
    jobs.every(MEASURE, "registry.measure_layers", move || {
        let registry = measuring.clone();
        async move { registry.measure_queued().await }
    });
    let keeper = registry.clone();
    jobs.every(Period::from_hours(1), "registry.keep_access_log", move || {
        let registry = keeper.clone();
        async move { registry.keep_access_log().await.map(drop) }
    });
    let registry = registry.clone();
    jobs.every(Period::from_mins(10), "registry.reap_uploads", move || {
        let registry = registry.clone();
        async move { registry.reap_uploads().await.map(drop) }
    });
}

impl Registry {
    /// Ends uploads that have not grown for the configured hours, and removes staged bytes that no upload claims: what a
    /// crash or a client that went away left behind. Returns how many were removed from the storage.
    pub async fn reap_uploads(&self) -> Result<usize> {
        let before = self.parts().clock.now() - Duration::hours(self.config().upload_expiry_hours.into());
        loop {
            let mut tx = self.parts().db.system("expire uploads").await?;
            let ended = store::uploads::delete_idle(&mut tx, before, BATCH).await?;
            tx.commit().await?;
            if ended.is_empty() {
                break;
            }
            metrics::counter!("image_factory_registry_uploads_expired_total").increment(ended.len() as u64);
        }
        let idle = self.parts().store.staged(before).await?;
        let ids: Vec<Uuid> = idle.iter().filter_map(|s| s.upload.parse().ok()).collect();
        let mut tx = self.parts().db.system("look for living uploads").await?;
        let living = store::uploads::living(&mut tx, &ids).await?;
        drop(tx);
        let mut removed = 0;
        for staged in idle {
            if staged.upload.parse().is_ok_and(|id: Uuid| living.contains(&id)) {
                continue;
            }
            match self.parts().store.abort(&staged.upload).await {
                Ok(()) => removed += 1,
                Err(error) if is_busy(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    }
}

fn is_busy(error: &Error) -> bool {
    error.code() == "storage.upload_busy"
}
