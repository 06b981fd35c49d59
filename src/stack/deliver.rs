//! A connection arrives.

use super::Stack;
use crate::counters::count;
use crate::listener::{AddError, Capacity};
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
        let Some(mut group) = self.table.lookup(&self.net, arrival.local) else {
            return Err(Refused { child, why: Refusal::NoListener });
        };
        let Some(fresh) = Fresh::<RequestSock<C, B>, _>::alloc(&self.net) else {
            count(&self.net.counters.RequestSlabFull);
            count(&self.net.counters.ListenDrops);
            return Err(Refused { child, why: Refusal::NoRequestSlot });
        };
        // SAFETY: fresh from the slab, not published.
        unsafe { fresh.fill(arrival.hashes, child) };
        let mut request = fresh.publish();
        let why = loop {
            if let Some(listener) = self.net.select_sock(group, arrival.hashes.syn_hash) {
                match listener.queue_add(request, &self.net, Capacity::Enforced) {
                    Ok(()) => {
                        let id = listener.id();
                        let wake = (!B::planted(Fault::WakeForgotten)).then_some(Wake(id));
                        return Ok(Delivered { listener: id, wake });
                    }
                    Err((AddError::Full, refused)) => {
                        request = refused;
                        count(&self.net.counters.ListenOverflows);
                        count(&self.net.counters.ListenDrops);
                        break Refusal::AcceptQueueFull;
                    }
                    Err((AddError::NotAtHome, refused)) => request = refused,
                }
                if B::planted(Fault::LateArrivalDropped) {
                    break Refusal::NoListener;
                }
            }
            // The listener closed, or the whole group did: whoever listens now.
            match self.table.lookup(&self.net, arrival.local) {
                Some(found) => group = found,
                None => break Refusal::NoListener,
            }
        };
        // SAFETY: no queue took the request: in our hands.
        let (_, child) = unsafe { request.take_body() };
        match child {
            Some(child) => Err(Refused { child, why }),
            None => unreachable!("a request in hand has the child it was filled with"),
        }
    }
}
