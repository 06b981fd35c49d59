//! A SYN arrives: who takes it, and whether it is remembered or answered with a cookie.

use super::Stack;
use crate::counters::count;
use crate::event::{Arrival, Here};
use crate::hash::EhashBucket;
use crate::listener::{AddError, Listener, ListenerId};
use crate::lockdep::{Held, Nothing};
use crate::net::Syncookies;
use crate::outcome::{Refusal, Syn};
use crate::queue::{Charges, LockedQueue};
use crate::request::{Key, RequestId, RequestSock, Tuple};
use crate::reuseport::Selecting;
use crate::slab::{Fresh, NONE};
use crate::sync::{Backend, Event, Fault};

/// What a listener makes of a SYN that it has not seen before.
enum Admission {
    /// A half-open request.
    Request,
    /// An answer with a cookie: nothing is remembered.
    Cookie,
}

impl<C: Send + 'static, B: Backend> Stack<'_, C, B> {
    /// A SYN arrived: makes a half-open request that is charged to the listener that the hash falls on,
    /// recognises the request that the tuple has already, or says that a cookie is due. O(1). Takes
    /// `ListenBucket`; and `EstablishedBucket`, in it `Rskq`, and then `Timer`. (Linux:
    /// `tcp_conn_request()`.)
    ///
    /// # Errors
    ///
    /// [`Refusal::NoListener`], [`Refusal::DroppedByProgram`], [`Refusal::AcceptQueueFull`],
    /// [`Refusal::SynQueueFull`], [`Refusal::NoRequestSlot`].
    pub fn syn(&self, arrival: Arrival, here: Here) -> Result<Syn<C, B>, Refusal> {
        let held = &mut self.nothing_held();
        let Arrival { tuple, hashes } = arrival;
        let bucket = self.ehash.bucket(&tuple);
        if let Some(known) = bucket.and_then(|bucket| self.duplicate(bucket, &tuple, here, held))
            && !B::planted(Fault::SynAlwaysNew)
        {
            return Ok(Syn::Duplicate(known));
        }
        let group = self.table.lookup(&self.net, tuple.local, held).ok_or(Refusal::NoListener)?;
        let Some(hashed_in) = bucket else {
            self.count_no_request_slot();
            return Err(Refusal::NoRequestSlot);
        };
        let mut why = Refusal::NoRequestSlot;
        let selecting = Selecting::by_syn(arrival, here);
        let offer = self.table.offer(&self.net, Some(group), &selecting, (), held, |listener, (), held| {
            let (mut bucket, mut held) = hashed_in.lock(held);
            if let Some(known) = bucket.find(&self.net, &tuple)
                && !B::planted(Fault::DuplicateNotRecognised)
                && !B::planted(Fault::SynAlwaysNew)
            {
                let id = self.net.requests.id_at(known.index());
                self.arm(known, here, &mut held);
                return Ok(Syn::Duplicate(id));
            }
            let mut queue = listener.accept_queue.lock(&mut held);
            if !listener.is_at_home(&queue) && !B::planted(Fault::SynAtClosed) {
                B::trace(Event::SynRefused { listener: listener.index() });
                return Err((AddError::NotAtHome, ()));
            }
            match self.admit(listener, &queue) {
                Ok(Admission::Request) => {}
                Ok(Admission::Cookie) => {
                    self.net.synq_overflow(listener, here);
                    return Ok(Syn::Cookie(listener.id()));
                }
                Err(refusal) => {
                    why = refusal;
                    return Err((AddError::Full, ()));
                }
            }
            let Some(fresh) = Fresh::<RequestSock<C, B>, _>::alloc(&self.net) else {
                self.count_no_request_slot();
                return Err((AddError::Full, ()));
            };
            // SAFETY: fresh from the slab, not published.
            unsafe { fresh.fill(Key { tuple, hashes }) };
            let request = fresh.publish();
            let none = listener.adopt(&queue, &request, &self.net);
            debug_assert_eq!(none, NONE);
            queue.charge(Charges::one(true));
            drop(queue);
            let id = request.id();
            B::trace(Event::Hashed { request: request.index(), listener: listener.index() });
            #[cfg(feature = "designs")]
            if let Some(posted) = self.posted() {
                posted.hash(&request);
            }
            bucket.insert(request);
            if B::planted(Fault::ArmedLate) {
                drop(bucket);
            }
            if let Some(hashed) = self.net.requests.get(id.index()) {
                self.arm(hashed, here, &mut held);
            }
            Ok(Syn::New { request: id, listener: listener.id() })
        });
        offer.map_err(|(refusal, ())| match refusal {
            Refusal::AcceptQueueFull => why,
            other => other,
        })
    }

    /// Returns the listener that a SYN would fall on at this moment; it may stop listening at any time. O(1).
    /// Takes `ListenBucket`. (Linux: `__inet_lookup_listener()`.)
    ///
    /// # Errors
    ///
    /// [`Refusal::NoListener`], [`Refusal::DroppedByProgram`].
    pub fn lookup(&self, arrival: Arrival, here: Here) -> Result<ListenerId<C, B>, Refusal> {
        let held = &mut self.nothing_held();
        let group = self.table.lookup(&self.net, arrival.tuple.local, held).ok_or(Refusal::NoListener)?;
        let selecting = Selecting::by_syn(arrival, here);
        let found =
            self.table.offer(&self.net, Some(group), &selecting, (), held, |found, (), _| Ok(found.id()));
        found.map_err(|(refusal, ())| refusal)
    }

    /// Looks for a request that the tuple has already: its SYN-ACK is sent again, and its timer starts anew.
    fn duplicate(
        &self,
        bucket: &EhashBucket<C, B>,
        tuple: &Tuple,
        here: Here,
        held: &mut Held<'_, Nothing>,
    ) -> Option<RequestId<C, B>> {
        let (bucket, mut held) = bucket.lock(held);
        let known = bucket.find(&self.net, tuple)?;
        self.arm(known, here, &mut held);
        Some(self.net.requests.id_at(known.index()))
    }

    /// Decides on a SYN under the `rskq_lock` of the listener that it fell on, and counts what is refused.
    ///
    /// Linux's order: the SYN queue, then the accept queue; a SYN that finds both full counts for both.
    /// Both hold one more than the backlog.
    fn admit(&self, listener: &Listener<C, B>, queue: &LockedQueue<'_, C, B>) -> Result<Admission, Refusal> {
        let (counters, sysctl) = (&self.net.counters, &self.net.sysctl);
        let cookies = sysctl.tcp_syncookies();
        let cookie = self.wants_cookie(listener, queue);
        if cookie && cookies == Syncookies::Never {
            count(&counters.TCPReqQFullDrop);
            count(&counters.ListenDrops);
            return Err(Refusal::SynQueueFull);
        }
        if cookie {
            count(&counters.TCPReqQFullDoCookies);
        }
        if listener.is_full(queue.len() + u32::from(B::planted(Fault::AcceptQueueOneLess))) {
            count(&counters.ListenOverflows);
            count(&counters.ListenDrops);
            return Err(Refusal::AcceptQueueFull);
        }
        let most = sysctl.tcp_max_syn_backlog();
        if cookies == Syncookies::Never && queue.qlen() > most - (most >> 2) {
            count(&counters.ListenDrops);
            return Err(Refusal::SynQueueFull);
        }
        if cookie {
            count(&counters.SyncookiesSent);
            return Ok(Admission::Cookie);
        }
        Ok(Admission::Request)
    }

    /// Tells whether a listener, whose `rskq_lock` is held, has no room for another half-open request.
    pub(super) fn wants_cookie(&self, listener: &Listener<C, B>, queue: &LockedQueue<'_, C, B>) -> bool {
        self.net.sysctl.tcp_syncookies() == Syncookies::Always
            || listener.is_full(queue.qlen() + u32::from(B::planted(Fault::SynQueueOneLess)))
    }
}
