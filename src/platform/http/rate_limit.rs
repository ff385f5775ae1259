//! Token buckets by key (GCRA), in process.

use crate::kernel::{Error, Result};
use crate::platform::tasks::Tasks;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// So many requests per second for each key, with a burst of twice that.
#[derive(Clone)]
pub struct RateLimit {
    limiter: Arc<DefaultKeyedRateLimiter<String>>,
}

impl RateLimit {
    /// A limit of `per_second` for each key.
    pub fn per_second(per_second: NonZeroU32) -> Self {
        let quota =
            Quota::per_second(per_second).allow_burst(per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
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

/// Rate limits where keys may have rates of their own: one limiter for each rate in use.
#[derive(Clone)]
pub struct RateLimits {
    usual: NonZeroU32,
    by_rate: Arc<Mutex<BTreeMap<NonZeroU32, RateLimit>>>,
}

impl RateLimits {
    /// Keys without a rate of their own get `usual` per second.
    pub fn per_second(usual: u32) -> Self {
        Self { usual: NonZeroU32::new(usual).unwrap_or(NonZeroU32::MIN), by_rate: Arc::default() }
    }

    /// The same, forgetting quiet keys every minute until the process stops.
    #[must_use]
    pub fn forgetful(self, tasks: &Tasks) -> Self {
        let idle = self.clone();
        tasks.spawn_until_stopped("forget idle rate limits", async move {
            loop {
                tokio::time::sleep(Duration::from_mins(1)).await;
                idle.forget_idle();
            }
        });
        self
    }

    /// Takes a token, or says when there will be one.
    pub fn check(&self, key: &str, own: Option<u32>) -> Result<()> {
        let rate = own.and_then(NonZeroU32::new).unwrap_or(self.usual);
        let limiter = {
            let mut by_rate = self.by_rate.lock().unwrap_or_else(PoisonError::into_inner);
            by_rate.entry(rate).or_insert_with(|| RateLimit::per_second(rate)).clone()
        };
        limiter.check(key)
    }

    fn forget_idle(&self) {
        let limiters: Vec<_> = self.by_rate.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        limiters.iter().for_each(RateLimit::forget_idle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_held_to_their_own_rate() {
        let limits = RateLimits::per_second(100);
        let allowed = |key, own| (0..50).filter(|_| limits.check(key, own).is_ok()).count();
        assert_eq!(allowed("large", None), 50);
        assert!((2..10).contains(&allowed("small", Some(1))), "a burst of twice the rate");
        assert!(limits.check("small", Some(1)).unwrap_err().retry_after().is_some());
    }
}
