//! The fast-open connections of one listener: how many, and those that were reset.

use super::plain::AcceptQueue;
use crate::event::Here;
use crate::lockdep::{Before, Held, Mutex, MutexGuard, order::FastOpen};
use crate::request::{RequestSock, RequestState};
use crate::slab::{Ref, Store};
use crate::sync::{Backend, Fault};
use core::ops::Deref;

/// What `fastopenq.lock` protects.
struct Inner<C, B: Backend> {
    /// Children whose handshake has not ended, and reset ones in the list.
    qlen: i32,
    /// Most of them; 0 switches fast open off.
    max_qlen: u32,
    /// Reset connections, oldest first. They count for a while, so that a client cannot get around
    /// the limit by resetting. (Linux: `rskq_rst_head`.)
    reset: AcceptQueue<C, B>,
}

/// The fast-open connections of one listener. (Linux: `struct fastopen_queue`.)
///
/// The lock is taken under the listener's `rskq_lock`, so that what is charged moves with the queue.
pub struct FastOpenQueue<C, B: Backend> {
    lock: Mutex<Inner<C, B>, FastOpen, B>,
}

/// The charges of a fast-open queue and its reset list, on the way to another.
pub struct Pending<C, B: Backend> {
    qlen: i32,
    reset: AcceptQueue<C, B>,
}

impl<C, B: Backend> Pending<C, B> {
    /// Tells whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.qlen == 0 && self.reset.is_empty()
    }
}

impl<C: Send + 'static, B: Backend> FastOpenQueue<C, B> {
    pub(super) const fn new() -> Self {
        Self { lock: Mutex::new(Inner { qlen: 0, max_qlen: 0, reset: AcceptQueue::new() }) }
    }

    pub(super) fn place(&mut self, key: u32) {
        let inner = self.lock.place(key);
        inner.qlen = 0;
        inner.max_qlen = 0;
    }

    /// Takes the queue's lock.
    #[track_caller]
    pub fn lock<'a, H: Before<FastOpen>>(&'a self, held: &'a mut Held<'_, H>) -> LockedFastOpen<'a, C, B> {
        LockedFastOpen(self.lock.lock(held))
    }

    /// Takes both queues' locks, this one first, as the v1 patch does.
    #[cfg(feature = "designs")]
    #[track_caller]
    pub(crate) fn lock_both_unordered<'a, H: Before<FastOpen>>(
        &'a self,
        other: &'a Self,
        held: &'a mut Held<'_, H>,
    ) -> (LockedFastOpen<'a, C, B>, LockedFastOpen<'a, C, B>) {
        let (mine, others) = self.lock.lock_both_unordered(&other.lock, held);
        (LockedFastOpen(mine), LockedFastOpen(others))
    }

    /// Takes both queues' locks, the one of the lower listener first; `None` if they are one.
    #[cfg(feature = "designs")]
    #[track_caller]
    pub(crate) fn lock_pair<'a, H: Before<FastOpen>>(
        &'a self,
        other: &'a Self,
        held: &'a mut Held<'_, H>,
    ) -> Option<(LockedFastOpen<'a, C, B>, LockedFastOpen<'a, C, B>)> {
        let (mine, others) = self.lock.lock_pair(&other.lock, held)?;
        Some((LockedFastOpen(mine), LockedFastOpen(others)))
    }

    /// Tells whether nobody holds the lock, in a model.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub(crate) fn is_free(&self) -> bool {
        crate::sync::model::is_free(self.lock.tag())
    }

    /// Looks at the count and the reset list without the lock.
    ///
    /// # Safety
    ///
    /// Nobody may change the queue while `f` runs.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn peek<R>(&self, f: impl FnOnce(i32, &AcceptQueue<C, B>) -> R) -> R {
        // SAFETY: the caller's contract.
        unsafe { self.lock.peek(|inner| f(inner.qlen, &inner.reset)) }
    }
}

/// A fast-open queue whose lock is held.
#[must_use = "the lock is released when the guard is dropped"]
pub struct LockedFastOpen<'a, C, B: Backend>(MutexGuard<'a, Inner<C, B>, FastOpen, B>);

/// How long a reset connection counts, in seconds. (Linux: 60 s from `reqsk_fastopen_remove()`.)
const RESET_COUNTS: u32 = 60;

fn seconds(here: Here) -> u32 {
    (here.now / 1000) as u32
}

impl<C: Send + 'static, B: Backend> LockedFastOpen<'_, C, B> {
    /// Returns how many connections are charged.
    #[must_use]
    pub fn qlen(&self) -> i32 {
        self.0.qlen
    }

    /// Adds to the charge.
    pub fn charge(&mut self, change: i32) {
        self.0.qlen += change;
    }

    /// Sets the limit. (Linux: the `TCP_FASTOPEN` option.)
    pub fn set_max_qlen(&mut self, max_qlen: u32) {
        self.0.max_qlen = max_qlen;
    }

    /// Tells whether one more connection may be opened fast. (Linux: `tcp_fastopen_queue_check()`.)
    #[must_use]
    pub fn has_room(&self) -> bool {
        i64::from(self.0.qlen) < i64::from(self.0.max_qlen) + i64::from(B::planted(Fault::FastLimitOneMore))
    }

    /// Returns the limit; 0 if fast open is switched off.
    #[must_use]
    pub fn max_qlen(&self) -> u32 {
        self.0.max_qlen
    }

    /// Adds a reset connection to the list, where it counts; its reference belongs to the list. O(1).
    ///
    /// # Errors
    ///
    /// Returns the request if it is in a list already.
    ///
    /// # Safety
    ///
    /// The request must be in the caller's hands, and its slot must outlive its stay in the list.
    pub unsafe fn push_reset<'r, S>(
        &mut self,
        request: Ref<'r, RequestSock<C, B>, S>,
        here: Here,
    ) -> Result<(), Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        let object: *const RequestSock<C, B> = request.deref();
        // SAFETY: the slot is there, by the caller's contract, and the reference that goes into the
        // list keeps the object from being anything else until `pop_reset`.
        if unsafe { self.0.reset.push(object) }.is_err() {
            return Err(request);
        }
        request.set_counts_until(seconds(here).wrapping_add(RESET_COUNTS));
        request.set_state(RequestState::ResetListed);
        let _ = request.into_raw();
        self.0.qlen += 1;
        Ok(())
    }

    /// Takes the oldest reset connection off the list. O(1).
    ///
    /// # Safety
    ///
    /// All requests in the list must be of `store`.
    pub unsafe fn pop_reset<'r, S>(&mut self, store: &'r S) -> Option<Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        let request = self.0.reset.pop()?;
        request.set_state(RequestState::InHand);
        self.0.qlen -= 1;
        // SAFETY: the reference that `push_reset` stored; the request left the list.
        Some(unsafe { Ref::from_raw(store, request.index()) })
    }

    /// Takes the oldest reset connection off the list if it has counted for long enough. O(1).
    ///
    /// # Safety
    ///
    /// As [`pop_reset`](Self::pop_reset).
    pub unsafe fn evict_reset<'r, S>(
        &mut self,
        store: &'r S,
        here: Here,
    ) -> Option<Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        // The clock may have gone round since.
        let left = self.0.reset.iter().next()?.counts_until().wrapping_sub(seconds(here)) as i32;
        if left > 0 {
            return None;
        }
        // SAFETY: the caller's contract.
        unsafe { self.pop_reset(store) }
    }

    /// Takes the charges and the list, for another listener. O(1).
    #[must_use = "what is charged has to be charged to somebody"]
    pub fn detach(&mut self) -> Pending<C, B> {
        Pending { qlen: core::mem::take(&mut self.0.qlen), reset: self.0.reset.take() }
    }

    /// Takes what is charged to `other` and puts its list before this one's, as the v1 and v2 patches do.
    #[cfg(feature = "designs")]
    pub(crate) fn splice_as_posted(&mut self, other: &mut Self) {
        self.mend();
        other.mend();
        self.0.qlen += core::mem::take(&mut other.0.qlen);
        self.0.reset.splice_head_as_posted(&mut other.0.reset);
    }

    /// Reports a list whose tail is not its last request, to which something is about to be added, and
    /// mends it.
    #[cfg(feature = "designs")]
    pub(crate) fn mend(&mut self) {
        if self.0.reset.mend() {
            B::violated(
                "I1",
                "the tail of a reset list is not its last request, whose slot this is",
                self.0.reset.iter().last().map_or(0, RequestSock::index),
            );
        }
    }

    /// Adds what was another listener's. O(1).
    pub fn append(&mut self, mut pending: Pending<C, B>) {
        self.0.qlen += pending.qlen;
        self.0.reset.splice_tail(&mut pending.reset);
    }
}
