//! A raw lock over the `critical-section` crate.

use super::RawLock;
use core::sync::atomic::{AtomicBool, Ordering};

/// A lock for a program that has one critical section: whatever its implementation of `critical-section`
/// excludes, other interrupts or other cores as well, is excluded while it is held.
///
/// All locks of this type are one as far as waiting goes. Which of them is held is remembered all the same,
/// so that two holders of one are impossible even if somebody ends a critical section that is not the last
/// that began. The stack ends its own in the reverse order in which they began, as `critical-section`
/// demands; who uses a [`lockdep::Mutex`](crate::lockdep::Mutex) over this lock has to drop its guards in
/// that order, and no guard may outlive a [`critical_section::with`](::critical_section::with) in which it
/// was made.
pub struct CriticalSection {
    held: AtomicBool,
}

// SAFETY: `held` is looked at and changed in a critical section only, so that each look sees the last change.
// Who finds it set does not return, and until `unlock` it is set.
unsafe impl RawLock for CriticalSection {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self { held: AtomicBool::new(false) };
    type GuardState = ::critical_section::RestoreState;

    #[inline]
    fn lock(&self) -> Self::GuardState {
        // SAFETY: `unlock` releases it once, in this context, and where it nests in the reverse order; if
        // the lock is held it is released here.
        let state = unsafe { ::critical_section::acquire() };
        if self.held.load(Ordering::Relaxed) {
            // SAFETY: acquired above, and nothing since.
            unsafe { ::critical_section::release(state) };
            panic!("a lock is wanted by the context that holds it");
        }
        self.held.store(true, Ordering::Relaxed);
        state
    }

    #[inline]
    unsafe fn unlock(&self, state: Self::GuardState) {
        self.held.store(false, Ordering::Relaxed);
        // SAFETY: `state` is of the `acquire` of the caller's `lock`, in the same context.
        unsafe { ::critical_section::release(state) }
    }
}
