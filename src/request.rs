//! Requests and owners: what waits in a queue, and how it names its listener.
//!
//! A request holds a counted reference on an [`Owner`]. An owner either is the home of one listener
//! or has been handed to another owner; the listener at the root of that chain is the request's
//! listener. That one indirection lets every design of the discussion run on the same substrate:
//! some leave the owner of a moved request as it is, some exchange it, and one hands a whole queue
//! over by storing one owner into another.

#[cfg(feature = "designs")]
mod posted;

#[cfg(feature = "designs")]
pub(crate) use posted::{Posted, TimerState};

use crate::slab::{Id, NONE, Stable};
use crate::sync::{self, AtomicU32, Backend, Cell, Fault};
use core::net::SocketAddr;
use core::sync::atomic::Ordering;

/// Names a request; stale once it is gone.
pub type RequestId<C, B> = Id<RequestSock<C, B>>;

/// What is known of a connection when its request is made, and never changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hashes {
    /// Hash of the tuple as the SYN found it: selects among listeners.
    /// (Linux: the hash that a `SK_REUSEPORT` program sees.)
    pub syn_hash: u32,
    /// Hash of the tuple with the address that the connection really has: selects a target when
    /// the connection migrates. Equal to `syn_hash` for listeners bound to a specific address.
    /// (Linux: `sk_hash` of the child.)
    pub sk_hash: u32,
}

/// The two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tuple {
    /// Ours.
    pub local: SocketAddr,
    /// The client's.
    pub remote: SocketAddr,
}

/// What a request is made of, and never changes while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) tuple: Tuple,
    pub(crate) hashes: Hashes,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum RequestState {
    /// In no list and in no hands; the slot is free, or on its way there.
    Free,
    /// In one thread's hands: that thread alone may touch the child and the links.
    InHand,
    /// In the accept queue of one listener: linked, and the queue holds a reference that keeps it
    /// there. Only who holds that queue's `rskq_lock` may touch the link.
    Queued,
    /// Half open, in the established table, which holds a reference. Only who holds the bucket's lock
    /// may touch the link, the owner and what else changes. (Linux: `TCP_NEW_SYN_RECV`.)
    Hashed,
    /// A fast-open connection that was accepted, or aborted, before its handshake ended: in no list, kept
    /// by the handshake's reference.
    Accepted,
    /// A fast-open connection that was reset: in the reset list of one listener, which holds a
    /// reference. Only who holds that listener's fast-open lock may touch the link.
    ResetListed,
}

/// When an armed SYN-ACK timer goes off, and in which list it is.
#[derive(Clone, Copy)]
pub(crate) struct Expires {
    /// In milliseconds.
    pub(crate) deadline: u64,
    pub(crate) level: u32,
}

/// A connection that was not accepted yet. (Linux: `struct request_sock`.)
pub struct RequestSock<C, B: Backend> {
    index: u32,
    /// Place in the established table, under the bucket's lock, or next in an accept queue, under its
    /// `rskq_lock`, or in a list of reset connections: in one of them at a time. (Linux: `ireq_node` and
    /// `dl_next`.)
    pub(crate) node: sync::Link,
    /// Place among the armed SYN-ACK timers; under the `Timer` lock. (Linux: `rsk_timer`.)
    pub(crate) rsk_timer: sync::Link,
    /// When the timer goes off, if it is armed; under the `Timer` lock. (Linux: `rsk_timer.expires`.)
    pub(crate) expires: Cell<Expires, B::Canary>,
    /// The owner, or [`NONE`]: a stored reference. (Stands for Linux's `rsk_listener`.)
    rsk_owner: B::AtomicU32,
    state: B::Stat,
    /// How often the SYN-ACK timer went off; under the bucket's lock. (Linux: `num_timeout`.)
    pub(crate) num_timeout: B::Stat,
    /// Whether the final ACK has come and could not be taken; under the bucket's lock. (Linux: `acked`.)
    pub(crate) acked: B::Stat,
    /// Whether a fast-open child still has to finish its handshake; under the bucket's lock.
    /// (Linux: `tfo_listener`.)
    pub(crate) tfo_listener: B::Stat,
    key: Cell<Option<Key>, B::PieceCanary>,
    child: Cell<Option<C>, B::PieceCanary>,
    /// What only the designs of the discussion use.
    #[cfg(feature = "designs")]
    pub(crate) posted: Posted<B>,
}

// What a flood costs for each SYN, beside the connection: more than half of it are two socket addresses.
#[cfg(all(feature = "spin", not(feature = "designs")))]
static_assertions::const_assert!(size_of::<RequestSock<(), crate::DefaultBackend>>() <= 152);

impl<C: Send + 'static, B: Backend> Stable for RequestSock<C, B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self {
        index: 0,
        node: sync::Link::new(),
        rsk_timer: sync::Link::new(),
        expires: Cell::new(Expires { deadline: 0, level: 0 }),
        rsk_owner: B::AtomicU32::ZERO,
        state: B::Stat::ZERO,
        num_timeout: B::Stat::ZERO,
        acked: B::Stat::ZERO,
        tfo_listener: B::Stat::ZERO,
        key: Cell::new(None),
        child: Cell::new(None),
        #[cfg(feature = "designs")]
        posted: Posted::INIT,
    };

    fn place(&mut self, index: u32) {
        self.index = index;
        self.rsk_owner.place(NONE);
        self.state.place(RequestState::Free as u32);
        self.num_timeout.place(0);
        self.acked.place(0);
        self.tfo_listener.place(0);
        self.expires.place();
        self.key.place();
        self.child.place();
        #[cfg(feature = "designs")]
        self.posted.place();
    }
}

impl<C: Send + 'static, B: Backend> RequestSock<C, B> {
    /// Returns the request's slot.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Returns where the request is.
    #[must_use]
    pub fn state(&self) -> RequestState {
        match self.state.peek() {
            1 => RequestState::InHand,
            2 => RequestState::Queued,
            3 => RequestState::Hashed,
            4 => RequestState::Accepted,
            5 => RequestState::ResetListed,
            _ => RequestState::Free,
        }
    }

    pub(crate) fn set_state(&self, state: RequestState) {
        self.state.store(state as u32, Ordering::Relaxed);
    }

    /// Fills a fresh request in: in hand, without owner and child.
    ///
    /// # Safety
    ///
    /// The request must be fresh: taken from the slab and not published.
    pub(crate) unsafe fn fill(&self, key: Key) {
        self.set_state(RequestState::InHand);
        if !B::planted(Fault::TimeoutsNotCleared) {
            self.num_timeout.store(0, Ordering::Relaxed);
        }
        if !B::planted(Fault::AckedNotCleared) {
            self.acked.store(0, Ordering::Relaxed);
        }
        self.tfo_listener.store(0, Ordering::Relaxed);
        #[cfg(feature = "designs")]
        self.posted.clear();
        // SAFETY: nobody else can reach a request that has no reference yet.
        unsafe {
            self.key.with_mut(|slot| {
                let kept = slot.filter(|_| B::planted(Fault::KeyKept));
                *slot = Some(kept.unwrap_or(key));
            });
        }
    }

    /// Returns what the request is made of.
    ///
    /// # Safety
    ///
    /// The request must have been filled in, and the caller must hold a reference or keep one from
    /// being put.
    pub(crate) unsafe fn key(&self) -> Option<Key> {
        // SAFETY: the key is written before the request is published, and a reference is held.
        unsafe { self.key.with(|key| *key) }
    }

    /// Tells whether the request is for a connection of this tuple. The key is looked at where it lies: most
    /// that are looked at are not copied.
    ///
    /// # Safety
    ///
    /// As [`key`](Self::key).
    #[inline]
    pub(crate) unsafe fn is_for(&self, tuple: &Tuple) -> bool {
        // SAFETY: as in `key`.
        unsafe { self.key.with(|key| key.as_ref().is_some_and(|key| key.tuple == *tuple)) }
    }

    /// Puts the child in, which gives back what was there.
    ///
    /// # Safety
    ///
    /// The request must be in the caller's hands: fresh, just taken out of a list, or in a list whose
    /// lock the caller holds.
    pub unsafe fn put_child(&self, child: C) -> Option<C> {
        // SAFETY: in one pair of hands, by the caller's contract.
        unsafe { self.child.with_mut(|slot| slot.replace(child)) }
    }

    /// Takes the child out.
    ///
    /// # Safety
    ///
    /// As [`put_child`](Self::put_child).
    pub unsafe fn take_child(&self) -> Option<C> {
        // SAFETY: in one pair of hands, by the caller's contract.
        unsafe { self.child.with_mut(Option::take) }
    }

    /// Tells whether the SYN-ACK timer is armed; under concurrency a moment's value, unless the `Timer` lock
    /// is held.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.rsk_timer.is_linked()
    }

    /// Tells whether no SYN-ACK was sent again yet, which is what `young` counts.
    pub(crate) fn is_young(&self) -> bool {
        self.timeouts() == 0
    }

    /// Returns how often the SYN-ACK timer went off.
    pub(crate) fn timeouts(&self) -> u32 {
        self.num_timeout.load(Ordering::Relaxed)
    }

    /// Returns until when a fast-open connection that was reset counts for its listener, in seconds.
    pub(crate) fn counts_until(&self) -> u32 {
        self.num_timeout.load(Ordering::Relaxed)
    }

    /// Sets it; under the listener's fast-open lock. Such a connection has no SYN-ACK timer, whose number of
    /// timeouts is not needed any more.
    pub(crate) fn set_counts_until(&self, seconds: u32) {
        self.num_timeout.store(seconds, Ordering::Relaxed);
    }

    /// Looks at the child and the key without being an access.
    ///
    /// # Safety
    ///
    /// Nobody may change either while `f` runs.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn peek<R>(&self, f: impl FnOnce(Option<&C>, Option<&Key>) -> R) -> R {
        // SAFETY: the caller's contract.
        unsafe { f((*self.child.as_ptr()).as_ref(), (*self.key.as_ptr()).as_ref()) }
    }

    /// Returns the stored owner.
    #[cfg(feature = "designs")]
    pub(crate) fn owner(&self) -> u32 {
        self.rsk_owner.load(Ordering::Acquire)
    }

    /// Returns the stored owner of a request in the caller's hands, or in a list whose lock the caller
    /// holds: nobody else changes it then, and looking is no access.
    pub(crate) fn peek_owner(&self) -> u32 {
        self.rsk_owner.peek()
    }

    /// Stores the reference `owner` and returns the one that was stored before.
    ///
    /// The request must be in the caller's hands.
    #[must_use = "a stored reference has to be put"]
    pub(crate) fn set_owner(&self, owner: u32) -> u32 {
        let before = self.rsk_owner.peek();
        self.rsk_owner.store(owner, Ordering::Release);
        before
    }
}

/// Where an owner leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Nowhere: the owner is not in use.
    Vacant,
    /// To the listener in this slot, whose home the owner is: a stored reference on the listener.
    Home(u32),
    /// To the owner in this slot, to which it was handed: a stored reference on that owner.
    Handed(u32),
}

impl Link {
    fn decode(bits: u32) -> Self {
        match (bits, bits & 1) {
            (NONE, _) => Link::Vacant,
            (_, 0) => Link::Home(bits >> 1),
            _ => Link::Handed(bits >> 1),
        }
    }

    fn encode(self) -> u32 {
        match self {
            Link::Vacant => NONE,
            Link::Home(listener) => listener << 1,
            Link::Handed(owner) => owner << 1 | 1,
        }
    }
}

/// The link between requests and the listener that answers for them.
pub struct Owner<B: Backend> {
    link: B::AtomicU32,
}

impl<B: Backend> Stable for Owner<B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self { link: B::AtomicU32::ZERO };

    fn place(&mut self, _index: u32) {
        self.link.place(Link::Vacant.encode());
    }
}

impl<B: Backend> Owner<B> {
    /// Returns where the owner leads.
    #[must_use]
    pub fn link(&self) -> Link {
        Link::decode(self.link.load(Ordering::Acquire))
    }

    /// Returns where the owner leads at this moment, which a load need not: for who was led astray.
    pub(crate) fn newest_link(&self) -> Link {
        Link::decode(self.link.fetch_add(0, Ordering::AcqRel))
    }

    /// Returns where the owner leads, without being an access: for checkers.
    #[must_use]
    pub fn peek(&self) -> Link {
        Link::decode(self.link.peek())
    }

    /// Hands the owner to the owner in slot `to`, a stored reference. Returns the link before.
    #[must_use = "the link before carries a reference that has to be put"]
    pub(crate) fn hand_to(&self, to: u32) -> Link {
        self.set_link(Link::Handed(to))
    }

    /// Stores `link`, which carries its reference, and returns the link before, with its own.
    #[must_use = "the link before carries a reference that has to be put"]
    pub(crate) fn set_link(&self, link: Link) -> Link {
        let before = Link::decode(self.link.peek());
        self.link.store(link.encode(), Ordering::Release);
        before
    }
}
