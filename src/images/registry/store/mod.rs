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

use crate::kernel::{Digest, Error, Result};

/// A digest as it is stored: 32 bytes.
fn digest(bytes: &[u8]) -> Result<Digest> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| Error::internal("a stored digest has another length"))?;
    Ok(Digest::from(bytes))
}

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
