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
    type Cell: Detector;

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
}

/// A checker's detector of data races.
pub trait Detector: Send + Sync + 'static {
    /// Makes one.
    fn new() -> Self;
    /// Runs `f` as a read.
    fn reading<R>(&self, f: impl FnOnce() -> R) -> R;
    /// Runs `f` as a write.
    fn writing<R>(&self, f: impl FnOnce() -> R) -> R;
}

/// A checker without one.
impl Detector for () {
    fn new() {}
    fn reading<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
    fn writing<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
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
        self.0 = OnceLock::from(E::Cell::new());
    }
    fn reading<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.get().expect("a cell is placed before it is shared").reading(f)
    }
    fn writing<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.get().expect("a cell is placed before it is shared").writing(f)
    }
}

/// Makes a checker's crate an [`Engine`] and its back end of grain `G` a
/// [`Backend`](super::super::Backend): the checkers' mutexes and atomics have the same faces.
macro_rules! model_backend {
    ($backend:ident, $engine:ident, $checker:ident, $cell:ty) => {
        impl $crate::sync::model::Engine for $engine {
            type Mutex = $checker::sync::Mutex<()>;
            type Held = $checker::sync::MutexGuard<'static, ()>;
            type Atomic = $checker::sync::atomic::AtomicU32;
            type Cell = $cell;

            fn mutex() -> Self::Mutex {
                $checker::sync::Mutex::new(())
            }
            unsafe fn lock(mutex: &Self::Mutex) -> Self::Held {
                let held = mutex.lock().expect("no thread panics while it holds a model lock");
                // SAFETY: only the lifetime changes, and the caller keeps the mutex alive.
                unsafe { core::mem::transmute::<$checker::sync::MutexGuard<'_, ()>, Self::Held>(held) }
            }
            fn atomic(value: u32) -> Self::Atomic {
                Self::Atomic::new(value)
            }
            fn load(atomic: &Self::Atomic, order: Ordering) -> u32 {
                atomic.load(order)
            }
            fn store(atomic: &Self::Atomic, value: u32, order: Ordering) {
                atomic.store(value, order);
            }
            fn fetch_add(atomic: &Self::Atomic, n: u32, order: Ordering) -> u32 {
                atomic.fetch_add(n, order)
            }
            fn fetch_sub(atomic: &Self::Atomic, n: u32, order: Ordering) -> u32 {
                atomic.fetch_sub(n, order)
            }
            fn compare_exchange(
                atomic: &Self::Atomic,
                current: u32,
                new: u32,
                ok: Ordering,
                err: Ordering,
            ) -> Result<u32, u32> {
                atomic.compare_exchange(current, new, ok, err)
            }
        }

        impl<G: Grain> $crate::sync::Backend for $backend<G> {
            type AtomicU32 = $crate::sync::model::ModelAtomic<$engine>;
            type PieceAtomicU32 = G::PieceAtomicU32<$engine>;
            type Count = G::Count<$engine>;
            type Stat = $crate::sync::model::PlainAtomic;
            type Lock = $crate::sync::model::ModelLock<$engine>;
            type PieceLock = G::PieceLock<$engine>;
            type Canary = $crate::sync::model::ModelCanary<$engine>;
            type PieceCanary = G::PieceCanary<$engine>;

            const SOCKS_SHIFT: u32 = 1;

            fn planted(fault: $crate::sync::Fault) -> bool {
                $crate::sync::model::run::planted(fault)
            }

            #[track_caller]
            fn trace(event: $crate::sync::Event) {
                $crate::sync::model::run::record($crate::sync::model::What::Step(event));
            }

            #[cfg(feature = "designs")]
            fn violated(property: &'static str, text: &'static str, slot: u32) {
                $crate::sync::model::run::finding(property, || alloc::format!("{text}: slot {slot}"));
            }
        }

        // SAFETY: the checker runs all threads on one OS thread and switches only in operations on
        // its own objects.
        unsafe impl<G: Grain> $crate::sync::ModelBackend for $backend<G> {}
    };
}
pub(super) use model_backend;
