//! The final ACK of a handshake arrives: the request goes to an accept queue.

use super::Stack;
use crate::counters::count;
use crate::event::{Here, Payload};
use crate::group::Occasion;
use crate::hash::LockedEhash;
use crate::listener::ListenerId;
use crate::lockdep::{Held, Nothing};
use crate::migrate::Design;
use crate::net::{ListenerRef, Net, OwnerRef, RequestRef};
use crate::outcome::{Delivered, Refusal, Refused, Wake};
use crate::queue::{Charges, LockedQueue};
use crate::request::{RequestSock, Tuple};
use crate::slab::NONE;
use crate::sync::{AtomicU32, Backend, Event, Fault};
use crate::timer::LockedTimers;
use core::sync::atomic::Ordering;

/// A half-open request whose listener does not listen.
pub(super) struct Orphan<'a, 's, C: Send + 'static, B: Backend> {
    pub(super) request: RequestRef<'a, 's, C, B>,
    /// What it named when it was found.
    pub(super) owner: OwnerRef<'a, 's, C, B>,
    /// The listener there.
    pub(super) closed: ListenerRef<'a, 's, C, B>,
}

/// What a final ACK found.
pub(super) enum Ack<'a, 's, C: Send + 'static, B: Backend> {
    Delivered(Delivered<C, B>),
    Refused(Refused<C>),
    /// The request's listener does not listen; the child is given back.
    NobodyHome(Orphan<'a, 's, C, B>, C),
    /// Somebody else moved the request meanwhile: to be looked at again, with the child.
    Moved(C),
}

/// What a listener did with a final ACK.
pub(super) enum Finished<'a, 's, C: Send + 'static, B: Backend> {
    /// It queued the connection. The owner before is to be put where no lock is held.
    Queued { listener: ListenerId<C, B>, before: u32 },
    /// It listens no more.
    NotAtHome(C),
    /// It waits for data.
    Deferred(C),
    /// Its accept queue is full. A request that is given up for it is off the table.
    Overflow(C, Option<RequestRef<'a, 's, C, B>>),
}

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// The final ACK of a handshake arrived, and `child` is its connection: moves the request to its
    /// listener's accept queue. O(1). Takes `EstablishedBucket`, in it `Timer` and `Rskq`; and
    /// `ListenBucket` before that where the listener has left. (Linux: `tcp_check_req()` and
    /// `inet_csk_complete_hashdance()`.)
    ///
    /// If the accept queue is full, or the listener waits for data, the request stays as it is.
    ///
    /// # Errors
    ///
    /// Gives the child back: [`Refusal::NoRequest`], [`Refusal::AcceptQueueFull`],
    /// [`Refusal::AbortedOnOverflow`], [`Refusal::Deferred`], [`Refusal::NoListener`].
    pub fn ack(
        &self,
        tuple: &Tuple,
        payload: Payload,
        here: Here,
        mut child: C,
    ) -> Result<Delivered<C, B>, Refused<C>> {
        let held = &mut self.nothing_held();
        #[cfg(feature = "designs")]
        if let Some(posted) = self.posted() {
            return posted.ack(tuple, child, held);
        }
        let mut ack = self.ack_at_home(tuple, payload, child, held);
        loop {
            ack = match ack {
                Ack::Delivered(delivered) => return Ok(delivered),
                Ack::Refused(refused) => return Err(refused),
                Ack::Moved(child) if B::planted(Fault::LoserDropped) => {
                    return Err(Refused { child, why: Refusal::NoRequest });
                }
                Ack::Moved(back) => self.ack_at_home(tuple, payload, back, held),
                Ack::NobodyHome(orphan, back) if self.design == Design::Linux => {
                    self.ack_elsewhere(&orphan, payload, here, back, held)
                }
                Ack::NobodyHome(orphan, back) => {
                    child = back;
                    if !self.adopted(&orphan, Occasion::Ack, here, held) {
                        // Of two who find nobody, one gives the request up.
                        let mine = self.unhash_request(&orphan.request, held);
                        let why = if mine { Refusal::NoListener } else { Refusal::NoRequest };
                        return Err(Refused { child, why });
                    }
                    Ack::Moved(child)
                }
            }
        }
    }

    fn ack_at_home(
        &self,
        tuple: &Tuple,
        payload: Payload,
        child: C,
        held: &mut Held<'_, Nothing>,
    ) -> Ack<'_, 's, C, B> {
        let no_request = |child| Ack::Refused(Refused { child, why: Refusal::NoRequest });
        let net = &self.net;
        let Some((mut bucket, mut held)) = self.ehash.lock(tuple, held) else { return no_request(child) };
        let Some(request) = bucket.find(net, tuple) else { return no_request(child) };
        let owner = self.borrow_owner(request);
        let charge = Charges::one(request.is_young());
        // Whether the request leaves the table is decided inside: its timer has to be stopped before.
        let (mut timers, mut inner) = self.timers(&mut held);
        let ((finished, closed), root) = net.at_root(&owner, &mut inner, |listener, queue, _| {
            let on = (&mut bucket, timers.as_mut());
            let finished = self.finish(listener, queue, on, request, payload, child);
            if finished.is_off_the_table() && !B::planted(Fault::ChargeKept) {
                queue.charge(-charge);
            }
            let nobody_home = matches!(finished, Finished::NotAtHome(_));
            (finished, nobody_home.then(|| listener.clone()))
        });
        // References are taken where they are needed: a handshake that ends well needs none.
        let orphan = closed.and_then(|closed| {
            let request = RequestRef::try_get(net, request.index())?;
            Some(Orphan { owner: OwnerRef::clone(&owner), request, closed })
        });
        drop(timers);
        drop(bucket);
        drop(root);
        match (finished, orphan) {
            (Finished::NotAtHome(child), Some(orphan)) => Ack::NobodyHome(orphan, child),
            (finished, _) => self.finished(finished),
        }
    }

    /// The listener looks at a final ACK, under its queue's lock and those of the request's bucket and timer.
    pub(super) fn finish<'a>(
        &'a self,
        listener: &ListenerRef<'a, 's, C, B>,
        queue: &mut LockedQueue<'_, C, B>,
        (bucket, timers): (&mut LockedEhash<'_, C, B>, Option<&mut LockedTimers<'_, C, B>>),
        request: &RequestSock<C, B>,
        payload: Payload,
        child: C,
    ) -> Finished<'a, 's, C, B> {
        if !listener.is_at_home(queue) {
            return Finished::NotAtHome(child);
        }
        let waits = request.timeouts() < listener.rskq_defer_accept() && !B::planted(Fault::DeferIgnored);
        if payload == Payload::None && waits {
            request.acked.store(1, Ordering::Relaxed);
            return Finished::Deferred(child);
        }
        if listener.is_full(queue.len()) {
            let aborts = self.net.sysctl.tcp_abort_on_overflow() || B::planted(Fault::OverflowEndsRequest);
            request.acked.store(1, Ordering::Relaxed);
            let gone = if aborts { unhash(bucket, timers, &self.net, request) } else { None };
            return Finished::Overflow(child, gone);
        }
        let Some(request) = unhash(bucket, timers, &self.net, request) else {
            return Finished::NotAtHome(child);
        };
        // SAFETY: just taken off the table: in our hands.
        let none = unsafe { request.put_child(child) };
        debug_assert!(none.is_none());
        B::trace(Event::Unhashed { request: request.index() });
        let added = listener.enqueue_at_home(queue, request, &self.net);
        Finished::Queued { listener: listener.id(), before: added.unwrap_or(NONE) }
    }

    /// Counts what came of a final ACK, once no lock is held.
    pub(super) fn finished<'a>(&'a self, finished: Finished<'a, 's, C, B>) -> Ack<'a, 's, C, B> {
        let counters = &self.net.counters;
        let (child, why) = match finished {
            Finished::Queued { listener, before } => {
                self.net.put_owner(before);
                count(&counters.PassiveOpens);
                return Ack::Delivered(Delivered { listener, wake: Some(Wake(listener)) });
            }
            Finished::NotAtHome(child) => return Ack::Moved(child),
            Finished::Deferred(child) => {
                count(&counters.TCPDeferAcceptDrop);
                (child, Refusal::Deferred)
            }
            Finished::Overflow(child, gone) => {
                count(&counters.ListenOverflows);
                count(&counters.ListenDrops);
                match gone {
                    None => (child, Refusal::AcceptQueueFull),
                    Some(_) => {
                        count(&counters.EmbryonicRsts);
                        (child, Refusal::AbortedOnOverflow)
                    }
                }
            }
        };
        Ack::Refused(Refused { child, why })
    }
}

/// Stops a request's timer and takes it off the table.
fn unhash<'a, 's, C: Send + 'static, B: Backend>(
    bucket: &mut LockedEhash<'_, C, B>,
    timers: Option<&mut LockedTimers<'_, C, B>>,
    net: &'a Net<'s, C, B>,
    request: &RequestSock<C, B>,
) -> Option<RequestRef<'a, 's, C, B>> {
    if let Some(timers) = timers
        && !B::planted(Fault::TimerNotCancelled)
    {
        timers.cancel(request);
    }
    bucket.remove(net, request)
}

impl<C: Send + 'static, B: Backend> Finished<'_, '_, C, B> {
    /// Tells whether the request was half open and is so no more.
    pub(super) fn is_off_the_table(&self) -> bool {
        matches!(self, Finished::Queued { .. } | Finished::Overflow(_, Some(_)))
    }
}
