//! Fast open: connections that may be accepted before their handshake has ended. (RFC 7413.)
//!
//! A fast-open connection goes to the accept queue with its SYN. Two parties then hold a reference on its
//! request, the queue and the handshake, and it is charged to its listener until the handshake ends.
//! Whoever ends it holds the lock of its tuple's bucket, and in it the `rskq_lock` of its listener, under
//! which an accept takes it.

use super::Stack;
use crate::counters::count;
use crate::event::{Arrival, Here};
use crate::listener::{AddError, Listener, ListenerId};
use crate::net::RequestRef;
use crate::outcome::{Delivered, FastOpened, HandshakeEnd, Refusal, Refused, SockError, Wake};
use crate::request::{RequestId, RequestState};
use crate::reuseport::Selecting;
use crate::sync::{AtomicU32, Backend, Event, Fault};
use core::sync::atomic::Ordering;

impl<C: Send + 'static, B: Backend> Stack<'_, C, B> {
    /// Sets how many fast-open connections a listener may have whose handshake has not ended; 0, as at
    /// first, switches fast open off. Takes `Rskq`, in it `FastOpen`. (Linux: `TCP_FASTOPEN`.)
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`].
    pub fn set_fastopen(&self, id: ListenerId<C, B>, max_qlen: u32) -> Result<(), SockError> {
        let listener = self.opened(id)?;
        let held = &mut self.nothing_held();
        let (_queue, mut held) = listener.accept_queue.lock_and(held);
        listener.accept_queue.fastopenq.lock(&mut held).set_max_qlen(max_qlen);
        Ok(())
    }

    /// Returns how many fast-open connections are charged to a socket, and how many may be. Locks as
    /// [`set_fastopen`](Self::set_fastopen). (Linux: `fastopenq.qlen` and `max_qlen`.)
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`].
    pub fn fastopen_len(&self, id: ListenerId<C, B>) -> Result<(i32, u32), SockError> {
        let listener = self.opened(id)?;
        let held = &mut self.nothing_held();
        let (_queue, mut held) = listener.accept_queue.lock_and(held);
        let fastopenq = listener.accept_queue.fastopenq.lock(&mut held);
        Ok((fastopenq.qlen(), fastopenq.max_qlen()))
    }

    /// A SYN with data and a cookie that the embedder vouches for arrived, and `child` is its connection:
    /// adds it to the accept queue of the listener that the hash falls on. O(1). Takes `ListenBucket`; and
    /// `Rskq`, in it `FastOpen`. (Linux: `tcp_try_fastopen()`.)
    ///
    /// [`fastopen_remove`](Self::fastopen_remove) must be called once when the handshake has ended. A
    /// connection that was accepted and reset by its client counts against the limit for a minute after
    /// that, and then makes way for this one.
    ///
    /// # Errors
    ///
    /// Gives the child back: [`Refusal::NoListener`], [`Refusal::NoRequestSlot`],
    /// [`Refusal::AcceptQueueFull`], [`Refusal::FastOpenLimit`].
    pub fn syn_fastopen(
        &self,
        arrival: Arrival,
        here: Here,
        child: C,
    ) -> Result<FastOpened<C, B>, Refused<C>> {
        let held = &mut self.nothing_held();
        let tuple = arrival.tuple;
        let Some(group) = self.table.lookup(&self.net, tuple.local, held) else {
            return Err(Refused { child, why: Refusal::NoListener });
        };
        if self.ehash.is_void() {
            // Without a lock for its tuple nobody could tell of the end of the handshake.
            self.count_no_request_slot();
            return Err(Refused { child, why: Refusal::NoRequestSlot });
        }
        let request = match self.new_request(arrival, child) {
            Ok(request) => request,
            Err(child) => return Err(Refused { child, why: Refusal::NoRequestSlot }),
        };
        request.tfo_listener.store(1, Ordering::Relaxed);
        #[cfg(feature = "designs")]
        if self.design.is_posted() {
            request.posted.open_fast();
        }
        let id = request.id();
        // The handshake's reference.
        let handshake = request.clone();
        let (mut limited, mut evicted) = (false, None);
        let selecting = Selecting::by_syn(arrival, here);
        let added =
            self.table.offer(&self.net, Some(group), &selecting, request, held, |to, request, held| {
                let (mut queue, mut held) = to.accept_queue.lock_and(held);
                let mut fastopenq = to.accept_queue.fastopenq.lock(&mut held);
                if !to.is_at_home(&queue) {
                    return Err((AddError::NotAtHome, request));
                }
                limited = self.wants_cookie(to, &queue);
                if limited {
                    return Err((AddError::Full, request));
                }
                if to.is_full(queue.len()) {
                    return Err((AddError::Full, request));
                }
                if !fastopenq.has_room() {
                    // SAFETY: the requests of a stack's listeners are of that stack.
                    evicted = unsafe { fastopenq.evict_reset(&self.net, here) };
                }
                limited = !fastopenq.has_room();
                if limited {
                    if fastopenq.max_qlen() != 0 {
                        count(&self.net.counters.TCPFastOpenListenOverflow);
                    }
                    return Err((AddError::Full, request));
                }
                // A fresh request names nobody.
                to.enqueue_at_home(&mut queue, request, &self.net)?;
                fastopenq.charge(1);
                Ok(to.id())
            });
        drop(evicted);
        match added {
            Ok(listener) => {
                count(&self.net.counters.TCPFastOpenPassive);
                count(&self.net.counters.PassiveOpens);
                if self.handshake_holds() {
                    let _ = handshake.into_raw();
                }
                Ok(FastOpened {
                    delivered: Delivered { listener, wake: Some(Wake(listener)) },
                    handshake: id,
                })
            }
            Err((why, request)) => {
                request.tfo_listener.store(0, Ordering::Relaxed);
                let why = if limited { Refusal::FastOpenLimit } else { why };
                Err(self.refused(why, &request))
            }
        }
    }

    /// Tells whether a handshake holds a reference of its own; in Linux the queue's is its own, too.
    fn handshake_holds(&self) -> bool {
        #[cfg(feature = "designs")]
        return !self.design.is_posted();
        #[cfg(not(feature = "designs"))]
        true
    }

    /// The handshake of a fast-open connection has ended. O(1). Takes `EstablishedBucket`, in it `Rskq`,
    /// in it `FastOpen`. (Linux: `reqsk_fastopen_remove()`.)
    ///
    /// A connection that was accepted and then reset goes on counting for its listener, so that a client
    /// cannot get around the limit by resetting: for a minute and until another one takes its place, or
    /// until [`evict_reset`](Self::evict_reset).
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`] if it has ended already.
    pub fn fastopen_remove(
        &self,
        id: RequestId<C, B>,
        end: HandshakeEnd,
        here: Here,
    ) -> Result<(), SockError> {
        let held = &mut self.nothing_held();
        let net = &self.net;
        let request = RequestRef::by_id(net, id).ok_or(SockError::Stale)?;
        #[cfg(feature = "designs")]
        if let (Some(posted), Some(tuple)) = (self.posted(), Self::tuple(&request)) {
            drop(request);
            return posted.fastopen_remove(&tuple, end, here, held);
        }
        // SAFETY: the request was filled in, and a reference is held.
        let key = unsafe { request.key() }.ok_or(SockError::Stale)?;
        let (bucket, mut held) = self.ehash.lock(&key.tuple, held).ok_or(SockError::Stale)?;
        let ended = request.tfo_listener.load(Ordering::Relaxed) == 0;
        let bucket = (!B::planted(Fault::HandshakeUnlocked)).then_some(bucket);
        if ended && !B::planted(Fault::HandshakeEndedTwice) {
            return Err(SockError::Stale);
        }
        if B::planted(Fault::AcceptedHandshakeIgnored) && request.state() == RequestState::Accepted {
            return Err(SockError::Stale);
        }
        let owner = self.owner_of(&request);
        let (handshake, root) = net.at_root(&owner, &mut held, |listener, _, held| {
            if !B::planted(Fault::HandshakeNotEnded) {
                request.tfo_listener.store(0, Ordering::Relaxed);
            }
            let mut fastopenq = listener.accept_queue.fastopenq.lock(held);
            if !B::planted(Fault::FastChargeKept) {
                fastopenq.charge(-1);
            }
            B::trace(Event::HandshakeEnded { request: request.index(), listener: listener.index() });
            // SAFETY: `syn_fastopen` stored it, and the flag says that it was not taken back.
            let handshake = unsafe { RequestRef::from_raw(net, request.index()) };
            let accepted = request.state() == RequestState::Accepted;
            let listens = || B::planted(Fault::ResetListedAtClosed) || listener.is_listening();
            if end == HandshakeEnd::Reset && accepted && listens() {
                // SAFETY: an accepted connection is in no list; the slot is there while the stack is.
                return unsafe { fastopenq.push_reset(handshake, here) }.err();
            }
            Some(handshake)
        });
        drop(bucket);
        drop((handshake, root, owner));
        Ok(())
    }

    /// Takes the connection that was reset longest ago off the listener's list, where it counted against
    /// the limit; tells whether there was one. O(1). Linux waits 60 s from the reset. Locks as
    /// [`set_fastopen`](Self::set_fastopen).
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`], [`SockError::NotListening`].
    pub fn evict_reset(&self, id: ListenerId<C, B>) -> Result<bool, SockError> {
        let listener = self.listening(id)?;
        Ok(self.pop_reset(&listener, None))
    }

    /// The same, where the socket began to listen for the `listens`th time and not again since.
    pub(super) fn pop_reset(&self, listener: &Listener<C, B>, listens: Option<u32>) -> bool {
        let held = &mut self.nothing_held();
        let (queue, mut held) = listener.accept_queue.lock_and(held);
        if listens.is_some_and(|listens| listens != listener.listens()) {
            return false;
        }
        // SAFETY: the requests of a stack's listeners are of that stack.
        let evicted = unsafe { listener.accept_queue.fastopenq.lock(&mut held).pop_reset(&self.net) };
        drop(queue);
        evicted.is_some()
    }
}
