//! What runs behind dispatch.

use super::Dispatch;
use crate::platform::jobs::Registry;
use std::time::Duration;

/// Registers the periodic tasks.
pub fn register(registry: &mut Registry, dispatch: &Dispatch) {
    let d = dispatch.clone();
    registry.every(Duration::from_secs(30), "dispatch.wake", move || {
        let d = d.clone();
        async move { d.wake_all().await }
    });
}
