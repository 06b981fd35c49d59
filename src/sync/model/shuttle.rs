//! shuttle: random schedules of large worlds, sequentially consistent, each one replayable.

use super::super::{Backend, Event, Fault, ModelBackend};
use super::grain::{Coarse, Grain};
use super::objects::{Engine, ModelAtomic, ModelCanary, ModelLock, model_backend};
use super::run::{self, What};
use core::marker::PhantomData;
use core::sync::atomic::Ordering;
use shuttle::sync::MutexGuard;

/// The shuttle back end; `G` says whether counts and slabs are visible step by step.
pub struct Shuttle<G = Coarse>(PhantomData<fn() -> G>);

/// shuttle's objects.
pub struct ShuttleEngine;

model_backend!(Shuttle, ShuttleEngine);

impl Engine for ShuttleEngine {
    type Mutex = shuttle::sync::Mutex<()>;
    type Held = MutexGuard<'static, ()>;
    type Atomic = shuttle::sync::atomic::AtomicU32;
    // shuttle has no race detector: data races are loom's part.
    type Cell = ();

    fn mutex() -> Self::Mutex {
        shuttle::sync::Mutex::new(())
    }
    unsafe fn lock(mutex: &Self::Mutex) -> Self::Held {
        let held = mutex.lock().expect("no thread panics while it holds a model lock");
        // SAFETY: only the lifetime changes, and the caller keeps the mutex alive.
        unsafe { core::mem::transmute::<MutexGuard<'_, ()>, MutexGuard<'static, ()>>(held) }
    }
    fn atomic(value: u32) -> Self::Atomic {
        shuttle::sync::atomic::AtomicU32::new(value)
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
    fn cell() -> Self::Cell {}
    fn reading<R>((): &Self::Cell, f: impl FnOnce() -> R) -> R {
        f()
    }
    fn writing<R>((): &Self::Cell, f: impl FnOnce() -> R) -> R {
        f()
    }
}
