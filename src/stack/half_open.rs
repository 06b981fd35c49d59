//! Half-open requests: where they are found, taken off, adopted and reset.
//!
//! A half-open request is in the established table. Whoever changes it holds its bucket's lock; its
//! charge is on the listener at the root of its owner's chain, and changes under that listener's
//! `rskq_lock`, taken inside. So a request is charged to one listener at a time, whoever moves it.

use super::Stack;
use super::ack::Orphan;
use crate::counters::count;
use crate::event::Here;
use crate::group::Occasion;
use crate::listener::ListenerId;
use crate::lockdep::{Held, Nothing};
use crate::migrate::adopt;
use crate::net::{OwnerRef, RequestRef};
use crate::outcome::Refusal;
use crate::queue::Charges;
use crate::request::{RequestId, RequestSock, RequestState, Tuple};
use crate::reuseport::Selecting;
use crate::sync::{Backend, Event, Fault};
use core::mem::ManuallyDrop;

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
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
        if !self.unhash_request(&request, held) {
            return Err(Refusal::NoRequest);
        }
        if !B::planted(Fault::EmbryonicNotCounted) {
            count(&self.net.counters.EmbryonicRsts);
        }
        Ok(())
    }

    /// Returns the listener of a half-open request, by whose options its SYN-ACK is sent again; `None` if the
    /// request is not half open any more. O(1). Locks as [`reset`](Self::reset). (Linux: `rsk_listener`.)
    #[must_use]
    pub fn rsk_listener(&self, id: RequestId<C, B>) -> Option<ListenerId<C, B>> {
        let held = &mut self.nothing_held();
        let request = RequestRef::by_id(&self.net, id)?;
        // SAFETY: the request was filled in, and a reference is held.
        let key = unsafe { request.key() }?;
        let (bucket, mut held) = self.ehash.lock(&key.tuple, held)?;
        if request.state() != RequestState::Hashed {
            return None;
        }
        let owner = self.owner_of(&request);
        let (listener, root) = self.net.at_root(&owner, &mut held, |listener, _, _| listener.id());
        drop(bucket);
        drop((root, owner));
        Some(listener)
    }

    /// Takes a reference on the half-open request for `tuple`.
    pub(super) fn find(
        &self,
        tuple: &Tuple,
        held: &mut Held<'_, Nothing>,
    ) -> Option<RequestRef<'_, 's, C, B>> {
        let (bucket, _) = self.ehash.lock(tuple, held)?;
        let found = RequestRef::try_get(&self.net, bucket.find(&self.net, tuple)?.index())?;
        if B::planted(Fault::LookupLeaks) {
            let _ = found.clone().into_raw();
        }
        Some(found)
    }

    /// Takes a half-open request off the table and its charge from its listener; tells whether it still
    /// was on it. (Linux: `inet_csk_reqsk_queue_drop()`.)
    pub(super) fn unhash_request<'a>(
        &'a self,
        request: &RequestRef<'a, 's, C, B>,
        held: &mut Held<'_, Nothing>,
    ) -> bool {
        // SAFETY: the request was filled in, and a reference is held.
        let Some(key) = (unsafe { request.key() }) else { return false };
        let Some((mut bucket, mut held)) = self.ehash.lock(&key.tuple, held) else { return false };
        if !B::planted(Fault::GivenUpStillArmed) {
            self.disarm(request, &mut held);
        }
        let Some(gone) = bucket.remove(&self.net, request) else { return false };
        B::trace(Event::Unhashed { request: request.index() });
        let owner = self.owner_of(request);
        let charge = Charges::one(request.is_young());
        let ((), root) = self.net.at_root(&owner, &mut held, |listener, queue, _| {
            if !B::planted(Fault::LeftChargeKept) || listener.is_listening() {
                queue.charge(-charge);
            }
        });
        drop(bucket);
        drop((gone, root, owner));
        true
    }

    /// Takes a reference on the owner of a request in our hands or in a list whose lock is held.
    pub(super) fn owner_of(&self, request: &RequestSock<C, B>) -> OwnerRef<'_, 's, C, B> {
        // SAFETY: such a request's owner is a stored reference that nobody takes back meanwhile.
        unsafe { OwnerRef::clone_raw(&self.net, request.peek_owner()) }
    }

    /// Borrows the reference that a hashed request has on its owner, for as long as its bucket's lock is held
    /// and the request is hashed; or as the queue's lock is, under which it left for that queue.
    pub(super) fn borrow_owner(&self, request: &RequestSock<C, B>) -> ManuallyDrop<OwnerRef<'_, 's, C, B>> {
        // SAFETY: a stored reference that nobody takes back meanwhile, and it is not put.
        ManuallyDrop::new(unsafe { OwnerRef::from_raw(&self.net, request.peek_owner()) })
    }

    /// Finds a half-open request whose listener has left another one; tells whether it has one now, or
    /// is somebody else's business.
    pub(super) fn adopted<'a>(
        &'a self,
        orphan: &Orphan<'a, 's, C, B>,
        occasion: Occasion,
        here: Here,
        held: &mut Held<'_, Nothing>,
    ) -> bool {
        let Orphan { request, owner, closed } = orphan;
        // SAFETY: the request was filled in, and a reference is held.
        let key = unsafe { request.key() };
        let Some(key) = key.filter(|_| self.design.adopts()) else { return false };
        let selecting = Selecting::migrating::<B>(key, here, occasion, closed.index());
        let adopted = self.table.offer(&self.net, None, &selecting, (), held, |target, (), held| {
            adopt(&self.net, &self.ehash, target, request, owner, held).map_err(|error| (error, ()))
        });
        count(match adopted {
            Ok(()) => &self.net.counters.TCPMigrateReqSuccess,
            Err(_) => &self.net.counters.TCPMigrateReqFailure,
        });
        adopted.is_ok()
    }
}
