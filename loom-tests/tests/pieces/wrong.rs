//! Back ends with one part that is deliberately wrong: what the controls run on.
//!
//! The code under test is the crate's own, unchanged. Only the part of the back end that it stands
//! on is exchanged, so that each control says what exactly the crate relies on.

use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use rskq::sync::{AtomicU32, Backend, Canary, Fault, Lock, LockTag, ModelBackend, Nesting};
use std::marker::PhantomData;
use std::sync::atomic::Ordering;

type Count = <Loom<Fine> as Backend>::Count;
type FineLock = <Loom<Fine> as Backend>::Lock;
type Stat = <Loom<Fine> as Backend>::Stat;
type FineCanary = <Loom<Fine> as Backend>::Canary;

type Piece = <Loom<Fine> as Backend>::PieceAtomicU32;

type Parts<C, L, S, Y, P> = PhantomData<fn() -> (C, L, S, Y, P)>;

/// `Loom<Fine>` with another reference count, lock, statistic, race detector or atomic of a piece.
pub(crate) struct With<C = Count, L = FineLock, S = Stat, Y = FineCanary, P = Piece>(Parts<C, L, S, Y, P>);

impl<C: AtomicU32, L: Lock, S: AtomicU32, Y: Canary, P: AtomicU32> Backend for With<C, L, S, Y, P> {
    type AtomicU32 = <Loom<Fine> as Backend>::AtomicU32;
    type PieceAtomicU32 = P;
    type Count = C;
    type Stat = S;
    type Lock = L;
    type PieceLock = L;
    type Canary = Y;
    type PieceCanary = Y;

    const SOCKS_SHIFT: u32 = Loom::<Fine>::SOCKS_SHIFT;

    fn planted(fault: Fault) -> bool {
        Loom::<Fine>::planted(fault)
    }
}

// SAFETY: loom runs all threads on one OS thread and switches only in operations on its own objects;
// parts that are not its objects switch nowhere.
unsafe impl<C: AtomicU32, L: Lock, S: AtomicU32, Y: Canary, P: AtomicU32> ModelBackend
    for With<C, L, S, Y, P>
{
}

/// A lock that does not exclude.
pub(crate) type Unlocked = With<Count, NoLock>;
/// A lock that does not exclude, steps in what it should protect, and no race detector there.
pub(crate) type UnlockedUnwatched = With<Count, NoLock, Step, ()>;
/// A reference count that is wrong in one way, and no race detector on what it should protect.
pub(crate) type Unwatched<D> = With<Wrong<D>, FineLock, Stat, ()>;
/// Places of groups, and groups of members, of which a reader gets the first value for ever.
pub(crate) type FirstForever = With<Count, FineLock, Stat, FineCanary, First>;

/// What is wrong with a [`Wrong`] count.
pub(crate) trait Deviation: 'static {
    /// The increment-unless-zero is a load and then an addition.
    const TORN_INCREMENT: bool = false;
    /// The store that publishes an object publishes nothing.
    const RELAXED_STORE: bool = false;
    /// Dropping a reference neither releases nor acquires.
    const RELAXED_DECREMENT: bool = false;
    /// Generations are not counted.
    const NO_GENERATIONS: bool = false;
}

/// See [`Deviation::TORN_INCREMENT`].
pub(crate) struct TornIncrement;
impl Deviation for TornIncrement {
    const TORN_INCREMENT: bool = true;
}

/// See [`Deviation::RELAXED_STORE`].
pub(crate) struct RelaxedStore;
impl Deviation for RelaxedStore {
    const RELAXED_STORE: bool = true;
}

/// See [`Deviation::RELAXED_DECREMENT`].
pub(crate) struct RelaxedDecrement;
impl Deviation for RelaxedDecrement {
    const RELAXED_DECREMENT: bool = true;
}

/// See [`Deviation::NO_GENERATIONS`].
pub(crate) struct NoGenerations;
impl Deviation for NoGenerations {
    const NO_GENERATIONS: bool = true;
}

/// A reference count that is wrong in one way.
pub(crate) struct Wrong<D>(Count, PhantomData<fn() -> D>);

impl<D: Deviation> AtomicU32 for Wrong<D> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const ZERO: Self = Self(Count::ZERO, PhantomData);

    fn place(&mut self, value: u32) {
        self.0.place(value);
    }
    fn load(&self, order: Ordering) -> u32 {
        self.0.load(order)
    }
    fn store(&self, value: u32, order: Ordering) {
        self.0.store(value, if D::RELAXED_STORE { Ordering::Relaxed } else { order });
    }
    fn fetch_add(&self, n: u32, order: Ordering) -> u32 {
        self.0.fetch_add(n, order)
    }
    fn bump(&self) {
        // Generations are all that is bumped.
        if !D::NO_GENERATIONS {
            self.0.bump();
        }
    }
    fn fetch_sub(&self, n: u32, order: Ordering) -> u32 {
        self.0.fetch_sub(n, if D::RELAXED_DECREMENT { Ordering::Relaxed } else { order })
    }
    fn compare_exchange(&self, current: u32, new: u32, ok: Ordering, err: Ordering) -> Result<u32, u32> {
        self.0.compare_exchange(current, new, ok, err)
    }
    fn peek(&self) -> u32 {
        self.0.peek()
    }
    fn inc_unless_zero(&self) -> bool {
        if !D::TORN_INCREMENT {
            return self.0.inc_unless_zero();
        }
        let there = self.0.load(Ordering::Acquire) != 0;
        if there {
            self.0.fetch_add(1, Ordering::Acquire);
        }
        there
    }
}

/// An atomic whose loads return what was stored first; only its writers, who peek, know better.
pub(crate) struct First(Piece, std::sync::atomic::AtomicU32);

impl AtomicU32 for First {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const ZERO: Self = Self(Piece::ZERO, std::sync::atomic::AtomicU32::new(u32::MAX));

    fn place(&mut self, value: u32) {
        self.0.place(value);
        *self.1.get_mut() = u32::MAX;
    }
    fn load(&self, order: Ordering) -> u32 {
        let now = self.0.load(order);
        let first = self.1.load(Ordering::Relaxed);
        if first == u32::MAX { now } else { first }
    }
    fn store(&self, value: u32, order: Ordering) {
        let _ = self.1.compare_exchange(u32::MAX, value, Ordering::Relaxed, Ordering::Relaxed);
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
        self.0.peek()
    }
}

/// A statistic at which a model may run another thread.
///
/// A load is an addition of nothing: loom tries both orders only of accesses of which one writes.
pub(crate) struct Step(<Loom<Fine> as Backend>::AtomicU32);

impl AtomicU32 for Step {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const ZERO: Self = Self(AtomicU32::ZERO);

    fn place(&mut self, value: u32) {
        self.0.place(value);
    }
    fn load(&self, order: Ordering) -> u32 {
        self.fetch_add(0, order)
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
        self.0.peek()
    }
}

/// A lock that lets everybody in.
pub(crate) struct NoLock;

// SAFETY: none, that is what is wrong with it. All threads of a model run on one OS thread, and a
// critical section with a race detector ends the execution before a second holder gets to the data;
// without a detector it is used over integers only, which no reference outlives a step to.
unsafe impl Lock for NoLock {
    const INIT: Self = Self;
    type GuardState = ();

    fn place(&mut self) {}
    fn lock(&self, _tag: LockTag, _nesting: Nesting) {}
    unsafe fn unlock(&self, _tag: LockTag, (): ()) {}
}

/// A lock that excludes, made of one atomic; `PUBLISHES` says whether its orderings are right.
///
/// It spins, which loom bears with two threads.
pub(crate) struct SpinLock<const PUBLISHES: bool>(<Loom<Fine> as Backend>::AtomicU32);

// SAFETY: one exchange of 0 for 1 succeeds between two stores of 0. With `PUBLISHES` they acquire
// and release; without they do not, which is what is wrong with it: on the one OS thread of a model
// nothing needs publishing, but the race detector misses it.
unsafe impl<const PUBLISHES: bool> Lock for SpinLock<PUBLISHES> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self(AtomicU32::ZERO);
    type GuardState = ();

    fn place(&mut self) {
        self.0.place(0);
    }
    fn lock(&self, _tag: LockTag, _nesting: Nesting) {
        let order = if PUBLISHES { Ordering::Acquire } else { Ordering::Relaxed };
        while self.0.compare_exchange(0, 1, order, Ordering::Relaxed).is_err() {
            loom::thread::yield_now();
        }
    }
    unsafe fn unlock(&self, _tag: LockTag, (): ()) {
        self.0.store(0, if PUBLISHES { Ordering::Release } else { Ordering::Relaxed });
    }
}
