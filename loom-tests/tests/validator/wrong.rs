//! Back ends with one part that is deliberately wrong: what the controls run on.

use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use rskq::sync::{AtomicU32, Backend, Lock, LockTag, Nesting};
use std::marker::PhantomData;
use std::sync::atomic::Ordering;

type Right = Loom<Fine>;
type Word = <Right as Backend>::PieceAtomicU32;

/// `Loom<Fine>` with another word or another lock.
pub(crate) struct With<A, L>(PhantomData<fn() -> (A, L)>);

impl<A: AtomicU32, L: Lock> Backend for With<A, L> {
    type AtomicU32 = <Right as Backend>::AtomicU32;
    type PieceAtomicU32 = A;
    type Count = <Right as Backend>::Count;
    type Stat = <Right as Backend>::Stat;
    type Lock = <Right as Backend>::Lock;
    type PieceLock = L;
    type Canary = <Right as Backend>::Canary;
    type PieceCanary = <Right as Backend>::PieceCanary;

    const SOCKS_SHIFT: u32 = Right::SOCKS_SHIFT;
}

impl<A: AtomicU32, L: Lock> crate::Threads for With<A, L> {}

/// Words of which the newest value is never seen, even under the lock.
pub(crate) type Stale = With<Odd<true, false>, <Right as Backend>::Lock>;
/// Words that each reader writes.
pub(crate) type Counting = With<Odd<false, true>, <Right as Backend>::Lock>;
/// A lock that everybody gets.
pub(crate) type Unexcluded = With<Word, OddLock<false>>;
/// A lock that one at a time gets, and that orders nothing.
pub(crate) type Unpublished = With<Word, OddLock<true>>;

/// A word whose newest value is hidden, or whose readers write.
pub(crate) struct Odd<const HIDDEN: bool, const COUNTED: bool>(Word);

impl<const HIDDEN: bool, const COUNTED: bool> AtomicU32 for Odd<HIDDEN, COUNTED> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const ZERO: Self = Self(Word::ZERO);

    fn place(&mut self, value: u32) {
        self.0.place(value);
    }
    fn load(&self, order: Ordering) -> u32 {
        if COUNTED { self.0.fetch_add(0, order) } else { self.0.load(order) }
    }
    fn store(&self, value: u32, order: Ordering) {
        self.0.store(value, order);
    }
    fn fetch_add(&self, n: u32, order: Ordering) -> u32 {
        self.0.fetch_add(n, order)
    }
    fn fetch_sub(&self, n: u32, order: Ordering) -> u32 {
        self.0.fetch_sub(n, order)
    }
    fn compare_exchange(&self, current: u32, new: u32, ok: Ordering, err: Ordering) -> Result<u32, u32> {
        self.0.compare_exchange(current, new, ok, err)
    }
    fn peek(&self) -> u32 {
        if HIDDEN { 0 } else { self.0.peek() }
    }
}

/// A lock that excludes or does not, and in neither case publishes.
pub(crate) struct OddLock<const EXCLUDES: bool>(Word);

// SAFETY: none, that is what is wrong with it. All threads of a model run on one OS thread, and the
// race detector of what it guards ends the execution before a second holder gets to it.
unsafe impl<const EXCLUDES: bool> Lock for OddLock<EXCLUDES> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self(Word::ZERO);
    type GuardState = ();

    fn place(&mut self) {
        self.0.place(0);
    }
    fn lock(&self, _tag: LockTag, _nesting: Nesting) {
        let relaxed = Ordering::Relaxed;
        while EXCLUDES && self.0.compare_exchange(0, 1, relaxed, relaxed).is_err() {
            loom::thread::yield_now();
        }
    }
    unsafe fn unlock(&self, _tag: LockTag, (): ()) {
        self.0.store(0, Ordering::Relaxed);
    }
}
