//! The three tables: who is bound to a port, who listens at an address, and which connections are half open.

mod bind;
mod bucket;
mod established;
mod listen;
#[cfg(all(test, feature = "spin"))]
mod tests;

pub use bind::BindBucket;
pub(crate) use bind::BindTable;
pub use bucket::Bucket;
pub use established::EhashBucket;
pub(crate) use established::{EstablishedTable, LockedEhash};
pub(crate) use listen::{HashError, ListenTable, LockedBucket};

use core::hash::{Hash, Hasher};

/// Returns the bucket of `key`, of `buckets`; `None` if there are none.
fn bucket_of(key: &impl Hash, buckets: usize) -> Option<usize> {
    let mut hasher = fnv::FnvHasher::default();
    key.hash(&mut hasher);
    Some(hasher.finish().checked_rem(buckets as u64)? as usize)
}
