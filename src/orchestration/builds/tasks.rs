//! What runs behind builds.

use super::Builds;
use crate::platform::jobs::Registry;
use std::time::Duration;

/// Registers the periodic tasks.
pub fn register(registry: &mut Registry, builds: &Builds) {
    let b = builds.clone();
    registry.every(Duration::from_secs(5), "builds.rescue", move || {
        let b = b.clone();
        async move { b.rescue(None).await.map(drop) }
    });
    let b = builds.clone();
    registry.every(Duration::from_secs(15), "builds.fail_overdue", move || {
        let b = b.clone();
        async move { b.fail_overdue().await.map(drop) }
    });
    let b = builds.clone();
    registry.every(Duration::from_hours(1), "builds.purge_contexts", move || {
        let b = b.clone();
        async move { b.purge_contexts().await.map(drop) }
    });
}
