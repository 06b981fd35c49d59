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
pub(crate) use listen::{HashError, ListenTable, LockedBucket, Lookup};

use crate::address::Place;
use crate::request::Tuple;
use core::hash::{Hash, Hasher};
use core::net::{IpAddr, SocketAddr};
use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

/// What a table is hashed by, told to a hasher in as few words as it takes: a handshake is hashed four times.
trait Key {
    fn tell(&self, hasher: &mut FoldHasher<'_>);
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

impl Key for Tuple {
    #[inline]
    fn tell(&self, hasher: &mut FoldHasher<'_>) {
        let ports = u32::from(self.local.port()) << 16 | u32::from(self.remote.port());
        if let (SocketAddr::V4(local), SocketAddr::V4(remote)) = (self.local, self.remote) {
            let (local, remote) = (u128::from(local.ip().to_bits()), u128::from(remote.ip().to_bits()));
            hasher.write_u128(local << 64 | remote << 32 | u128::from(ports));
        } else {
            hasher.write_u128(bits(self.local.ip()));
            hasher.write_u128(bits(self.remote.ip()));
            hasher.write_u32(ports);
        }
    }
}

impl Key for Place {
    #[inline]
    fn tell(&self, hasher: &mut FoldHasher<'_>) {
        let (ip, scope_id, port) = self.key();
        hasher.write_u128(ip.map_or(0, bits));
        hasher.write_u32(scope_id);
        hasher.write_u16(port);
    }
}

/// A place with all that it has, the family of a wildcard included: a planted fault.
struct Whole<'a>(&'a Place);

impl Key for Whole<'_> {
    fn tell(&self, hasher: &mut FoldHasher<'_>) {
        self.0.hash(hasher);
    }
}

impl Key for u16 {
    #[inline]
    fn tell(&self, hasher: &mut FoldHasher<'_>) {
        hasher.write_u16(*self);
    }
}

/// Returns the bucket of `key`, of `buckets`; `None` if there are none.
#[inline]
fn bucket_of(key: &impl Key, buckets: usize) -> Option<usize> {
    let mut hasher = FoldHasher::with_seed(0, SharedSeed::global_fixed());
    key.tell(&mut hasher);
    // Scaled, not divided: a division takes as long as all before it.
    let scaled = (u128::from(hasher.finish()) * buckets as u128) >> u64::BITS;
    (buckets > 0).then_some(scaled as usize)
}
