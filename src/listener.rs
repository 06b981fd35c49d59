//! A listening socket: state, backlog, accept queue, and its places in the table and the group.

#[cfg(all(test, feature = "spin"))]
mod tests;

use crate::address::{Bind, Port, RcvSaddr};
use crate::lockdep::{Before, Held, Mutex, order::ListenerSock, order::Rskq};
use crate::queue::{LockedQueue, RequestSockQueue};
use crate::request::{Owner, RequestSock, RequestState};
use crate::slab::{Id, NONE, Ref, Stable, Store};
use crate::sync::{AtomicU32, Backend, Cell, Event, Fault, Link};
use core::sync::atomic::Ordering;

/// Names a listener; stale once it was closed.
pub type ListenerId<C, B> = Id<Listener<C, B>>;

/// What the owner of the listening socket can do with it, under its process-context lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descriptor {
    /// Closed, or never opened: its id is stale.
    Closed,
    /// It listens.
    Listening,
    /// It left LISTEN and what it holds is being moved or aborted.
    Stopping {
        /// Whether it is closed after that; otherwise it is shut down.
        close: bool,
        /// Whether everything is with an heir that deals with it.
        handed: bool,
    },
    /// It is open and does not listen: not yet, or it was shut down. (Linux: `TCP_CLOSE`.)
    Idle,
}

/// Who stopped before a closed member of a group, and who after it.
pub(crate) struct Neighbours<B: Backend> {
    pub(crate) older: B::Stat,
    pub(crate) newer: B::Stat,
}

/// A listening socket. (Linux: a `struct sock` in TCP_LISTEN, or one that was.)
pub struct Listener<C, B: Backend> {
    index: u32,
    /// 1 while the socket listens. Stored under `sock`, read by everyone. (Linux: `sk_state`.)
    sk_state: B::AtomicU32,
    /// How often the socket began to listen again, so that steps left over from before are told
    /// apart. Written under `sock` before `sk_state`.
    listens: B::AtomicU32,
    /// The backlog argument of listen. (Linux: `sk_max_ack_backlog`.)
    pub(crate) sk_max_ack_backlog: B::AtomicU32,
    /// How often the timer of a request goes off before a bare ACK ends its handshake: until then the
    /// listener waits for data. (Linux: `rskq_defer_accept`.)
    rskq_defer_accept: B::Stat,
    /// The group's slot, or [`NONE`]. Written under `Reuseport`. (Linux: `sk_reuseport_cb`.)
    pub(crate) sk_reuseport_cb: B::PieceAtomicU32,
    /// Where in `socks[]` the listener is, so that leaving is O(1); under `Reuseport`.
    pub(crate) socks_index: B::Stat,
    /// The slots of its neighbours in the closed section, or [`NONE`]; under `Reuseport`.
    pub(crate) closed: Neighbours<B>,
    /// Listen, shutdown and close of this socket, one at a time. (Linux: `lock_sock()`.)
    pub(crate) sock: Mutex<Descriptor, ListenerSock, B>,
    /// The owner whose chain leads to what the listener held when it stopped, until the steps of its stop
    /// are taken, or [`NONE`]: a stored reference, under `sock`.
    pub(crate) estate: B::Stat,
    /// The accept queue. (Linux: `icsk_accept_queue`.)
    pub accept_queue: RequestSockQueue<C, B>,
    /// Where it is bound; written under `sock`, while not linked in a chain of bound sockets.
    pub(crate) bind: Cell<Bind, B::PieceCanary>,
    /// Chain of the bound sockets of a bucket; under `BindBucket`.
    pub(crate) bound: Link,
    /// The CPU whose connections it is for, and 1; 0 if it is for none. Written under `Reuseport`. (Linux:
    /// `sk_incoming_cpu`.)
    pub(crate) sk_incoming_cpu: B::Stat,
    /// The entry of the map that it is in, or [`NONE`]. Written under `Reuseport`. (Linux: `sk_user_data`.)
    pub(crate) map_index: B::AtomicU32,
    /// The owner whose home the listener is, for the designs of the discussion: there it is one for a life.
    #[cfg(feature = "designs")]
    pub(crate) home: B::Stat,
}

impl<C: Send + 'static, B: Backend> Stable for Listener<C, B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self {
        index: 0,
        sk_state: B::AtomicU32::ZERO,
        listens: B::AtomicU32::ZERO,
        sk_max_ack_backlog: B::AtomicU32::ZERO,
        rskq_defer_accept: B::Stat::ZERO,
        sk_reuseport_cb: B::PieceAtomicU32::ZERO,
        socks_index: B::Stat::ZERO,
        closed: Neighbours { older: B::Stat::ZERO, newer: B::Stat::ZERO },
        sock: Mutex::new(Descriptor::Closed),
        estate: B::Stat::ZERO,
        accept_queue: RequestSockQueue::new(),
        bind: Cell::new(Bind::NOWHERE),
        bound: Link::new(),
        sk_incoming_cpu: B::Stat::ZERO,
        map_index: B::AtomicU32::ZERO,
        #[cfg(feature = "designs")]
        home: B::Stat::ZERO,
    };

    fn place(&mut self, index: u32) {
        self.index = index;
        self.sk_state.place(0);
        self.listens.place(0);
        self.sk_max_ack_backlog.place(0);
        self.rskq_defer_accept.place(0);
        self.sk_reuseport_cb.place(NONE);
        self.socks_index.place(0);
        self.closed.older.place(NONE);
        self.closed.newer.place(NONE);
        self.sock.place(index);
        self.estate.place(NONE);
        self.accept_queue.place(index);
        self.bind.place();
        self.sk_incoming_cpu.place(0);
        self.map_index.place(NONE);
        #[cfg(feature = "designs")]
        self.home.place(NONE);
    }
}

// A busy server has thousands, each with locks of its own: four cache lines at most.
#[cfg(feature = "spin")]
static_assertions::const_assert!(size_of::<Listener<[u64; 4], crate::DefaultBackend>>() <= 256);

/// Why a queue did not take a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddError {
    /// The listener does not listen: resolve again.
    NotAtHome,
    /// The backlog is exhausted.
    Full,
}

type OwnerRef<'r, B, S> = Ref<'r, Owner<B>, S>;

/// A request that was not added, with the reason.
pub(crate) type NotAdded<'r, C, B, S> = (AddError, Ref<'r, RequestSock<C, B>, S>);

/// Whether an addition to a queue minds the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Capacity {
    /// A new connection does.
    Enforced,
    /// A connection that migrates does not, as in Linux.
    Ignored,
}

impl<C: Send + 'static, B: Backend> Listener<C, B> {
    /// Returns the listener's slot.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Tells whether the listener is in LISTEN.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.sk_state.load(Ordering::Acquire) != 0
    }

    /// Stores the state; under `sock`.
    pub(crate) fn set_listening(&self, listening: bool) {
        B::trace(Event::State { listener: self.index, listening });
        if listening {
            self.listens.fetch_add(1, Ordering::Relaxed);
        }
        // Release: who sees CLOSE also sees that the listener left its group and the table.
        self.sk_state.store(u32::from(listening), Ordering::Release);
    }

    /// Tells whether one more connection, waiting or half open, would exceed the backlog.
    ///
    /// Linux's rule: a backlog of N holds N + 1. (Linux: `sk_acceptq_is_full()`,
    /// `inet_csk_reqsk_queue_is_full()`.)
    pub(crate) fn is_full(&self, len: u32) -> bool {
        len > self.backlog().wrapping_sub(u32::from(B::planted(Fault::BacklogUnderflows)))
    }

    /// Tells whether the socket shares its address; under its `sock`.
    pub(crate) fn shares(&self) -> bool {
        // SAFETY: written when the socket is opened, and when it is bound, under `sock`.
        unsafe { self.bind.with(|bind| bind.reuseport) }
    }

    /// Tells whether it is for the connections of some CPU.
    pub(crate) fn is_for_a_cpu(&self) -> bool {
        self.sk_incoming_cpu.load(Ordering::Relaxed) != 0
    }

    /// Returns the backlog.
    pub(crate) fn backlog(&self) -> u32 {
        self.sk_max_ack_backlog.load(Ordering::Relaxed)
    }

    /// Returns how many timeouts the listener waits for data.
    pub(crate) fn rskq_defer_accept(&self) -> u32 {
        self.rskq_defer_accept.load(Ordering::Relaxed)
    }

    /// Sets it.
    pub(crate) fn set_rskq_defer_accept(&self, timeouts: u32) {
        self.rskq_defer_accept.store(timeouts, Ordering::Relaxed);
    }

    /// Returns how often the socket began to listen; under `sock`, or `rskq_lock` as
    /// [`queue_drain`](Self::queue_drain) says.
    pub(crate) fn listens(&self) -> u32 {
        self.listens.load(Ordering::Relaxed)
    }

    /// Returns where a socket is bound whose `sock` lock is held.
    pub(crate) fn bound_to(&self) -> Option<RcvSaddr> {
        // SAFETY: the address is written under `sock`.
        unsafe { self.bind.with(|bind| bind.addr) }
    }

    /// Tells whether a bound socket whose `sock` lock is held leaves its address with LISTEN.
    pub(crate) fn found_its_port(&self) -> bool {
        // SAFETY: how a socket came by its port is written under `sock`.
        unsafe { self.bind.with(|bind| bind.port == Port::Found) }
    }

    /// Returns the state and the group without being an access, for checkers.
    #[cfg(feature = "alloc")]
    pub(crate) fn peek(&self) -> (bool, u32) {
        (self.sk_state.peek() != 0, self.sk_reuseport_cb.peek())
    }

    /// Adds a request in the caller's hands to the accept queue and makes the listener its own,
    /// whichever it named before. O(1). Takes `Rskq`, and once it is released puts the owner before.
    /// (Linux: `inet_csk_reqsk_queue_add()`.)
    ///
    /// # Errors
    ///
    /// Returns the request as it was, with the reason.
    pub(crate) fn queue_add<'r, S, H: Before<Rskq>>(
        &self,
        request: Ref<'r, RequestSock<C, B>, S>,
        store: &'r S,
        capacity: Capacity,
        held: &mut Held<'_, H>,
    ) -> Result<(), NotAdded<'r, C, B, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B> + Store<Owner<B>, Backend = B>,
    {
        let listened = B::planted(Fault::StateLookedAtBeforeLock) && self.is_listening();
        let mut queue = self.accept_queue.lock(held);
        let before = if listened && !self.is_at_home(&queue) {
            self.enqueue_at_home(&mut queue, request, store)?
        } else {
            self.enqueue(&mut queue, request, store, capacity)?
        };
        drop(queue);
        if before != NONE {
            // SAFETY: stored when the request was in another queue, and another is stored now. Putting
            // it may take outer locks, so that the queue's had to be released.
            drop(unsafe { OwnerRef::<'_, B, S>::from_raw(store, before) });
        }
        Ok(())
    }

    /// The same under the queue's lock. Returns the owner that the request named before, a stored
    /// reference to be put once no lock is held.
    ///
    /// Lock, then check that somebody is at home: the state became CLOSE before the closer looks at
    /// the queue under this lock, so either this sees CLOSE or the closer sees the request.
    ///
    /// # Errors
    ///
    /// Returns the request as it was, with the reason.
    pub(crate) fn enqueue<'r, S>(
        &self,
        queue: &mut LockedQueue<'_, C, B>,
        request: Ref<'r, RequestSock<C, B>, S>,
        store: &'r S,
        capacity: Capacity,
    ) -> Result<u32, NotAdded<'r, C, B, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B> + Store<Owner<B>, Backend = B>,
    {
        if !self.is_at_home(queue) {
            B::trace(Event::Refused { request: request.index(), listener: self.index });
            return Err((AddError::NotAtHome, request));
        }
        if capacity == Capacity::Enforced && self.is_full(queue.len()) {
            return Err((AddError::Full, request));
        }
        self.enqueue_at_home(queue, request, store)
    }

    /// The same where the listener was found at home under the lock, and to have room.
    ///
    /// Its state is not looked at again: the closer stores it without the lock, and what was decided on
    /// one look must not be undone by another.
    pub(crate) fn enqueue_at_home<'r, S>(
        &self,
        queue: &mut LockedQueue<'_, C, B>,
        request: Ref<'r, RequestSock<C, B>, S>,
        store: &'r S,
    ) -> Result<u32, NotAdded<'r, C, B, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B> + Store<Owner<B>, Backend = B>,
    {
        let index = request.index();
        let mut before = NONE;
        if !(B::planted(Fault::OwnerNotMoved) && request.peek_owner() != NONE) {
            before = self.adopt(queue, &request, store);
        }
        // SAFETY: requests and listeners live in the memory of one stack, until it is gone.
        let pushed = unsafe { queue.push(request) };
        B::trace(Event::Queued { request: index, listener: self.index });
        // A request in hand is in no queue, so that the push did not fail.
        pushed.map_err(|request| (AddError::NotAtHome, request))?;
        Ok(before)
    }

    /// Tells, under the queue's lock, whether the listener can be given something.
    pub(crate) fn is_at_home(&self, queue: &LockedQueue<'_, C, B>) -> bool {
        (self.is_listening() || B::planted(Fault::AddWithoutStateCheck)) && queue.home() != NONE
    }

    /// Makes the listener at home in `queue` the request's. Returns the owner that the request named
    /// before, a stored reference to be put once no lock is held.
    #[must_use = "a stored reference has to be put"]
    pub(crate) fn adopt<S>(
        &self,
        queue: &LockedQueue<'_, C, B>,
        request: &RequestSock<C, B>,
        store: &S,
    ) -> u32
    where
        S: Store<Owner<B>, Backend = B>,
    {
        if request.peek_owner() == queue.home() {
            return NONE; // it was charged to this listener while it was half open, and has the reference
        }
        // SAFETY: the home is a stored reference, which is only taken back under the queue's lock.
        let home = unsafe { OwnerRef::<'_, B, S>::clone_raw(store, queue.home()) };
        request.set_owner(home.into_raw())
    }

    /// Takes the oldest request out of the accept queue into the caller's hands. O(1). Takes
    /// `Rskq`. (Linux: `reqsk_queue_remove()`.)
    #[cfg(any(test, feature = "designs"))]
    pub(crate) fn queue_remove<'r, S, H: Before<Rskq>>(
        &self,
        store: &'r S,
        held: &mut Held<'_, H>,
    ) -> Option<Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        self.queue_remove_if(|| true, store, held)
    }

    /// The same, if it is so under the queue's lock.
    #[inline]
    pub(crate) fn queue_remove_if<'r, S, H: Before<Rskq>>(
        &self,
        is_so: impl FnOnce() -> bool,
        store: &'r S,
        held: &mut Held<'_, H>,
    ) -> Option<Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        let mut queue = self.accept_queue.lock(held);
        if is_so() { self.accept_from(&mut queue, store) } else { None }
    }

    /// The same for up to `N` in one section of the lock. O(`N`).
    pub(crate) fn queue_remove_many_if<'r, S, H: Before<Rskq>, const N: usize>(
        &self,
        is_so: impl FnOnce() -> bool,
        store: &'r S,
        held: &mut Held<'_, H>,
    ) -> heapless::Vec<Ref<'r, RequestSock<C, B>, S>, N>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        let mut queue = self.accept_queue.lock(held);
        let most = if is_so() { N } else { 0 };
        core::iter::from_fn(|| self.accept_from(&mut queue, store)).take(most).collect()
    }

    #[inline]
    fn accept_from<'r, S>(
        &self,
        queue: &mut LockedQueue<'_, C, B>,
        store: &'r S,
    ) -> Option<Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        let request = self.remove_from(queue, store)?;
        if !B::planted(Fault::AcceptNotSaid) {
            // Under the lock, so that the end of a fast-open handshake finds it queued or accepted.
            request.set_state(RequestState::Accepted);
        }
        Some(request)
    }

    /// Takes the oldest request of a socket that stopped, which began to listen for the `listens`th
    /// time before that; where there is none, nobody looks again. O(1). Takes `Rskq`.
    ///
    /// If the socket listens again, what waits is not the caller's to take. Who queued it saw LISTEN,
    /// so the new number with it, and this sees both by way of the queue's lock.
    pub(crate) fn queue_drain<'r, S, H: Before<Rskq>>(
        &self,
        store: &'r S,
        listens: u32,
        held: &mut Held<'_, H>,
    ) -> Option<Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        let mut queue = self.accept_queue.lock(held);
        if self.listens() != listens {
            return None;
        }
        let request = self.remove_from(&mut queue, store);
        queue.set_open(request.is_some());
        request
    }

    /// Takes the oldest request out of the queue of a listener that stopped with nobody to hand it to,
    /// whose lock is held; where there is none, nobody looks again.
    pub(crate) fn drain_estate<'r, S>(
        &self,
        queue: &mut LockedQueue<'_, C, B>,
        store: &'r S,
    ) -> Option<Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        let request = self.remove_from(queue, store);
        queue.set_open(request.is_some());
        request
    }

    fn remove_from<'r, S>(
        &self,
        queue: &mut LockedQueue<'_, C, B>,
        store: &'r S,
    ) -> Option<Ref<'r, RequestSock<C, B>, S>>
    where
        S: Store<RequestSock<C, B>, Backend = B>,
    {
        // SAFETY: a listener queues requests of its own stack only, and `store` is that stack's.
        let request = unsafe { queue.pop(store) }?;
        B::trace(Event::Popped { request: request.index(), listener: self.index });
        Some(request)
    }
}
