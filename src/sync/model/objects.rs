//! The atomics, locks and cells of a model, generic over the checker.

use super::super::{AtomicU32, Canary, Lock, LockTag, Nesting};
use super::run;
use super::waits;
use core::sync::atomic::{self, Ordering};
use std::sync::OnceLock;

/// A model checker's own objects.
///
/// Objects of a checker belong to one execution and cannot be made in a constant, so every wrapper
/// here makes its object in `place`, which the storage calls before anything is shared.
pub trait Engine: 'static {
    /// The checker's mutex.
    type Mutex: Send + Sync + 'static;
    /// A held mutex.
    type Held: 'static;
    /// The checker's 32-bit atomic.
    type Atomic: Send + Sync + 'static;
    /// The checker's race detector for plain memory.
    type Cell: Send + Sync + 'static;

    /// Makes a mutex.
    fn mutex() -> Self::Mutex;
    /// Takes the mutex.
    ///
    /// # Safety
    ///
    /// The mutex must outlive what is returned.
    unsafe fn lock(mutex: &Self::Mutex) -> Self::Held;
    /// Makes an atomic.
    fn atomic(value: u32) -> Self::Atomic;
    /// Loads.
    fn load(atomic: &Self::Atomic, order: Ordering) -> u32;
    /// Stores.
    fn store(atomic: &Self::Atomic, value: u32, order: Ordering);
    /// Adds.
    fn fetch_add(atomic: &Self::Atomic, n: u32, order: Ordering) -> u32;
    /// Subtracts.
    fn fetch_sub(atomic: &Self::Atomic, n: u32, order: Ordering) -> u32;
    /// Compares and exchanges.
    ///
    /// # Errors
    ///
    /// Returns the value found if it is not `current`.
    fn compare_exchange(
        atomic: &Self::Atomic,
        current: u32,
        new: u32,
        ok: Ordering,
        err: Ordering,
    ) -> Result<u32, u32>;
    /// Makes a race detector.
    fn cell() -> Self::Cell;
    /// Reads under the race detector.
    fn reading<R>(cell: &Self::Cell, f: impl FnOnce() -> R) -> R;
    /// Writes under the race detector.
    fn writing<R>(cell: &Self::Cell, f: impl FnOnce() -> R) -> R;
}

/// How much of the pieces with models of their own a model sees.
pub trait Grain: 'static {
    /// Reference counts.
    type Count<E: Engine>: AtomicU32;
    /// Locks of pieces.
    type PieceLock<E: Engine>: Lock;
    /// Race detection of what they protect.
    type PieceCanary<E: Engine>: Canary;
}

/// Every atomic and every lock is visible.
pub struct Fine;

/// Of reference counts only the beginning and the end of a life is visible, and of a slab's free
/// list nothing: each has models of its own.
pub struct Coarse;

impl Grain for Fine {
    type Count<E: Engine> = ModelAtomic<E>;
    type PieceLock<E: Engine> = ModelLock<E>;
    type PieceCanary<E: Engine> = ModelCanary<E>;
}

impl Grain for Coarse {
    type Count<E: Engine> = CoarseCount<E>;
    type PieceLock<E: Engine> = PlainLock;
    // A lock that the checker does not see orders nothing for its race detector.
    type PieceCanary<E: Engine> = ();
}

/// Runs one operation of the checker, which may run other threads meanwhile.
fn resume<R>(operation: impl FnOnce() -> R) -> R {
    let me = run::current();
    let result = operation();
    run::enter(me);
    result
}

/// An atomic that the checker schedules around.
pub struct ModelAtomic<E: Engine> {
    object: OnceLock<E::Atomic>,
    /// The value last stored, which observers read without being an access.
    newest: atomic::AtomicU32,
}

impl<E: Engine> ModelAtomic<E> {
    fn object(&self) -> &E::Atomic {
        self.object.get().expect("an atomic is placed before it is shared")
    }

    fn write<R>(&self, operation: impl FnOnce(&E::Atomic) -> (R, Option<u32>)) -> R {
        let (result, stored) = resume(|| operation(self.object()));
        if let Some(value) = stored {
            self.newest.store(value, Ordering::Relaxed);
            run::notify();
        }
        result
    }
}

impl<E: Engine> AtomicU32 for ModelAtomic<E> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const ZERO: Self = Self { object: OnceLock::new(), newest: atomic::AtomicU32::new(0) };

    fn place(&mut self, value: u32) {
        self.object = OnceLock::from(E::atomic(value));
        self.newest = atomic::AtomicU32::new(value);
    }
    fn load(&self, order: Ordering) -> u32 {
        resume(|| E::load(self.object(), order))
    }
    fn store(&self, value: u32, order: Ordering) {
        self.write(|a| (E::store(a, value, order), Some(value)));
    }
    fn fetch_add(&self, n: u32, order: Ordering) -> u32 {
        self.write(|a| {
            let before = E::fetch_add(a, n, order);
            (before, Some(before.wrapping_add(n)))
        })
    }
    fn fetch_sub(&self, n: u32, order: Ordering) -> u32 {
        self.write(|a| {
            let before = E::fetch_sub(a, n, order);
            (before, Some(before.wrapping_sub(n)))
        })
    }
    fn compare_exchange(&self, current: u32, new: u32, ok: Ordering, err: Ordering) -> Result<u32, u32> {
        self.write(|a| {
            let result = E::compare_exchange(a, current, new, ok, err);
            (result, result.is_ok().then_some(new))
        })
    }
    fn peek(&self) -> u32 {
        self.newest.load(Ordering::Relaxed)
    }
}

/// A reference count of a coarse model.
///
/// Counting up and down between one and many commutes, and no branch depends on its order. What
/// does matter is whether somebody who holds nothing gets a reference before the last one is gone:
/// taking from "unless zero", dropping the last and publishing the first are scheduling points.
/// Which of two holders drops last is not explored.
pub struct CoarseCount<E: Engine> {
    count: PlainAtomic,
    life: ModelAtomic<E>,
}

impl<E: Engine> CoarseCount<E> {
    /// A life begins or ends: others may run before, and who looks later sees what was before.
    fn turn(&self) {
        self.life.fetch_add(1, Ordering::AcqRel);
    }

    /// Looks whether a life ended: others may run before, and what ended it is seen.
    fn look(&self) {
        // A load, so that two who look are not in each other's way. It may return an old value,
        // which the count, kept in one place, never does.
        if self.life.load(Ordering::Acquire) != self.life.peek() {
            self.turn();
        }
    }
}

impl<E: Engine> AtomicU32 for CoarseCount<E> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const ZERO: Self = Self { count: PlainAtomic::ZERO, life: ModelAtomic::ZERO };

    fn place(&mut self, value: u32) {
        self.count.place(value);
        self.life.place(0);
    }
    fn load(&self, order: Ordering) -> u32 {
        self.count.load(order)
    }
    fn store(&self, value: u32, order: Ordering) {
        self.turn();
        self.count.store(value, order);
    }
    fn fetch_add(&self, n: u32, order: Ordering) -> u32 {
        self.count.fetch_add(n, order)
    }
    fn fetch_sub(&self, n: u32, order: Ordering) -> u32 {
        if self.count.peek() <= n {
            self.turn();
        }
        // Somebody may have taken a reference meanwhile: count again, with nobody between.
        self.count.fetch_sub(n, order)
    }
    fn compare_exchange(&self, current: u32, new: u32, ok: Ordering, err: Ordering) -> Result<u32, u32> {
        self.turn();
        self.count.compare_exchange(current, new, ok, err)
    }
    fn peek(&self) -> u32 {
        self.count.peek()
    }
    fn inc_unless_zero(&self) -> bool {
        self.look();
        self.count.inc_unless_zero()
    }
}

/// An atomic that a model does not see: no scheduling point.
pub struct PlainAtomic(atomic::AtomicU32);

impl AtomicU32 for PlainAtomic {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const ZERO: Self = Self(atomic::AtomicU32::new(0));

    fn place(&mut self, value: u32) {
        *self.0.get_mut() = value;
    }
    fn load(&self, order: Ordering) -> u32 {
        self.0.load(order)
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
        self.0.load(Ordering::Relaxed)
    }
}

/// The checker's mutex, which knows its name, its holder and who waits.
pub struct ModelLock<E: Engine>(OnceLock<E::Mutex>);

// SAFETY: exclusion and publication are the checker's mutex's.
unsafe impl<E: Engine> Lock for ModelLock<E> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self(OnceLock::new());
    type GuardState = E::Held;

    fn place(&mut self) {
        self.0 = OnceLock::from(E::mutex());
    }

    #[track_caller]
    fn lock(&self, tag: LockTag, nesting: Nesting) -> E::Held {
        let mutex = self.0.get().expect("a lock is placed before it is shared");
        waits::wants(tag, nesting);
        // SAFETY: the guard made from this borrows the lock until it calls `unlock`.
        let held = resume(|| unsafe { E::lock(mutex) });
        waits::gets(tag);
        held
    }

    #[track_caller]
    unsafe fn unlock(&self, tag: LockTag, held: E::Held) {
        waits::releases(tag);
        resume(|| drop(held));
        run::notify();
    }
}

/// A lock of a coarse model: its critical sections contain no scheduling point, so nobody waits.
pub struct PlainLock(atomic::AtomicBool);

// SAFETY: an execution runs on one OS thread, and `lock` panics instead of letting a second holder
// in; a critical section without scheduling points never meets one.
unsafe impl Lock for PlainLock {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self(atomic::AtomicBool::new(false));
    type GuardState = ();

    fn place(&mut self) {}

    fn lock(&self, tag: LockTag, _nesting: Nesting) {
        let taken = self.0.swap(true, Ordering::Acquire);
        assert!(!taken, "{}({}) has a scheduling point in its critical section", tag.class, tag.key);
    }

    unsafe fn unlock(&self, _tag: LockTag, (): ()) {
        self.0.store(false, Ordering::Release);
    }
}

/// The checker's race detector beside a cell.
pub struct ModelCanary<E: Engine>(OnceLock<E::Cell>);

impl<E: Engine> Canary for ModelCanary<E> {
    const INIT: Self = Self(OnceLock::new());

    fn place(&mut self) {
        self.0 = OnceLock::from(E::cell());
    }
    fn reading<R>(&self, f: impl FnOnce() -> R) -> R {
        E::reading(self.0.get().expect("a cell is placed before it is shared"), f)
    }
    fn writing<R>(&self, f: impl FnOnce() -> R) -> R {
        E::writing(self.0.get().expect("a cell is placed before it is shared"), f)
    }
}

/// Implements [`Backend`](super::super::Backend) for a checker's back end of grain `G`.
macro_rules! model_backend {
    ($backend:ident, $engine:ty) => {
        impl<G: Grain> Backend for $backend<G> {
            type AtomicU32 = ModelAtomic<$engine>;
            type Count = G::Count<$engine>;
            type Stat = crate::sync::model::PlainAtomic;
            type Lock = ModelLock<$engine>;
            type PieceLock = G::PieceLock<$engine>;
            type Canary = ModelCanary<$engine>;
            type PieceCanary = G::PieceCanary<$engine>;

            fn planted(fault: Fault) -> bool {
                run::planted(fault)
            }

            #[track_caller]
            fn trace(event: Event) {
                run::record(What::Step(event));
            }
        }

        // SAFETY: the checker runs all threads on one OS thread and switches only in operations on
        // its own objects.
        unsafe impl<G: Grain> ModelBackend for $backend<G> {}
    };
}
pub(super) use model_backend;
