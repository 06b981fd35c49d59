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
