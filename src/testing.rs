//! Memory for unit tests, borrowed as an embedder without an allocator lends it.

use crate::DefaultBackend as B;
use crate::group::{Member, SockReuseport};
use crate::hash::{Bucket, ListenTable};
use crate::listener::Listener;
use crate::net::Net;
use crate::request::{Owner, RequestSock};
use crate::slab::{Slot, Vacant};
use std::vec::Vec;

pub(crate) type TestNet<'s> = Net<'s, u32, B>;

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
    socks: Vec<Member<B>>,
    buckets: Vec<Bucket<u32, B>>,
}

impl Memory {
    /// Room for as many listeners, requests and groups; `socks` is what all groups share.
    pub(crate) fn new(listeners: usize, requests: usize, groups: usize, socks: usize) -> Self {
        Self {
            listeners: vacant(listeners),
            requests: vacant(requests),
            owners: vacant(listeners),
            groups: vacant(groups),
            socks: vacant(socks),
            buckets: vacant(2),
        }
    }

    /// Lends the memory.
    pub(crate) fn lend(&mut self) -> (TestNet<'_>, ListenTable<'_, u32, B>) {
        let Self { listeners, requests, owners, groups, socks, buckets } = self;
        let net = Net::new(
            listeners.as_mut_slice().into(),
            requests.as_mut_slice().into(),
            owners.as_mut_slice().into(),
            groups.as_mut_slice().into(),
            socks.as_mut_slice().into(),
        );
        (net, ListenTable::new(buckets.as_mut_slice().into()))
    }
}
