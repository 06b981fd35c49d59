//! A connection arrives with its handshake done.

use super::Stack;
use crate::counters::count;
use crate::event::{Arrival, Here};
use crate::group::SockReuseport;
use crate::listener::Capacity;
use crate::lockdep::{Held, Nothing};
use crate::net::{Net, RequestRef};
use crate::outcome::{Delivered, Refusal, Refused, Wake};
use crate::request::{Key, RequestSock};
use crate::reuseport::Selecting;
use crate::slab::{Fresh, Id};
use crate::sync::{Backend, Fault};

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// Delivers an established connection to the accept queue of the listener that its hash falls
    /// on. O(1). Takes `ListenBucket` and `Rskq`, one after the other.
    ///
    /// For embedders that do handshakes themselves. A listener that closes meanwhile is no reason to
    /// lose the connection: the delivery resolves again.
    ///
    /// # Errors
    ///
    /// Gives the child back with the reason.
    pub fn deliver(&self, arrival: Arrival, here: Here, child: C) -> Result<Delivered<C, B>, Refused<C>> {
        let held = &mut self.nothing_held();
        let Some(group) = self.table.lookup(&self.net, arrival.tuple.local, held) else {
            return Err(Refused { child, why: Refusal::NoListener });
        };
        let request = match self.new_request(arrival, child) {
            Ok(request) => request,
            Err(child) => return Err(Refused { child, why: Refusal::NoRequestSlot }),
        };
        let selecting = Selecting::by_syn(arrival, here);
        self.deliver_by(&selecting, Some(group), request, held)
    }

    /// Delivers a request with a child in it to whoever is selected, beginning with `group`.
    pub(super) fn deliver_by<'a>(
        &'a self,
        selecting: &Selecting,
        group: Option<Id<SockReuseport<B>>>,
        request: RequestRef<'a, 's, C, B>,
        held: &mut Held<'_, Nothing>,
    ) -> Result<Delivered<C, B>, Refused<C>> {
        let added = self.table.offer(&self.net, group, selecting, request, held, |to, request, held| {
            to.queue_add(request, &self.net, Capacity::Enforced, held)?;
            Ok(to.id())
        });
        match added {
            Ok(listener) => {
                let wake = (!B::planted(Fault::WakeForgotten)).then_some(Wake(listener));
                Ok(Delivered { listener, wake })
            }
            Err((why, request)) => Err(self.refused(why, &request)),
        }
    }

    /// Makes a request with a child in it. Counts, and gives the child back, if there is no slot.
    pub(super) fn new_request(&self, arrival: Arrival, child: C) -> Result<RequestRef<'_, 's, C, B>, C> {
        let Some(fresh) = Fresh::<RequestSock<C, B>, Net<'s, C, B>>::alloc(&self.net) else {
            self.count_no_request_slot();
            return Err(child);
        };
        // SAFETY: fresh from the slab, not published.
        let none = unsafe {
            fresh.fill(Key { tuple: arrival.tuple, hashes: arrival.hashes });
            fresh.put_child(child)
        };
        debug_assert!(none.is_none());
        Ok(fresh.publish())
    }

    /// Counts a connection that is dropped because there is no request for it.
    pub(super) fn count_no_request_slot(&self) {
        count(&self.net.counters.RequestSlabFull);
        count(&self.net.counters.ListenDrops);
    }

    /// Counts a refusal and takes the child out of the request, which no queue took.
    pub(super) fn refused(&self, why: Refusal, request: &RequestRef<'_, 's, C, B>) -> Refused<C> {
        if why == Refusal::AcceptQueueFull {
            count(&self.net.counters.ListenOverflows);
            count(&self.net.counters.ListenDrops);
        }
        if B::planted(Fault::RefusedKept) {
            let _ = request.clone().into_raw();
        }
        // SAFETY: no queue took the request: in our hands.
        match unsafe { request.take_child() } {
            Some(child) => Refused { child, why },
            None => unreachable!("a request in hand has the child it was filled with"),
        }
    }
}
