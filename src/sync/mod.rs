//! The only room that knows that model checkers exist: atomics, cells and locks behind one face.
//!
//! Everything above is generic over a [`Backend`]. [`Core`] is what ships: `core` atomics, a plain
//! cell, and whatever [`RawLock`] the embedder has. Feature `loom` adds [`loom`] and feature
//! `shuttle` adds [`shuttle`], where the same code runs on a model's objects. Back ends are types,
//! not `cfg`s: one binary can hold all of them, and switching a checker on in one place cannot
//! change what another place ships.
//!
//! Locks are swapped whole. A spin loop on model atomics makes a deadlock look like a livelock and
//! correct three-thread code look like a deadlock, so a model's lock is the model's own mutex.

mod cell;
mod core_backend;
#[cfg(feature = "critical-section")]
mod critical_section;
mod fault;
mod link;
#[cfg(any(feature = "loom", feature = "shuttle"))]
pub mod model;
mod raw;
#[cfg(feature = "seeded")]
pub mod seeded;

pub use cell::{Canary, Cell};
pub use core_backend::Core;
#[cfg(feature = "critical-section")]
pub use critical_section::CriticalSection;
pub use fault::Fault;
pub(crate) use link::Link;
pub use raw::RawLock;

#[cfg(feature = "loom")]
pub use model::loom;
#[cfg(feature = "shuttle")]
pub use model::shuttle;

use core::sync::atomic::Ordering;

/// What runs underneath: real hardware, or a model checker.
///
/// Implemented by [`Core`] and by the model back ends; embedders choose `Core<R>` with a
/// [`RawLock`] of theirs and never implement this trait.
pub trait Backend: Sized + 'static {
    /// An atomic that other threads branch on. A model explores every order of accesses to it.
    type AtomicU32: AtomicU32;
    /// An atomic of a piece that has its own models, such as the lock-free reader of a group. A coarse
    /// model runs each access as one invisible step.
    type PieceAtomicU32: AtomicU32;
    /// A reference count. A coarse model runs each access as one invisible step.
    type Count: AtomicU32;
    /// A word that no other thread branches on: a statistic, or what is only touched under a lock.
    /// No model sees it.
    type Stat: AtomicU32;
    /// The lock behind every lock class.
    type Lock: Lock;
    /// The lock of a piece that has its own models. A coarse model runs its critical section as
    /// one invisible step.
    type PieceLock: Lock;
    /// Watches a [`Cell`] for data races. Nothing outside of models.
    type Canary: Canary;
    /// Watches what a [`PieceLock`](Self::PieceLock) or a [`Count`](Self::Count) protects, such as
    /// an object of a slab between two lives. A coarse model does not see that order.
    type PieceCanary: Canary;

    /// Binary logarithm of the words in a chunk of the groups' `socks[]`.
    ///
    /// What ships has 6: a chunk is four cache lines, a group of a few costs 256 bytes, and one of 65,535 is
    /// three chunks high. Models have 1, so that a group of three listeners has grown.
    const SOCKS_SHIFT: u32;

    /// Tells whether `fault` is planted in this run.
    ///
    /// Only back ends of checkers can answer `true`: on [`Core`] this is a constant, so no code that ships
    /// can contain a planted fault.
    #[inline(always)]
    fn planted(_fault: Fault) -> bool {
        false
    }

    /// Adds `event` to the interleaving that a model prints. Does nothing on [`Core`].
    #[inline(always)]
    fn trace(_event: Event) {}

    /// A design of the discussion does what a property forbids, and goes on where it is still defined
    /// what happens: `text` says what, of the object in `slot`. A finding in a model; nothing on [`Core`].
    #[cfg(feature = "designs")]
    #[inline(always)]
    fn violated(_property: &'static str, _text: &'static str, _slot: u32) {}
}

/// A back end under which only one thread runs at a time.
///
/// # Safety
///
/// Between two operations on the back end's own objects no other thread may run. A checker relies
/// on it to walk structures without taking their locks.
pub unsafe trait ModelBackend: Backend {}

/// The part of [`core::sync::atomic::AtomicU32`] that the crate uses.
///
/// Sequentially consistent accesses are not used: loom treats them as acquire-release.
pub trait AtomicU32: Send + Sync + 'static {
    /// Zero, the value of untouched storage.
    const ZERO: Self;
    /// Gives the atomic its first value, before it is shared.
    fn place(&mut self, value: u32);
    /// Loads the value.
    fn load(&self, order: Ordering) -> u32;
    /// Stores `value`.
    fn store(&self, value: u32, order: Ordering);
    /// Adds `n`, wrapping, and returns the value before.
    fn fetch_add(&self, n: u32, order: Ordering) -> u32;
    /// Adds one, wrapping, with release ordering, where nobody else writes: a load and a store, which take a
    /// fifth of what an exchange takes.
    #[inline]
    fn bump(&self) {
        self.store(self.peek().wrapping_add(1), Ordering::Release);
    }
    /// Subtracts `n`, wrapping, and returns the value before.
    fn fetch_sub(&self, n: u32, order: Ordering) -> u32;
    /// Stores `new` if the value is `current`.
    ///
    /// # Errors
    ///
    /// Returns the value found when it is not `current`.
    fn compare_exchange(&self, current: u32, new: u32, ok: Ordering, err: Ordering) -> Result<u32, u32>;
    /// Returns the newest value without being an access: for checkers and for exclusive owners.
    fn peek(&self) -> u32;

    /// Adds one unless the value is zero; tells whether it did. (Linux: `refcount_inc_not_zero`.)
    #[inline]
    fn inc_unless_zero(&self) -> bool {
        // Acquire even where it fails: who finds the object gone also sees that it was taken out of
        // where it was found, so that looking again is not in vain.
        let mut seen = self.load(Ordering::Acquire);
        while seen != 0 {
            match self.compare_exchange(seen, seen + 1, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }
}

/// A lock as the lock classes use it: told at each call which lock it is.
///
/// # Safety
///
/// Between a return of [`lock`](Self::lock) and the matching [`unlock`](Self::unlock) no other
/// call of `lock` on the same object may return, and what happened before an `unlock` is visible
/// after the next `lock`.
pub unsafe trait Lock: Send + Sync + 'static {
    /// An unlocked lock.
    const INIT: Self;
    /// What one acquisition has to remember until its release, such as saved interrupt flags.
    type GuardState;

    /// Prepares the lock, before it is shared.
    fn place(&mut self);

    /// Waits for the lock and takes it.
    #[track_caller]
    fn lock(&self, tag: LockTag, nesting: Nesting) -> Self::GuardState;

    /// Releases the lock.
    ///
    /// # Safety
    ///
    /// `state` must come from a `lock` of this object by the same context, not yet released.
    unsafe fn unlock(&self, tag: LockTag, state: Self::GuardState);
}

/// Which lock: its class, the class's place in the order, and the instance's key within the class.
#[derive(Clone, Copy, Debug, Eq)]
pub struct LockTag {
    // Compared in this order: what tells most locks apart first, the name hardly ever.
    /// The instance: a listener's slot index, a bucket's index, 0 for a single lock.
    pub key: u32,
    /// The class's place in the order table; outermost is 0.
    pub rank: u8,
    /// The class's name.
    pub class: &'static str,
}

impl PartialEq for LockTag {
    fn eq(&self, other: &Self) -> bool {
        // The name last: models compare tags at every step, and few get that far.
        (self.rank, self.key) == (other.rank, other.key)
            && (core::ptr::eq(self.class, other.class) || self.class == other.class)
    }
}

/// What an acquisition claims about a lock of its class that is held already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// None is held.
    None,
    /// One is held and its key is lower: the ordered pair.
    Ordered,
    /// One is held, in whatever order: only the v1 patch does this.
    #[cfg(feature = "designs")]
    Unordered,
}

/// A step that a reader of an interleaving wants to see beside the lock events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A listener's `sk_state` became LISTEN (`true`) or CLOSE.
    State {
        /// The listener's slot.
        listener: u32,
        /// Whether it listens now.
        listening: bool,
    },
    /// A listener left `socks[]`.
    LeftGroup {
        /// The listener's slot.
        listener: u32,
    },
    /// A target was chosen for what a closing listener holds.
    Picked {
        /// The listener that closes.
        from: u32,
        /// The target.
        to: u32,
    },
    /// No target could be chosen.
    PickFailed {
        /// The listener that closes.
        from: u32,
    },
    /// A request entered the accept queue of a listener.
    Queued {
        /// The request's slot.
        request: u32,
        /// The listener's slot.
        listener: u32,
    },
    /// A SYN was refused because the listener no longer listens.
    SynRefused {
        /// The listener's slot.
        listener: u32,
    },
    /// A request was refused because the listener no longer listens.
    Refused {
        /// The request's slot.
        request: u32,
        /// The listener's slot.
        listener: u32,
    },
    /// A request left the accept queue of a listener from its head.
    Popped {
        /// The request's slot.
        request: u32,
        /// The listener's slot.
        listener: u32,
    },
    /// A request was given up by a listener that closes, and its connection with it.
    Aborted {
        /// The request's slot.
        request: u32,
        /// The listener's slot.
        listener: u32,
    },
    /// A listener's owner was handed to its heir's, and its queue taken.
    Handed {
        /// The listener that closes.
        from: u32,
    },
    /// What a listener held was appended to another's.
    HandedOver {
        /// The listener that closes.
        from: u32,
        /// The listener whose queue grew.
        to: u32,
    },
    /// A half-open request entered the established table.
    Hashed {
        /// The request's slot.
        request: u32,
        /// The listener that it is charged to.
        listener: u32,
    },
    /// A half-open request left the established table.
    Unhashed {
        /// The request's slot.
        request: u32,
    },
    /// The handshake of a fast-open connection ended.
    HandshakeEnded {
        /// The request's slot.
        request: u32,
        /// The listener that it was charged to.
        listener: u32,
    },
    /// A design of the discussion looked up, without a lock, which listener a request names.
    #[cfg(feature = "designs")]
    Named {
        /// The request's slot.
        request: u32,
        /// The listener's slot.
        listener: u32,
    },
    /// A design of the discussion made a request another listener's, or nobody's.
    #[cfg(feature = "designs")]
    Renamed {
        /// The request's slot.
        request: u32,
        /// The listener that it names now.
        listener: Option<u32>,
    },
    /// Of accept and the end of a fast-open handshake one leaves the request to the other.
    #[cfg(feature = "designs")]
    LeftToTheOther {
        /// The request's slot.
        request: u32,
        /// The listener under whose fast-open lock that was decided.
        listener: u32,
        /// Whether accept leaves it to the handshake.
        accepted: bool,
    },
    /// A whole accept queue was put before another.
    Spliced {
        /// The listener whose queue is empty now.
        from: u32,
        /// The listener whose queue grew.
        to: u32,
    },
}
