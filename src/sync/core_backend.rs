//! The back end that ships: `core` atomics and the embedder's raw lock.

use super::{AtomicU32, Backend, Lock, LockTag, Nesting, RawLock};
use core::marker::PhantomData;
use core::sync::atomic::{self, Ordering};

/// Real hardware, with `R` as the lock. (`Core<spin::Mutex<()>>` is [`DefaultBackend`](crate::DefaultBackend).)
pub struct Core<R>(PhantomData<fn() -> R>);

impl<R: RawLock> Backend for Core<R> {
    type AtomicU32 = atomic::AtomicU32;
    type PieceAtomicU32 = atomic::AtomicU32;
    type Count = atomic::AtomicU32;
    type Stat = atomic::AtomicU32;
    type Lock = CoreLock<R>;
    type PieceLock = CoreLock<R>;
    type Canary = ();
    type PieceCanary = ();

    const SOCKS_SHIFT: u32 = 6;
}

impl AtomicU32 for atomic::AtomicU32 {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const ZERO: Self = atomic::AtomicU32::new(0);

    #[inline]
    fn place(&mut self, value: u32) {
        *self.get_mut() = value;
    }
    #[inline]
    fn load(&self, order: Ordering) -> u32 {
        self.load(order)
    }
    #[inline]
    fn store(&self, value: u32, order: Ordering) {
        self.store(value, order);
    }
    #[inline]
    fn fetch_add(&self, n: u32, order: Ordering) -> u32 {
        self.fetch_add(n, order)
    }
    #[inline]
    fn fetch_sub(&self, n: u32, order: Ordering) -> u32 {
        self.fetch_sub(n, order)
    }
    #[inline]
    fn compare_exchange(&self, current: u32, new: u32, ok: Ordering, err: Ordering) -> Result<u32, u32> {
        self.compare_exchange(current, new, ok, err)
    }
    #[inline]
    fn peek(&self) -> u32 {
        self.load(Ordering::Relaxed)
    }
}

/// A [`RawLock`] as the lock classes see it: the tag costs nothing here.
pub struct CoreLock<R>(R);

// SAFETY: exclusion and publication are `RawLock`'s contract.
unsafe impl<R: RawLock> Lock for CoreLock<R> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = CoreLock(R::INIT);
    type GuardState = R::GuardState;

    #[inline(always)]
    fn place(&mut self) {}

    #[inline(always)]
    fn lock(&self, _tag: LockTag, _nesting: Nesting) -> R::GuardState {
        self.0.lock()
    }

    #[inline(always)]
    unsafe fn unlock(&self, _tag: LockTag, state: R::GuardState) {
        // SAFETY: the caller holds the lock through the acquisition that made `state`.
        unsafe { self.0.unlock(state) }
    }
}
