//! Half-open requests: the baseline of 5.10, on which the patches were posted.
//!
//! 1. The final ACK and the timer look the request's listener up without a lock; the ACK holds it, the
//!    timer counts on the request's reference.
//! 2. Where it has left LISTEN, the request is dropped, unless the design moves it: see `in_place`.
//! 3. The ACK puts the child in the request's place in the table; who finds the request gone is late.
//! 4. It takes the charge from the listener that it looked up, and adds the request to that one's queue.
//!    A listener that has closed meanwhile refuses it, and the connection is reset.

use super::super::clone::CloneFixes;
use super::Site;
use super::timer::Charged;
use crate::counters::count;
use crate::listener::Listener;
use crate::lockdep::{Held, Nothing};
use crate::net::RequestRef;
use crate::outcome::{Delivered, Refusal, Refused, SockError, SynAckTimer};
use crate::queue::Charges;
use crate::request::{RequestSock, Tuple};
use crate::sync::{AtomicU32, Backend, Event};
use core::sync::atomic::Ordering;

impl<'a, 's, C: Send + 'static, B: Backend> Site<'a, 's, C, B> {
    /// A new request goes to the table: what else that takes here.
    pub(crate) fn hash(&self, request: &RequestRef<'a, 's, C, B>) {
        request.posted.hashed.store(1, Ordering::Release);
        if self.design.fixes().is_some() {
            self.arm(request);
        }
    }

    /// The final ACK of a handshake arrived.
    ///
    /// # Errors
    ///
    /// Gives the child back.
    pub(crate) fn ack(
        &self,
        tuple: &Tuple,
        child: C,
        held: &mut Held<'_, Nothing>,
    ) -> Result<Delivered<C, B>, Refused<C>> {
        if let Some(fixes) = self.design.fixes() {
            return self.ack_cloning(fixes, tuple, child, held);
        }
        let refused = |child, why| Err(Refused { child, why });
        let Some(request) = self.lookup(tuple, held) else { return refused(child, Refusal::NoRequest) };
        // Without a listener to ask, the request is left to whoever has it.
        let Some(mut owner) = self.hold(self.name(&request)) else {
            return refused(child, Refusal::NoRequest);
        };
        if !self.listener(&owner).is_some_and(Listener::is_listening) {
            let old = self.listener(&owner);
            match old.and_then(|old| self.rewritten(&request, owner.index(), old)) {
                Some(target) => owner = target,
                None if self.drop_half_open(&request, old, None, held) => {
                    return refused(child, Refusal::NoListener);
                }
                None => return refused(child, Refusal::NoRequest),
            }
        }
        let Some(sk) = self.listener(&owner) else { return refused(child, Refusal::NoRequest) };
        if sk.is_full(sk.accept_queue.len()) {
            return refused(child, self.overflow());
        }
        let Some(hashed) = self.replace_by_child(&request, held) else {
            return refused(child, Refusal::NoRequest);
        };
        drop(hashed);
        sk.accept_queue.charge_unlocked(-Charges::one(request.is_young()));
        let established = self.establish(sk, request, child, held);
        established.or_else(|(child, _request)| refused(child, Refusal::NoListener))
    }

    pub(super) fn overflow(&self) -> Refusal {
        count(&self.net.counters.ListenOverflows);
        count(&self.net.counters.ListenDrops);
        Refusal::AcceptQueueFull
    }

    /// Adds a request that the caller owns to the listener's queue, with its child; gives both back if
    /// the listener does not listen.
    pub(super) fn establish(
        &self,
        listener: &Listener<C, B>,
        request: RequestRef<'a, 's, C, B>,
        child: C,
        held: &mut Held<'_, Nothing>,
    ) -> Result<Delivered<C, B>, (C, RequestRef<'a, 's, C, B>)> {
        // SAFETY: the caller took the request off the table, or made it: in our hands.
        let before = unsafe { request.put_child(child) };
        debug_assert!(before.is_none());
        match self.queue_add(listener, request, held) {
            Ok(()) => {
                let wake = self.wake(listener);
                Ok(Delivered { listener: wake.listener(), wake: Some(wake) })
            }
            Err(request) => {
                request.posted.child_hashed.store(0, Ordering::Relaxed);
                B::trace(Event::Aborted { request: request.index(), listener: listener.index() });
                // SAFETY: no queue took the request: in our hands.
                match unsafe { request.take_child() } {
                    Some(child) => Err((child, request)),
                    None => unreachable!("the child was just put in"),
                }
            }
        }
    }

    /// The SYN-ACK timer of a request for `tuple` went off.
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`] if there is none.
    pub(crate) fn synack_timer(
        &self,
        tuple: &Tuple,
        retries: u32,
        held: &mut Held<'_, Nothing>,
    ) -> Result<SynAckTimer, SockError> {
        if let Some(fixes) = self.design.fixes() {
            return self.timer_cloning(fixes, tuple, retries, held);
        }
        let request = self.lookup(tuple, held).ok_or(SockError::Stale)?;
        // The request's own reference is counted on to keep the listener.
        let owner = self.name(&request);
        let mut listener = self.used(owner);
        let mut target = None;
        if !listener.is_some_and(Listener::is_listening) {
            target = listener.and_then(|listener| self.rewritten(&request, owner, listener));
            match &target {
                Some(target) => listener = self.listener(target),
                None => return self.given_up(&request, listener, SynAckTimer::Dropped, held),
            }
        }
        let timeouts = request.num_timeout.load(Ordering::Relaxed);
        let outcome = if timeouts >= retries {
            self.given_up(&request, listener, SynAckTimer::Expired, held)
        } else {
            request.num_timeout.store(timeouts + 1, Ordering::Relaxed);
            if let Some(listener) = listener.filter(|_| timeouts == 0) {
                listener.accept_queue.charge_unlocked(Charges { qlen: 0, young: -1 });
            }
            Ok(SynAckTimer::Retransmit { timeouts: timeouts + 1 })
        };
        drop(target);
        outcome
    }

    /// Returns the listener of somebody's request without holding it: it must be there.
    pub(super) fn used(&self, owner: u32) -> Option<&'a Listener<C, B>> {
        let held = self.hold(owner)?;
        self.listener(&held)
    }

    fn given_up(
        &self,
        request: &RequestRef<'a, 's, C, B>,
        listener: Option<&Listener<C, B>>,
        outcome: SynAckTimer,
        held: &mut Held<'_, Nothing>,
    ) -> Result<SynAckTimer, SockError> {
        if self.drop_half_open(request, listener, None, held) { Ok(outcome) } else { Err(SockError::Stale) }
    }

    /// A reset arrived for a half-open request. The charge is taken from the listener that the request
    /// names.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoRequest`].
    pub(crate) fn reset(&self, tuple: &Tuple, held: &mut Held<'_, Nothing>) -> Result<(), Refusal> {
        let request = self.lookup(tuple, held).ok_or(Refusal::NoRequest)?;
        let owner = self.hold(self.name(&request));
        let charged = owner.as_ref().and_then(|owner| self.listener(owner));
        let dropped = self.drop_half_open(&request, charged, self.design.fixes(), held);
        if dropped { Ok(()) } else { Err(Refusal::NoRequest) }
    }

    /// Takes a request off the table and its charge from `charged`; tells whether it still was there.
    /// Its timer is cancelled where the design has timers, unless the handler itself asks, without `cancels`.
    /// (Linux: `inet_csk_reqsk_queue_drop()`.)
    pub(super) fn drop_half_open(
        &self,
        request: &RequestSock<C, B>,
        charged: Option<&Listener<C, B>>,
        cancels: Option<CloneFixes>,
        held: &mut Held<'_, Nothing>,
    ) -> bool {
        let Some(gone) = self.unhash(request, held) else { return false };
        B::trace(Event::Unhashed { request: request.index() });
        let handler = cancels.is_some_and(|fixes| self.cancel(fixes, request) == Charged::Handler);
        if let Some(listener) = charged.filter(|_| !handler) {
            listener.accept_queue.charge_unlocked(-Charges::one(request.is_young()));
        }
        drop(gone);
        true
    }
}
