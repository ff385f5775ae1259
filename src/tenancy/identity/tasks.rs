//! What runs behind.

use super::Identity;
use crate::platform::jobs::Registry;
use std::time::Duration;

/// Registers the periodic tasks of this context.
pub fn register(registry: &mut Registry, identity: &Identity) {
    let identity = identity.clone();
    registry.every(Duration::from_secs(3600), "identity.purge", move || {
        let identity = identity.clone();
        async move { identity.purge().await }
    });
}
