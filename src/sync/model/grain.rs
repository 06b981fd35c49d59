//! How fine a model is: what of counts, slabs and statistics the checker sees.

use super::super::{AtomicU32, Canary, Lock, LockTag, Nesting};
use super::objects::{Engine, ModelAtomic, ModelCanary, ModelLock};
use super::run;
use core::sync::atomic::{self, Ordering};

/// How much of the pieces with models of their own a model sees.
pub trait Grain: 'static {
    /// Atomics of pieces.
    type PieceAtomicU32<E: Engine>: AtomicU32;
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
    type PieceAtomicU32<E: Engine> = ModelAtomic<E>;
    type Count<E: Engine> = ModelAtomic<E>;
    type PieceLock<E: Engine> = ModelLock<E>;
    type PieceCanary<E: Engine> = ModelCanary<E>;
}

impl Grain for Coarse {
    type PieceAtomicU32<E: Engine> = PlainAtomic;
    type Count<E: Engine> = CoarseCount<E>;
    type PieceLock<E: Engine> = PlainLock;
    // A lock that the checker does not see orders nothing for its race detector.
    type PieceCanary<E: Engine> = ();
}

/// Threads of a coarse model, without the one that sets it up.
const THREADS: usize = 4;

/// A reference count of a coarse model.
///
/// Counting up and down between one and many commutes, and no branch depends on its order. What
/// does matter is whether somebody who holds nothing gets a reference before the last one is gone:
/// taking from "unless zero", dropping the last and publishing the first are scheduling points.
/// Which of two holders drops last is not explored.
///
/// Each thread looks at a word of its own, and who ends or begins a life writes the words of all
/// others. So two who look are not in each other's way, and nobody writes a word that it loads:
/// loom remembers only the last access to an object, so that a thread's own load would hide an
/// earlier load of another thread from the store that follows.
pub struct CoarseCount<E: Engine> {
    count: PlainAtomic,
    lives: [ModelAtomic<E>; THREADS],
}

impl<E: Engine> CoarseCount<E> {
    /// Returns the word of the running thread; the one that sets a model up runs alone.
    fn mine() -> Option<usize> {
        Some(usize::from(run::current()).checked_sub(1)? % THREADS)
    }

    /// A life begins or ends: others may run before, and who looks later sees what was before.
    fn turn(&self) {
        for (thread, life) in self.lives.iter().enumerate() {
            if Self::mine() != Some(thread) {
                life.fetch_add(1, Ordering::AcqRel);
            }
        }
    }

    /// Looks whether a life ended: others may run before, and what ended it is seen.
    fn look(&self) {
        let Some(life) = Self::mine().map(|mine| &self.lives[mine]) else { return };
        // A load may return an old value, which the count, kept in one place, never does.
        if life.load(Ordering::Acquire) != life.peek() {
            life.fetch_add(0, Ordering::AcqRel);
        }
    }
}

impl<E: Engine> AtomicU32 for CoarseCount<E> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const ZERO: Self = Self { count: PlainAtomic::ZERO, lives: [const { ModelAtomic::ZERO }; THREADS] };

    fn place(&mut self, value: u32) {
        self.count.place(value);
        self.lives.iter_mut().for_each(|life| life.place(0));
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
