// SPDX-License-Identifier: MIT
//! The stack's memory: slices that the kernel allocated, each of which may fail.

use crate::lock::B;
use crate::stack_test::LISTENERS;
use kernel::prelude::*;
use rskq::group::{Member, SockReuseport};
use rskq::hash::{BindBucket, Bucket, EhashBucket};
use rskq::listener::Listener;
use rskq::request::{Owner, RequestSock};
use rskq::slab::{Slot, Vacant};
use rskq::{Config, Design, Resources, Stack};

/// What a connection is to the stack: its number.
pub(crate) type Connection = u32;

pub(crate) struct Memory {
    listeners: KVVec<Slot<Listener<Connection, B>, B>>,
    requests: KVVec<Slot<RequestSock<Connection, B>, B>>,
    owners: KVVec<Slot<Owner<B>, B>>,
    groups: KVVec<Slot<SockReuseport<B>, B>>,
    socks: KVVec<Member<B>>,
    ports: KVVec<BindBucket<Connection, B>>,
    buckets: KVVec<Bucket<B>>,
    ehash: KVVec<EhashBucket<Connection, B>>,
}

fn vacant<T: Vacant>(count: usize) -> Result<KVVec<T>> {
    let mut elements = KVVec::with_capacity(count, GFP_KERNEL)?;
    for _ in 0..count {
        elements.push(T::VACANT, GFP_KERNEL)?;
    }
    Ok(elements)
}

impl Memory {
    pub(crate) fn new() -> Result<Self> {
        // Connections still name listeners that closed.
        let slots = 2 * LISTENERS;
        Ok(Self {
            listeners: vacant(slots)?,
            requests: vacant(128)?,
            owners: vacant(2 * slots)?,
            groups: vacant(2)?,
            socks: vacant(2 * Member::<B>::count_for(slots as u32))?,
            ports: vacant(2)?,
            buckets: vacant(2)?,
            ehash: vacant(16)?,
        })
    }

    /// A stack in this memory, which is empty again when the stack is gone.
    pub(crate) fn stack(&mut self, design: Design) -> Stack<'_, Connection, B> {
        let resources = Resources {
            listeners: self.listeners.as_mut_slice().into(),
            requests: self.requests.as_mut_slice().into(),
            owners: self.owners.as_mut_slice().into(),
            groups: self.groups.as_mut_slice().into(),
            socks: self.socks.as_mut_slice().into(),
            ports: self.ports.as_mut_slice().into(),
            buckets: self.buckets.as_mut_slice().into(),
            ehash: self.ehash.as_mut_slice().into(),
        };
        Stack::new(resources, Config::with(design))
    }
}
