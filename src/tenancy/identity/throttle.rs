//! Login throttling, by three counters that all processes share:
//!
//! - the pair of account and address: ten free failures, then a delay that doubles up to 15 minutes;
//! - the address: a hundred free failures over all accounts, then the same;
//! - the account: fifty free failures from anywhere, then a delay that doubles up to one minute only. Addresses from which
//!   the person has signed in before are not held to it, and the delay is short, so nobody locks an owner out for ever.
//!
//! An attempt counts as a failure before the password is looked at and is taken back when it was right, so parallel
//! guesses count. Counters are forgotten after an hour without a failure.

use crate::kernel::secret::fingerprint;
use std::net::IpAddr;

/// One counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counter {
    /// Its row; the account is hashed because people type passwords into the wrong field.
    pub key: String,
    /// Failures without consequence.
    pub free: i32,
    /// Longest delay in seconds.
    pub max_seconds: i32,
    /// What a success does to it.
    pub on_success: OnSuccess,
}

/// What a success does to a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnSuccess {
    /// It starts again.
    Clear,
    /// Only this attempt is taken back: one good account must not hide guesses on others.
    TakeBack,
}

/// The counters of an attempt, always in the same order so that attempts never wait for each other in a circle.
pub(super) fn counters(email: &str, ip: Option<IpAddr>, known_address: bool) -> Vec<Counter> {
    let account = hex::encode(&fingerprint(email)[..16]);
    let address = ip.map_or_else(|| "unknown".to_owned(), network);
    let counter =
        |key, free, max_seconds, on_success| Counter { key, free, max_seconds, on_success };
    let mut all = vec![
        counter(format!("pair:{account}:{address}"), 10, 900, OnSuccess::Clear),
        counter(format!("address:{address}"), 100, 900, OnSuccess::TakeBack),
    ];
    if !known_address {
        all.push(counter(format!("account:{account}"), 50, 60, OnSuccess::Clear));
    }
    all
}

/// An IPv4 address, or the /64 network of an IPv6 address, of which one host has all.
fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(a) => a.to_string(),
        IpAddr::V6(a) => {
            let s = a.segments();
            format!("{:x}:{:x}:{:x}:{:x}::/64", s[0], s[1], s[2], s[3])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(email: &str, ip: &str, known: bool) -> Vec<String> {
        counters(email, Some(ip.parse().unwrap()), known).into_iter().map(|c| c.key).collect()
    }

    #[test]
    fn a_known_address_is_not_held_to_the_accounts_counter() {
        assert_eq!(keys("a@b", "192.0.2.1", false).len(), 3);
        assert!(keys("a@b", "192.0.2.1", true).iter().all(|k| !k.starts_with("account:")));
    }

    #[test]
    fn one_network_counts_as_one_address() {
        assert_eq!(keys("a@b", "2001:db8::1", false), keys("a@b", "2001:db8::ffff", false));
        assert_ne!(keys("a@b", "2001:db8::1", false), keys("a@b", "2001:db8:0:1::1", false));
        assert_eq!(keys("a@b", "::ffff:192.0.2.1", false), keys("a@b", "192.0.2.1", false));
    }
}
