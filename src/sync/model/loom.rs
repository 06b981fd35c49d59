//! loom: every interleaving, with the release and acquire orderings of the C11 model.

use super::super::{Backend, Event, Fault, ModelBackend};
use super::grain::{Coarse, Grain};
use super::objects::{Engine, ModelAtomic, ModelCanary, ModelLock, model_backend};
use super::run::{self, What};
use core::marker::PhantomData;
use core::sync::atomic::Ordering;
use loom::sync::MutexGuard;

/// The loom back end; `G` says whether counts and slabs are visible step by step.
pub struct Loom<G = Coarse>(PhantomData<fn() -> G>);

/// loom's objects.
pub struct LoomEngine;

/// loom's detector of data races. It holds no data: it only sees accesses begin and end.
pub struct RaceDetector(loom::cell::UnsafeCell<()>);

// SAFETY: the content is `()`, and an execution runs on one OS thread; concurrent access between a
// model's threads is what loom is to find, not what memory safety hangs on.
unsafe impl Sync for RaceDetector {}

model_backend!(Loom, LoomEngine);

impl Engine for LoomEngine {
    type Mutex = loom::sync::Mutex<()>;
    type Held = MutexGuard<'static, ()>;
    type Atomic = loom::sync::atomic::AtomicU32;
    type Cell = RaceDetector;

    fn mutex() -> Self::Mutex {
        loom::sync::Mutex::new(())
    }
    unsafe fn lock(mutex: &Self::Mutex) -> Self::Held {
        let held = mutex.lock().expect("no thread panics while it holds a model lock");
        // SAFETY: only the lifetime changes, and the caller keeps the mutex alive.
        unsafe { core::mem::transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(held) }
    }
    fn atomic(value: u32) -> Self::Atomic {
        loom::sync::atomic::AtomicU32::new(value)
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
    fn cell() -> Self::Cell {
        RaceDetector(loom::cell::UnsafeCell::new(()))
    }
    fn reading<R>(cell: &Self::Cell, f: impl FnOnce() -> R) -> R {
        cell.0.with(|_| f())
    }
    fn writing<R>(cell: &Self::Cell, f: impl FnOnce() -> R) -> R {
        cell.0.with_mut(|_| f())
    }
}
