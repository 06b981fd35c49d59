//! Fast-open connections as Linux has them, and what the first version's fourth patch adds.
//!
//! * Accept, under the `fastopenq.lock` of the listener that accepts: if the handshake is under way, it keeps
//!   the request, and `req->sk` is forgotten; otherwise accept puts it.
//! * The end of the handshake, with the child locked, looks up the request's listener *before* it takes that
//!   one's `fastopenq.lock`, and takes the charge from it. If the connection was not accepted, its queue
//!   keeps the request; otherwise it is put, or after a reset goes to the listener's list.
//!
//! A spliced request names the old listener, so that the two do not take the same lock, and each may leave
//! the request to the other. The patch's answer is to make such a request the accepting listener's in
//! accept, under that one's lock, and to move the charges and the reset list with the queue.
//!
//! What it leaves undone: between the splice and the accept the charge is the new listener's and is taken
//! from the old one; who looked the listener up before the accept locks the old one after it; and it may
//! have been the last reference on the old one that accept put.

use super::Site;
use crate::event::Here;
use crate::listener::Listener;
use crate::lockdep::{Before, Held, Nothing, order::EstablishedBucket, order::FastOpen};
use crate::net::RequestRef;
use crate::outcome::{HandshakeEnd, SockError};
use crate::request::{RequestSock, RequestState, Tuple};
use crate::slab::NONE;
use crate::sync::{AtomicU32, Backend, Event};
use core::sync::atomic::Ordering;

impl<'a, 's, C: Send + 'static, B: Backend> Site<'a, 's, C, B> {
    /// A connection was taken out of the queue to be accepted. (Linux: `inet_csk_accept()`.)
    pub(crate) fn accepted(
        &self,
        listener: &Listener<C, B>,
        request: RequestRef<'a, 's, C, B>,
        held: &mut Held<'_, Nothing>,
    ) -> Option<C> {
        // SAFETY: just taken from the queue: in our hands.
        let child = unsafe { request.take_child() };
        if !request.posted.was_fast() || request.posted.tfo_listener.load(Ordering::Acquire) == 0 {
            return child;
        }
        let mut old = NONE;
        let locked = listener.accept_queue.fastopenq.lock(held);
        let under_way = request.posted.tfo_listener.load(Ordering::Acquire) != 0;
        if under_way {
            if self.design.mends_at_accept() {
                old = self.made_own(listener, &request);
            }
            let (request, listener) = (&request, listener.index());
            B::trace(Event::LeftToTheOther { request: request.index(), listener, accepted: true });
            request.posted.sk.store(0, Ordering::Release);
        }
        drop(locked);
        self.put(old);
        if under_way {
            // The handshake's reference from now on.
            let _ = request.into_raw();
        }
        child
    }

    /// Makes a request of another listener this one's; returns the owner to put, once no lock is held.
    fn made_own(&self, listener: &Listener<C, B>, request: &RequestSock<C, B>) -> u32 {
        let (old, home) = (self.name(request), listener.home.load(Ordering::Relaxed));
        if old == home {
            return NONE;
        }
        let Some(held) = self.hold(home) else { return NONE };
        self.rename(request, held.into_raw());
        old
    }

    /// The handshake of the fast-open connection with this tuple has ended. (Linux:
    /// `reqsk_fastopen_remove()`.)
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`] if there is none, or it has ended already.
    pub(crate) fn fastopen_remove(
        &self,
        tuple: &Tuple,
        end: HandshakeEnd,
        here: Here,
        held: &mut Held<'_, Nothing>,
    ) -> Result<(), SockError> {
        let (child, mut inner) = self.ehash.lock(tuple, held).ok_or(SockError::Stale)?;
        let request = self.fastopen_rsk(tuple).ok_or(SockError::Stale)?;
        let name = self.name(request);
        request.posted.fastopen_rsk.store(2, Ordering::Relaxed);
        let Some(owner) = self.hold(name) else { return Ok(()) };
        let Some(lsk) = self.listener(&owner) else { return Ok(()) };
        let mut fastopenq = lsk.accept_queue.fastopenq.lock(&mut inner);
        fastopenq.charge(-1);
        Self::end_handshake(request);
        B::trace(Event::HandshakeEnded { request: request.index(), listener: lsk.index() });
        let accepted = request.posted.sk.load(Ordering::Acquire) == 0;
        let mut put = accepted.then_some(request.index());
        if !accepted {
            let listener = lsk.index();
            B::trace(Event::LeftToTheOther { request: request.index(), listener, accepted: false });
        }
        if accepted && end == HandshakeEnd::Reset && lsk.is_listening() {
            fastopenq.mend();
            // SAFETY: the handshake's reference, left to it by accept; an accepted connection is in no list,
            // and the slot is there while the stack is.
            let pushed =
                unsafe { fastopenq.push_reset(RequestRef::from_raw(self.net, request.index()), here) };
            put = pushed.err().map(RequestRef::into_raw);
        }
        drop(fastopenq);
        drop(child);
        if let Some(request) = put
            && !RequestRef::put_as_posted(self.net, request)
        {
            B::violated("I6/I7", "a reference is put that is not there, on the request", request);
        }
        drop(owner);
        Ok(())
    }

    /// Returns the request that the child with this tuple names; with the child locked.
    fn fastopen_rsk(&self, tuple: &Tuple) -> Option<&'a RequestSock<C, B>> {
        let requests = (0..self.net.requests.capacity() as u32).filter_map(|i| self.net.requests.get(i));
        requests
            .filter(|request| request.posted.fastopen_rsk.peek() == 1)
            .find(|request| Self::key(request).is_some_and(|key| key.tuple == *tuple))
    }

    fn end_handshake(request: &RequestSock<C, B>) {
        request.posted.tfo_listener.store(0, Ordering::Release);
        request.tfo_listener.store(0, Ordering::Relaxed);
    }

    /// Makes `clone`, in nobody's sight, the request of the child, which names `old` until now; with the
    /// child locked. The target is charged, if the fix is in. (Linux: in `inet_reqsk_clone()`.)
    ///
    /// The charge of the listener that closes goes with the request.
    pub(in super::super) fn fastopen_moved<H: Before<FastOpen>>(
        &self,
        (from, old): (&Listener<C, B>, &RequestSock<C, B>),
        (to, clone): (&Listener<C, B>, &RequestSock<C, B>),
        charged: bool,
        held: &mut Held<'_, H>,
    ) {
        if old.posted.fastopen_rsk.peek() != 1 {
            return;
        }
        if charged {
            to.accept_queue.fastopenq.lock(held).charge(1);
        }
        from.accept_queue.fastopenq.lock(held).charge(-1);
        clone.tfo_listener.store(1, Ordering::Relaxed);
        clone.posted.open_fast();
        old.posted.fastopen_rsk.store(2, Ordering::Relaxed);
        Self::end_handshake(old);
    }

    /// Gives up a connection that is in the caller's hands, of `listener`'s queue. (Linux:
    /// `inet_child_forget()`.)
    pub(in super::super) fn forget<H: Before<EstablishedBucket>>(
        &self,
        listener: &Listener<C, B>,
        request: RequestRef<'_, 's, C, B>,
        held: &mut Held<'_, H>,
    ) -> Option<C> {
        if request.posted.was_fast()
            && let Some(key) = Self::key(&request)
            && let Some((child, mut held)) = self.ehash.lock(&key.tuple, held)
        {
            self.forget_handshake(listener, &request, &mut held);
            drop(child);
        }
        self.forgotten(listener, &request)
    }

    /// Takes the child out of a request whose handshake has ended, or was given up.
    pub(in super::super) fn forgotten(
        &self,
        listener: &Listener<C, B>,
        request: &RequestRef<'_, 's, C, B>,
    ) -> Option<C> {
        B::trace(Event::Aborted { request: request.index(), listener: listener.index() });
        request.set_state(RequestState::Accepted);
        request.posted.child_hashed.store(0, Ordering::Relaxed);
        // SAFETY: just taken from a queue, or refused by one: in our hands.
        unsafe { request.take_child() }
    }

    /// The handshake of a connection that is given up ends, too; with the child locked. Its request must be
    /// the listener's: Linux says so with a `BUG_ON()`.
    pub(in super::super) fn forget_handshake<H: Before<FastOpen>>(
        &self,
        listener: &Listener<C, B>,
        request: &RequestSock<C, B>,
        held: &mut Held<'_, H>,
    ) {
        if request.posted.fastopen_rsk.peek() != 1 {
            return;
        }
        let owner = self.name(request);
        if owner != listener.home.load(Ordering::Relaxed) {
            let slot = request.index();
            B::violated("I8", "a listener gives a fast-open request up that is not its own", slot);
        }
        request.posted.fastopen_rsk.store(2, Ordering::Relaxed);
        if let Some(lsk) = self.used(owner) {
            lsk.accept_queue.fastopenq.lock(held).charge(-1);
        }
        Self::end_handshake(request);
    }
}
