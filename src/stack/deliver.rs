//! A connection arrives.

use super::Stack;
use crate::counters::count;
use crate::listener::Capacity;
use crate::outcome::{Delivered, Refusal, Refused, Wake};
use crate::request::{Hashes, RequestSock};
use crate::slab::Fresh;
use crate::sync::{Backend, Fault};
use core::net::SocketAddr;

/// Where a connection arrives, and its hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The local address it is for.
    pub local: SocketAddr,
    /// The hashes of its tuple, by whatever function the embedder keys and trusts.
    pub hashes: Hashes,
}

impl<C: Send + 'static, B: Backend> Stack<'_, C, B> {
    /// Delivers an established connection to the accept queue of the listener that its hash falls
    /// on. O(1). Takes `ListenBucket` and `Rskq`, one after the other.
    ///
    /// A listener that closes meanwhile is no reason to lose the connection: the delivery resolves
    /// again.
    ///
    /// # Errors
    ///
    /// Gives the child back with the reason.
    pub fn deliver(&self, arrival: Arrival, child: C) -> Result<Delivered<C, B>, Refused<C>> {
        let Some(group) = self.table.lookup(&self.net, arrival.local) else {
            return Err(Refused { child, why: Refusal::NoListener });
        };
        let Some(fresh) = Fresh::<RequestSock<C, B>, _>::alloc(&self.net) else {
            count(&self.net.counters.RequestSlabFull);
            count(&self.net.counters.ListenDrops);
            return Err(Refused { child, why: Refusal::NoRequestSlot });
        };
        // SAFETY: fresh from the slab, not published.
        unsafe { fresh.fill(arrival.hashes, child) };
        let (addr, hash) = (arrival.local, arrival.hashes.syn_hash);
        let added = self.table.queue_add(&self.net, addr, group, hash, Capacity::Enforced, fresh.publish());
        let (why, request) = match added {
            Ok(listener) => {
                let wake = (!B::planted(Fault::WakeForgotten)).then_some(Wake(listener));
                return Ok(Delivered { listener, wake });
            }
            Err(refused) => refused,
        };
        if why == Refusal::AcceptQueueFull {
            count(&self.net.counters.ListenOverflows);
            count(&self.net.counters.ListenDrops);
        }
        // SAFETY: no queue took the request: in our hands.
        let (_, child) = unsafe { request.take_body() };
        match child {
            Some(child) => Err(Refused { child, why }),
            None => unreachable!("a request in hand has the child it was filled with"),
        }
    }
}
