//! What runs behind.

use super::service::{RUN, Replication};
use crate::platform::jobs;
use std::time::Duration;

/// How soon after a push, or after its time has come, a run begins.
const LOOK: Duration = Duration::from_secs(5);

/// Registers what begins runs, and what forgets them.
pub fn register(jobs: &mut jobs::Registry, replication: &Replication) {
    let following = replication.clone();
    jobs.every(LOOK, "replication.follow_pushes", move || {
        let replication = following.clone();
        async move { replication.follow_pushes().await }
    });
    let starting = replication.clone();
    jobs.every(LOOK, "replication.start_due", move || {
        let replication = starting.clone();
        async move { replication.start_due().await }
    });
    let forgetting = replication.clone();
    jobs.every(Duration::from_hours(1), "replication.purge_runs", move || {
        let replication = forgetting.clone();
        async move { replication.purge_runs().await }
    });
}

/// Registers the work on runs, among jobs of their own: it takes long, and what else runs behind does not wait for it.
pub fn register_runs(jobs: &mut jobs::Registry, replication: &Replication) {
    let replication = replication.clone();
    jobs.on_steps(RUN, move |payload| {
        let replication = replication.clone();
        async move { replication.work(serde_json::from_value(payload)?).await }
    });
}
