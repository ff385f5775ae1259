//! Token buckets by key (GCRA), in process.

use crate::kernel::{Error, Result};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use std::num::NonZeroU32;
use std::sync::Arc;

/// So many requests per second for each key, with a burst of twice that.
#[derive(Clone)]
pub struct RateLimit {
    limiter: Arc<DefaultKeyedRateLimiter<String>>,
}

impl RateLimit {
    /// A limit of `per_second` for each key.
    pub fn per_second(per_second: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
        Self { limiter: Arc::new(DefaultKeyedRateLimiter::keyed(quota)) }
    }

    /// Takes a token, or says when there will be one.
    pub fn check(&self, key: &str) -> Result<()> {
        self.limiter.check_key(&key.to_owned()).map_err(|until| {
            metrics::counter!("image_factory_rate_limited_total").increment(1);
            Error::limited("rate_limited", "too many requests; slow down")
                .with_retry_after(until.wait_time_from(DefaultClock::default().now()))
        })
    }

    /// Forgets keys that have been quiet, so that memory stays bounded.
    pub fn forget_idle(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}
