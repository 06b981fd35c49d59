//! Locks as embedders have them, where no crate that runs here brings one.

use crate::cpu::{local_irq_restore, local_irq_save};
use rskq::sync::RawLock;
use std::cell::Cell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, Ordering};

/// Keeps the interrupt flags of an acquisition with the guard.
pub(crate) struct IrqSave(AtomicBool);

// SAFETY: the swap from `false` to `true` succeeds once between two unlocks, with acquire ordering, and
// `unlock` stores with release ordering.
unsafe impl RawLock for IrqSave {
    const INIT: Self = Self(AtomicBool::new(false));
    type GuardState = bool;

    fn lock(&self) -> bool {
        let flags = local_irq_save();
        while self.0.swap(true, Ordering::Acquire) {
            spin_loop();
        }
        flags
    }

    unsafe fn unlock(&self, flags: bool) {
        self.0.store(false, Ordering::Release);
        local_irq_restore(flags);
    }
}

/// Keeps the interrupt flags of its acquisition in itself: `lock_api` 0.4 has no other place.
pub(crate) struct RawInterruptMutex<R> {
    inner: R,
    flags: Cell<bool>,
}

// SAFETY: `flags` is touched by who holds `inner` only.
unsafe impl<R: Sync> Sync for RawInterruptMutex<R> {}

// SAFETY: exclusion is `inner`'s.
unsafe impl<R: lock_api::RawMutex> lock_api::RawMutex for RawInterruptMutex<R> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self { inner: R::INIT, flags: Cell::new(false) };
    type GuardMarker = lock_api::GuardNoSend;

    fn lock(&self) {
        let flags = local_irq_save();
        self.inner.lock();
        // Not before: until here they are the flags of who holds it.
        self.flags.set(flags);
    }

    fn try_lock(&self) -> bool {
        let flags = local_irq_save();
        let taken = self.inner.try_lock();
        match taken {
            true => self.flags.set(flags),
            false => local_irq_restore(flags),
        }
        taken
    }

    unsafe fn unlock(&self) {
        let flags = self.flags.get();
        // SAFETY: the caller holds the lock in this context.
        unsafe { self.inner.unlock() };
        local_irq_restore(flags);
    }
}

/// A cell: who uses it promises that there is one thread, and no interrupt that calls the stack.
pub(crate) struct OneThread(Cell<bool>);

// SAFETY: the program has one thread. Here: each stack on it is made, used and dropped by one test.
unsafe impl Sync for OneThread {}

// SAFETY: `lock` does not return while it is held.
unsafe impl RawLock for OneThread {
    const INIT: Self = Self(Cell::new(false));
    type GuardState = ();

    fn lock(&self) {
        assert!(!self.0.replace(true), "a lock is wanted by the context that holds it");
    }

    unsafe fn unlock(&self, (): ()) {
        self.0.set(false);
    }
}
