//! Notifications for after the commit. A transaction that itself calls NOTIFY holds a lock of the whole server while its
//! commit is flushed to disk, so such commits would queue up one behind the other. Sent afterwards, and together, they
//! hold up nobody. They are hints: one that dies with its process costs a reader the time until it polls.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// What committed transactions have left to be sent. What is said twice before it is sent is sent once.
#[derive(Debug, Default)]
pub struct Notices {
    waiting: Mutex<BTreeSet<String>>,
    filled: Notify,
}

impl Notices {
    /// Adds to it.
    pub fn put(&self, more: BTreeSet<String>) {
        if !more.is_empty() {
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).extend(more);
            self.filled.notify_one();
        }
    }

    /// What is there now.
    pub fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until there is something. Safe to drop while waiting.
    pub async fn filled(&self) -> BTreeSet<String> {
        loop {
            let found = self.take();
            if !found.is_empty() {
                return found;
            }
            self.filled.notified().await;
        }
    }
}
