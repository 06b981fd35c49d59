//! Handshakes: a SYN, the SYN-ACK timer, the final ACK, a reset.
//!
//! A half-open request is in the established table. Whoever changes it holds its bucket's lock; its
//! charge is on the listener at the root of its owner's chain, and changes under that listener's
//! `rskq_lock`, taken inside. So a request is charged to one listener at a time, whoever moves it.

use super::Stack;
use super::deliver::Arrival;
use crate::counters::count;
use crate::listener::AddError;
use crate::lockdep::{Held, Nothing};
use crate::migrate::adopt;
use crate::net::{OwnerRef, RequestRef};
use crate::outcome::{Delivered, Refusal, Refused, SockError, Syn, SynAckTimer, Wake};
use crate::queue::Charges;
use crate::request::{Key, RequestId, RequestSock, RequestState, Tuple};
use crate::slab::{Fresh, NONE};
use crate::sync::{AtomicU32, Backend, Event, Fault};
use core::sync::atomic::Ordering;

/// What a final ACK found.
enum Ack<'a, 's, C: Send + 'static, B: Backend> {
    Delivered(Delivered<C, B>),
    Refused(Refused<C>),
    /// The request's listener does not listen; the child is given back.
    NobodyHome(RequestRef<'a, 's, C, B>, OwnerRef<'a, 's, C, B>, C),
}

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// A SYN arrived: makes a half-open request that is charged to the listener that the hash falls on,
    /// or recognises the request that the tuple has already. O(1). Takes `ListenBucket`; and
    /// `EstablishedBucket`, in it `Rskq`. (Linux: `tcp_conn_request()`.)
    ///
    /// # Errors
    ///
    /// [`Refusal::NoListener`], [`Refusal::NoRequestSlot`].
    pub fn syn(&self, arrival: Arrival) -> Result<Syn<C, B>, Refusal> {
        let held = &mut self.nothing_held();
        let Arrival { tuple, hashes } = arrival;
        if let Some(known) = self.find(&tuple, held) {
            return Ok(Syn::Duplicate(RequestRef::id(&known)));
        }
        let group = self.table.lookup(&self.net, tuple.local, held).ok_or(Refusal::NoListener)?;
        let Some(fresh) = Fresh::<RequestSock<C, B>, _>::alloc(&self.net) else {
            count(&self.net.counters.RequestSlabFull);
            count(&self.net.counters.ListenDrops);
            return Err(Refusal::NoRequestSlot);
        };
        // SAFETY: fresh from the slab, not published.
        unsafe { fresh.fill(Key { tuple, hashes }) };
        let request = fresh.publish();
        let offer = self.table.offer(
            &self.net,
            tuple.local,
            Some(group),
            hashes.syn_hash,
            request,
            held,
            |listener, request, held| {
                let Some((mut bucket, mut held)) = self.ehash.lock(&tuple, held) else {
                    return Err((AddError::Full, request));
                };
                if let Some(known) = bucket.find(&self.net, &tuple)
                    && !B::planted(Fault::DuplicateNotRecognised)
                {
                    return Ok((Syn::Duplicate(self.net.requests.id_at(known.index())), Some(request)));
                }
                let mut queue = listener.accept_queue.lock(&mut held);
                if !listener.is_at_home(&queue) {
                    B::trace(Event::Refused { request: request.index(), listener: listener.index() });
                    return Err((AddError::NotAtHome, request));
                }
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
                Ok((Syn::New(id), None))
            },
        );
        match offer {
            Ok((syn, unused)) => {
                drop(unused);
                Ok(syn)
            }
            // The only table that can be full is one without buckets.
            Err((Refusal::AcceptQueueFull, _)) => Err(Refusal::NoRequestSlot),
            Err((why, _)) => Err(why),
        }
    }

    /// The final ACK of a handshake arrived, and `child` is its connection: moves the request to its
    /// listener's accept queue. O(1). Takes `EstablishedBucket`, in it `Rskq`; and `ListenBucket` before
    /// that where the listener has left. (Linux: `tcp_check_req()` and `inet_csk_complete_hashdance()`.)
    ///
    /// If the accept queue is full the request stays as it is.
    ///
    /// # Errors
    ///
    /// Gives the child back: [`Refusal::NoRequest`], [`Refusal::AcceptQueueFull`],
    /// [`Refusal::NoListener`].
    pub fn ack(&self, tuple: &Tuple, mut child: C) -> Result<Delivered<C, B>, Refused<C>> {
        let held = &mut self.nothing_held();
        #[cfg(feature = "designs")]
        if let Some(posted) = self.posted() {
            return posted.ack(tuple, child, held);
        }
        loop {
            match self.ack_at_home(tuple, child, held) {
                Ack::Delivered(delivered) => return Ok(delivered),
                Ack::Refused(refused) => return Err(refused),
                Ack::NobodyHome(request, owner, back) => {
                    child = back;
                    if !self.adopted(&request, &owner, held) {
                        // Of two who find nobody, one gives the request up.
                        let mine = self.unhash_request(&request, held);
                        let why = if mine { Refusal::NoListener } else { Refusal::NoRequest };
                        return Err(Refused { child, why });
                    }
                }
            }
        }
    }

    fn ack_at_home(&self, tuple: &Tuple, child: C, held: &mut Held<'_, Nothing>) -> Ack<'_, 's, C, B> {
        let no_request = |child| Ack::Refused(Refused { child, why: Refusal::NoRequest });
        let net = &self.net;
        let Some((mut bucket, mut held)) = self.ehash.lock(tuple, held) else { return no_request(child) };
        let Some(request) = bucket.find(net, tuple) else { return no_request(child) };
        let owner = self.owner_of(request);
        let charge = Charges::one(request.is_young());
        let (added, root) = net.at_root(&owner, &mut held, |listener, queue, _| {
            if !listener.is_at_home(queue) {
                return Err((AddError::NotAtHome, child));
            }
            if listener.is_full(queue.len()) {
                return Err((AddError::Full, child));
            }
            let Some(request) = bucket.remove(net, request) else { return Err((AddError::Full, child)) };
            // SAFETY: just taken off the table: in our hands.
            let none = unsafe { request.put_child(child) };
            debug_assert!(none.is_none());
            if !B::planted(Fault::ChargeKept) {
                queue.charge(-charge);
            }
            B::trace(Event::Unhashed { request: request.index() });
            let added = listener.enqueue_at_home(queue, request, net);
            Ok((added.unwrap_or(NONE), listener.id()))
        });
        let known = RequestRef::try_get(net, request.index());
        drop(bucket);
        drop(root);
        match (added, known) {
            (Ok((before, listener)), _) => {
                net.put_owner(before);
                Ack::Delivered(Delivered { listener, wake: Some(Wake(listener)) })
            }
            (Err((AddError::NotAtHome, child)), Some(known)) => Ack::NobodyHome(known, owner, child),
            (Err((_, child)), _) => {
                count(&net.counters.ListenOverflows);
                count(&net.counters.ListenDrops);
                Ack::Refused(Refused { child, why: Refusal::AcceptQueueFull })
            }
        }
    }

    /// The SYN-ACK timer of a half-open request went off for the first or a later time; after `retries`
    /// times the request is given up. O(1). Locks as [`ack`](Self::ack). (Linux:
    /// `reqsk_timer_handler()`.)
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`] if the request is not half open any more.
    pub fn synack_timer(&self, id: RequestId<C, B>, retries: u32) -> Result<SynAckTimer, SockError> {
        let held = &mut self.nothing_held();
        let request = RequestRef::by_id(&self.net, id).ok_or(SockError::Stale)?;
        #[cfg(feature = "designs")]
        if let (Some(posted), Some(tuple)) = (self.posted(), Self::tuple(&request)) {
            drop(request);
            return posted.synack_timer(&tuple, retries, held);
        }
        loop {
            let (ticked, owner) = self.tick(&request, retries, held)?;
            if let Some(outcome) = ticked {
                return Ok(outcome);
            }
            if !self.adopted(&request, &owner, held) {
                return if self.unhash_request(&request, held) {
                    Ok(SynAckTimer::Dropped)
                } else {
                    Err(SockError::Stale)
                };
            }
        }
    }

    /// Counts a timeout, where somebody is at home; `None` if nobody is.
    fn tick<'a>(
        &'a self,
        request: &RequestRef<'a, 's, C, B>,
        retries: u32,
        held: &mut Held<'_, Nothing>,
    ) -> Result<(Option<SynAckTimer>, OwnerRef<'a, 's, C, B>), SockError> {
        // SAFETY: the request was filled in, and a reference is held.
        let key = unsafe { request.key() }.ok_or(SockError::Stale)?;
        let (mut bucket, mut held) = self.ehash.lock(&key.tuple, held).ok_or(SockError::Stale)?;
        if request.state() != RequestState::Hashed {
            return Err(SockError::Stale);
        }
        let owner = self.owner_of(request);
        let timeouts = request.num_timeout.load(Ordering::Relaxed);
        let young = request.is_young();
        let ((ticked, gone), root) = self.net.at_root(&owner, &mut held, |listener, queue, _| {
            if !listener.is_at_home(queue) {
                return (None, None);
            }
            if timeouts >= retries {
                queue.charge(-Charges::one(young));
                B::trace(Event::Unhashed { request: request.index() });
                return (Some(SynAckTimer::Expired), bucket.remove(&self.net, request));
            }
            request.num_timeout.store(timeouts + 1, Ordering::Relaxed);
            if young {
                queue.charge(Charges { qlen: 0, young: -1 });
            }
            (Some(SynAckTimer::Retransmit { timeouts: timeouts + 1 }), None)
        });
        drop(bucket);
        drop((gone, root));
        Ok((ticked, owner))
    }

    /// A reset arrived whose sequence number the embedder vouches for: the half-open request is gone.
    /// O(1). Takes `EstablishedBucket`, in it `Rskq`. (Linux: the embryonic reset of `tcp_check_req()`.)
    ///
    /// # Errors
    ///
    /// [`Refusal::NoRequest`].
    pub fn reset(&self, tuple: &Tuple) -> Result<(), Refusal> {
        let held = &mut self.nothing_held();
        #[cfg(feature = "designs")]
        if let Some(posted) = self.posted() {
            return posted.reset(tuple, held);
        }
        let request = self.find(tuple, held).ok_or(Refusal::NoRequest)?;
        if self.unhash_request(&request, held) { Ok(()) } else { Err(Refusal::NoRequest) }
    }

    /// Takes a reference on the half-open request for `tuple`.
    fn find(&self, tuple: &Tuple, held: &mut Held<'_, Nothing>) -> Option<RequestRef<'_, 's, C, B>> {
        let (bucket, _) = self.ehash.lock(tuple, held)?;
        RequestRef::try_get(&self.net, bucket.find(&self.net, tuple)?.index())
    }

    /// Takes a half-open request off the table and its charge from its listener; tells whether it still
    /// was on it. (Linux: `inet_csk_reqsk_queue_drop()`.)
    fn unhash_request<'a>(
        &'a self,
        request: &RequestRef<'a, 's, C, B>,
        held: &mut Held<'_, Nothing>,
    ) -> bool {
        // SAFETY: the request was filled in, and a reference is held.
        let Some(key) = (unsafe { request.key() }) else { return false };
        let Some((mut bucket, mut held)) = self.ehash.lock(&key.tuple, held) else { return false };
        let Some(gone) = bucket.remove(&self.net, request) else { return false };
        B::trace(Event::Unhashed { request: request.index() });
        let owner = self.owner_of(request);
        let charge = Charges::one(request.is_young());
        let ((), root) = self.net.at_root(&owner, &mut held, |_, queue, _| queue.charge(-charge));
        drop(bucket);
        drop((gone, root, owner));
        true
    }

    /// Takes a reference on the owner of a request in our hands or in a list whose lock is held.
    pub(super) fn owner_of(&self, request: &RequestSock<C, B>) -> OwnerRef<'_, 's, C, B> {
        // SAFETY: such a request's owner is a stored reference that nobody takes back meanwhile.
        unsafe { OwnerRef::clone_raw(&self.net, request.peek_owner()) }
    }

    /// Finds a half-open request whose listener has left another one; tells whether it has one now, or
    /// is somebody else's business.
    fn adopted<'a>(
        &'a self,
        request: &RequestRef<'a, 's, C, B>,
        owner: &OwnerRef<'a, 's, C, B>,
        held: &mut Held<'_, Nothing>,
    ) -> bool {
        // SAFETY: the request was filled in, and a reference is held.
        let key = unsafe { request.key() };
        let Some(Key { tuple, hashes }) = key.filter(|_| self.design.adopts()) else { return false };
        let adopted =
            self.table.offer(&self.net, tuple.local, None, hashes.sk_hash, (), held, |target, (), held| {
                adopt(&self.net, &self.ehash, target, request, owner, held).map_err(|error| (error, ()))
            });
        count(match adopted {
            Ok(()) => &self.net.counters.TCPMigrateReqSuccess,
            Err(_) => &self.net.counters.TCPMigrateReqFailure,
        });
        adopted.is_ok()
    }
}
