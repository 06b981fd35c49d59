//! The accept queue of one listener.
//!
//! [`RequestSockQueue`] is the lock and the counter; [`AcceptQueue`] is the list, plain logic that
//! is tested without locks. Everything is O(1), whatever the queue holds: add at the tail, take
//! from the head, put one queue before or behind another, take the whole queue.

mod fastopen;
mod plain;
#[cfg(all(test, feature = "spin"))]
mod tests;

pub use fastopen::{FastOpenQueue, LockedFastOpen, Pending};
pub use plain::{AcceptQueue, AlreadyQueued};

use crate::lockdep::{Before, Held, Mutex, MutexGuard, order::Rskq};
use crate::request::{RequestSock, RequestState};
use crate::slab::{NONE, Ref, Store};
use crate::sync::{AtomicU32, Backend, Fault};
use core::ops::Deref;
use core::sync::atomic::Ordering;

/// What `rskq_lock` protects.
struct Inner<C, B: Backend> {
    list: AcceptQueue<C, B>,
    /// The owner whose home the queue's listener is, or [`NONE`] once it is closed: a stored
    /// reference. Requests that are added here get it, under the lock.
    home: u32,
    /// Whether somebody will still deal with what is in the queue: its listener listens, or its
    /// closer has not yet looked for the last time.
    open: bool,
}

/// How many half-open requests are charged to a listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charges {
    /// All. Negative only while a thread is between two listeners. (Linux: `qlen`.)
    pub qlen: i32,
    /// Those whose SYN-ACK was not sent again. (Linux: `young`.)
    pub young: i32,
}

impl Charges {
    /// What one request counts.
    #[must_use]
    pub fn one(young: bool) -> Self {
        Self { qlen: 1, young: young.into() }
    }

    /// Tells whether nothing is charged.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl core::ops::Add for Charges {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { qlen: self.qlen + other.qlen, young: self.young + other.young }
    }
}

impl core::ops::Neg for Charges {
    type Output = Self;
    fn neg(self) -> Self {
        Self { qlen: -self.qlen, young: -self.young }
    }
}

/// Connections that wait to be accepted, oldest first. (Linux: `struct request_sock_queue`.)
pub struct RequestSockQueue<C, B: Backend> {
    rskq_lock: Mutex<Inner<C, B>, Rskq, B>,
    /// The queue's length: written under `rskq_lock`, readable without. (Linux: `sk_ack_backlog`.)
    sk_ack_backlog: B::Stat,
    /// Half-open requests charged to the listener: as above. (Linux: `qlen`.)
    qlen: B::Stat,
    /// Those of them that are young: as above. (Linux: `young`.)
    young: B::Stat,
    /// The fast-open connections. (Linux: `fastopenq`.)
    pub fastopenq: FastOpenQueue<C, B>,
}

impl<C: Send + 'static, B: Backend> RequestSockQueue<C, B> {
    pub(crate) const fn new() -> Self {
        Self {
            rskq_lock: Mutex::new(Inner { list: AcceptQueue::new(), home: NONE, open: false }),
            sk_ack_backlog: B::Stat::ZERO,
            qlen: B::Stat::ZERO,
            young: B::Stat::ZERO,
            fastopenq: FastOpenQueue::new(),
        }
    }

    pub(crate) fn place(&mut self, key: u32) {
        let inner = self.rskq_lock.place(key);
        inner.home = NONE;
        inner.open = false;
        self.sk_ack_backlog.place(0);
        self.qlen.place(0);
        self.young.place(0);
        self.fastopenq.place(key);
    }

    /// Returns how many connections wait. O(1), no lock; under concurrency a moment's value.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.sk_ack_backlog.load(Ordering::Relaxed)
    }

    /// Tells whether none waits. O(1), no lock.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many half-open requests are charged to the listener. O(1), no lock.
    #[must_use]
    pub fn charges(&self) -> Charges {
        Charges {
            qlen: self.qlen.load(Ordering::Relaxed) as i32,
            young: self.young.load(Ordering::Relaxed) as i32,
        }
    }

    /// Takes the queue's `rskq_lock`.
    #[track_caller]
    pub fn lock<'a, H: Before<Rskq>>(&'a self, held: &'a mut Held<'_, H>) -> LockedQueue<'a, C, B> {
        LockedQueue { inner: self.rskq_lock.lock(held), queue: self }
    }

    /// Takes the queue's `rskq_lock`; with the token that says so.
    #[track_caller]
    pub fn lock_and<'a, H: Before<Rskq>>(
        &'a self,
        held: &'a mut Held<'_, H>,
    ) -> (LockedQueue<'a, C, B>, Held<'a, Rskq>) {
        let (inner, held) = self.rskq_lock.lock_and(held);
        (LockedQueue { inner, queue: self }, held)
    }

    /// Charges half-open requests to the listener, or with a minus takes charges back, without the lock, as
    /// Linux's atomic counters are written.
    #[cfg(feature = "designs")]
    pub(crate) fn charge_unlocked(&self, change: Charges) {
        self.qlen.fetch_add(change.qlen as u32, Ordering::Relaxed);
        self.young.fetch_add(change.young as u32, Ordering::Relaxed);
    }

    /// Takes both queues' `rskq_lock`s, the one of the lower listener first; `None` if they are one.
    #[cfg(feature = "designs")]
    #[track_caller]
    pub(crate) fn lock_pair<'a, H: Before<Rskq>>(
        &'a self,
        other: &'a Self,
        held: &'a mut Held<'_, H>,
    ) -> Option<(LockedQueue<'a, C, B>, LockedQueue<'a, C, B>)> {
        let (mine, others) = self.rskq_lock.lock_pair(&other.rskq_lock, held)?;
        Some((LockedQueue { inner: mine, queue: self }, LockedQueue { inner: others, queue: other }))
    }

    /// Takes both queues' `rskq_lock`s, this one first, as the v1 patch does.
    #[cfg(feature = "designs")]
    #[track_caller]
    pub fn lock_both_unordered<'a, H: Before<Rskq>>(
        &'a self,
        other: &'a Self,
        held: &'a mut Held<'_, H>,
    ) -> (LockedQueue<'a, C, B>, LockedQueue<'a, C, B>) {
        let (mine, others) = self.rskq_lock.lock_both_unordered(&other.rskq_lock, held);
        (LockedQueue { inner: mine, queue: self }, LockedQueue { inner: others, queue: other })
    }

    /// Tells whether nobody holds the queue's lock, in a model.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub(crate) fn is_free(&self) -> bool {
        crate::sync::model::is_free(self.rskq_lock.tag())
    }

    /// Returns the owner whose home the queue's listener is, and whether the queue is open, without the
    /// lock.
    ///
    /// # Safety
    ///
    /// Nobody may change them meanwhile.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn peek_home(&self) -> (u32, bool) {
        // SAFETY: the caller's contract.
        unsafe { self.rskq_lock.peek(|inner| (inner.home, inner.open)) }
    }

    /// Looks at the list and the counter without the lock.
    ///
    /// # Safety
    ///
    /// Nobody may change the queue while `f` runs.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn peek<R>(&self, f: impl FnOnce(&AcceptQueue<C, B>, u32) -> R) -> R {
        // SAFETY: the caller's contract.
        unsafe { self.rskq_lock.peek(|inner| f(&inner.list, self.sk_ack_backlog.peek())) }
    }
}

/// The requests of a queue, in no queue now, with their references, and the charges that go along.
pub struct Detached<C, B: Backend> {
    list: AcceptQueue<C, B>,
    len: u32,
    charges: Charges,
}

impl<C, B: Backend> Detached<C, B> {
    /// Returns how many there are. O(1).
    #[must_use]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Tells whether there are none. O(1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the charges that go along.
    #[must_use]
    pub fn charges(&self) -> Charges {
        self.charges
    }

    /// Returns the requests, oldest first.
    #[cfg(feature = "designs")]
    pub(crate) fn requests(&self) -> impl Iterator<Item = &RequestSock<C, B>> {
        self.list.iter()
    }
}

/// An accept queue whose `rskq_lock` is held.
#[must_use = "the lock is released when the guard is dropped"]
pub struct LockedQueue<'a, C, B: Backend> {
    inner: MutexGuard<'a, Inner<C, B>, Rskq, B>,
    queue: &'a RequestSockQueue<C, B>,
}

impl<C: Send + 'static, B: Backend> LockedQueue<'_, C, B> {
    /// Adds to a counter. Only the holder of the lock writes, so that a load and a store are enough.
    fn add(counter: &B::Stat, change: i32) {
        let before = counter.load(Ordering::Relaxed);
        counter.store(before.wrapping_add_signed(change), Ordering::Relaxed);
    }

    fn count(&self, change: i32) {
        Self::add(&self.queue.sk_ack_backlog, change);
    }

    /// Returns the length. O(1).
    #[must_use]
    pub fn len(&self) -> u32 {
        self.queue.len()
    }

    /// Charges half-open requests to the queue's listener, or with a minus takes charges back. O(1).
    pub fn charge(&mut self, change: Charges) {
        Self::add(&self.queue.qlen, change.qlen);
        Self::add(&self.queue.young, change.young);
    }

    /// Returns how many half-open requests are charged to the queue's listener. O(1).
    #[must_use]
    pub fn qlen(&self) -> u32 {
        // Negative only while a thread is between two listeners.
        u32::try_from(self.queue.charges().qlen).unwrap_or(0)
    }

    /// Returns what is charged to the queue's listener. O(1).
    #[must_use]
    pub fn charges(&self) -> Charges {
        self.queue.charges()
    }

    /// Tells whether somebody will still deal with what is in the queue.
    pub(crate) fn is_open(&self) -> bool {
        self.inner.open
    }

    /// Says whether somebody will.
    pub(crate) fn set_open(&mut self, open: bool) {
        self.inner.open = open;
    }

    /// Returns the owner whose home the queue's listener is, or [`NONE`].
    pub(crate) fn home(&self) -> u32 {
        self.inner.home
    }

    /// Stores the owner with its reference and returns the one before with its own.
    #[must_use = "a stored reference has to be put, once the lock is released"]
    pub(crate) fn set_home(&mut self, owner: u32) -> u32 {
        core::mem::replace(&mut self.inner.home, owner)
    }

    /// Tells whether none waits. O(1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.list.is_empty()
    }

    /// Adds a request at the tail; its reference belongs to the queue from now on. O(1).
    ///
    /// # Errors
    ///
    /// Returns the request if it is in a queue already.
    ///
    /// # Safety
    ///
    /// The request's slot must outlive its stay in the queue, which `pop` ends.
    pub unsafe fn push<'r, S>(
        &mut self,
        request: Ref<'r, RequestSock<C, B>, S>,
    ) -> Result<(), Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        let object: *const RequestSock<C, B> = request.deref();
        let pushed = if B::planted(Fault::PushToHead) {
            // SAFETY: as below.
            unsafe { self.inner.list.push_front(object) }
        } else {
            // SAFETY: the slot is there, by the caller's contract, and the reference that goes into
            // the queue keeps the object from being anything else until `pop`.
            unsafe { self.inner.list.push(object) }
        };
        if pushed.is_err() {
            return Err(request);
        }
        if !B::planted(Fault::StateNotSaid) {
            request.set_state(RequestState::Queued);
        }
        let _ = request.into_raw();
        if !B::planted(Fault::BacklogNotCounted) {
            self.count(1);
        }
        Ok(())
    }

    /// Takes the request at the head, with its reference, into the caller's hands. O(1).
    ///
    /// # Safety
    ///
    /// All requests in the queue must be of `store`.
    pub unsafe fn pop<'r, S>(&mut self, store: &'r S) -> Option<Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        let request = self.inner.list.pop()?;
        request.set_state(RequestState::InHand);
        if !B::planted(Fault::PopNotCounted) {
            self.count(-1);
        }
        // SAFETY: the reference that `push` stored with the request, of this store by the caller's
        // contract; the request left the list, so no second `pop` finds it.
        Some(unsafe { Ref::from_raw(store, request.index()) })
    }

    /// Takes the whole queue, to be put behind another once this one's lock is released. O(1).
    #[must_use = "the requests are in no queue until they are appended to one"]
    pub fn detach(&mut self) -> Detached<C, B> {
        let len = self.len();
        self.count(-(len as i32));
        Detached { list: self.inner.list.take(), len, charges: Charges::default() }
    }

    /// Takes the whole queue and all charges. O(1).
    #[must_use = "the requests are in no queue until they are appended to one"]
    pub fn detach_all(&mut self) -> Detached<C, B> {
        let charges = self.queue.charges();
        self.charge(-charges);
        Detached { charges, ..self.detach() }
    }

    /// Puts a detached queue behind this one, and its charges to this one's. O(1).
    ///
    /// That all requests of a queue are of one store is for `pop`'s caller to know.
    pub fn append(&mut self, mut detached: Detached<C, B>) {
        self.inner.list.splice_tail(&mut detached.list);
        self.count(detached.len as i32);
        self.charge(detached.charges);
    }

    /// Puts all of `other` before all of this queue. O(1). (The v1 patch's splice.)
    pub fn splice_head(&mut self, other: &mut Self) {
        self.prepend(other.detach());
    }

    /// Puts a detached queue before this one. O(1).
    pub fn prepend(&mut self, mut detached: Detached<C, B>) {
        self.inner.list.splice_head(&mut detached.list);
        self.count(detached.len as i32);
    }

    /// Puts all of `other` behind all of this queue. O(1).
    pub fn splice_tail(&mut self, other: &mut Self) {
        self.append(other.detach());
    }
}
