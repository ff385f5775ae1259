//! All SQL of the registry. Every statement names the tenant; row security is the net under it.

pub mod accesses;
pub mod backends;
pub mod blobs;
pub mod garbage;
pub mod layers;
pub mod manifests;
pub mod referrers;
pub mod repositories;
pub mod retention;
pub mod runs;
pub mod scrub;
pub mod tags;
pub mod uploads;
pub mod usage;

use crate::kernel::Digest;

fn bytes(digests: &[Digest]) -> Vec<Vec<u8>> {
    digests.iter().map(|d| d.bytes().to_vec()).collect()
}

/// A size as it is stored.
fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn unsigned(size: i64) -> u64 {
    u64::try_from(size).unwrap_or_default()
}
