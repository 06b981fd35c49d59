//! Memory for unit tests, borrowed as an embedder without an allocator lends it.

use crate::group::{Member, SockReuseport};
use crate::hash::{BindBucket, BindTable, Bucket, ListenTable};
use crate::listener::Listener;
use crate::lockdep::{Held, Nothing};
use crate::net::{Net, RequestRef};
use crate::request::{Hashes, Key, Owner, RequestSock, Tuple};
use crate::slab::{Fresh, Slot, Vacant};
use core::net::SocketAddr;
use std::vec::Vec;

/// What ships; with feature `seeded`, the same with the fault that the environment names.
#[cfg(not(feature = "seeded"))]
pub(crate) type B = crate::DefaultBackend;
#[cfg(feature = "seeded")]
pub(crate) type B = crate::sync::seeded::Seeded<crate::DefaultBackend>;

pub(crate) type TestNet<'s> = Net<'s, u32, B>;

/// What a unit test holds when it takes a lock that is not nested in another one.
pub(crate) fn nothing_held<'t>() -> Held<'t, Nothing> {
    // SAFETY: unit tests run on one thread each, and take a lock under another one only through the
    // token that came with that.
    unsafe { Held::nothing() }
}

/// A tuple like any other.
pub(crate) fn key() -> Key {
    let local = SocketAddr::from(([127, 0, 0, 1], 80));
    let remote = SocketAddr::from(([127, 0, 0, 1], 40_000));
    Key { tuple: Tuple { local, remote }, hashes: Hashes::default() }
}

/// A request that is filled in, with a child, if there is a slot.
pub(crate) fn request<'a, 's>(net: &'a TestNet<'s>) -> Option<RequestRef<'a, 's, u32, B>> {
    let fresh = Fresh::<RequestSock<u32, B>, _>::alloc(net)?;
    // SAFETY: fresh from the slab, not published.
    unsafe {
        fresh.fill(key());
        let _ = fresh.put_child(0);
    }
    Some(fresh.publish())
}

/// `count` unused elements.
pub(crate) fn vacant<T: Vacant>(count: usize) -> Vec<T> {
    (0..count).map(|_| T::VACANT).collect()
}

/// The memory of one stack.
pub(crate) struct Memory {
    listeners: Vec<Slot<Listener<u32, B>, B>>,
    requests: Vec<Slot<RequestSock<u32, B>, B>>,
    owners: Vec<Slot<Owner<B>, B>>,
    groups: Vec<Slot<SockReuseport<B>, B>>,
    max_socks: u32,
    socks: Vec<Member<B>>,
    ports: Vec<BindBucket<u32, B>>,
    buckets: Vec<Bucket<B>>,
}

impl Memory {
    /// Room for as many listeners, requests and groups of `max_socks` members.
    pub(crate) fn new(listeners: usize, requests: usize, groups: usize, max_socks: u32) -> Self {
        Self {
            listeners: vacant(listeners),
            requests: vacant(requests),
            owners: vacant(listeners),
            groups: vacant(groups),
            max_socks,
            socks: vacant(groups * Member::<B>::count_for(max_socks)),
            ports: vacant(2),
            buckets: vacant(2),
        }
    }

    #[cfg(feature = "alloc")]
    /// The same with another limit of a group, and so many words for all of them.
    pub(crate) fn with_socks(self, max_socks: u32, socks: usize) -> Self {
        Self { max_socks, socks: vacant(socks), ..self }
    }

    /// Lends the memory, but for the table of ports.
    pub(crate) fn lend(&mut self) -> (TestNet<'_>, ListenTable<'_, B>) {
        let (net, _, table) = self.lend_all();
        (net, table)
    }

    /// Lends the memory.
    pub(crate) fn lend_all(&mut self) -> (TestNet<'_>, BindTable<'_, u32, B>, ListenTable<'_, B>) {
        let Self { listeners, requests, owners, groups, max_socks, socks, ports, buckets } = self;
        let net = Net::new(
            listeners.as_mut_slice().into(),
            requests.as_mut_slice().into(),
            owners.as_mut_slice().into(),
            groups.as_mut_slice().into(),
            socks.as_mut_slice().into(),
            *max_socks,
            crate::net::Sysctl::LINUX,
        );
        let ports = BindTable::new(ports.as_mut_slice().into());
        (net, ports, ListenTable::new(buckets.as_mut_slice().into()))
    }
}
