//! The only place that asks the machine for the time, so that tests can move it.

use chrono::{DateTime, Duration, TimeZone, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The time in UTC. Leases and deadlines that several processes share use the database's clock instead.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Microseconds added to the machine's time; moved by tests.
    offset_us: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// Now, cut to microseconds, as PostgreSQL keeps it.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> DateTime<Utc> {
        let us = Utc::now().timestamp_micros().saturating_add(self.offset_us.load(Ordering::Relaxed));
        Utc.timestamp_micros(us).single().unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Moves this clock and all its clones forward.
    pub fn advance(&self, by: Duration) {
        self.offset_us.fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}
