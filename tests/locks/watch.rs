//! A lock around a lock that notices when that one is broken, before anything is reached through it.

use crate::cpu;
use rskq::sync::RawLock;
use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// How many locks the stack holds at most.
const DEEPEST: usize = 4;

std::thread_local! {
    /// The locks that this context holds, by address, the last at the end.
    static HELD: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    static TAKEN: Cell<u32> = const { Cell::new(0) };
}

/// `R`, watched: that one context at a time holds it, that none waits for itself, and that what was taken
/// last is released first, without which saved interrupt flags mean nothing; and how deep locks nest.
pub(crate) struct Watched<R> {
    inner: R,
    held: AtomicBool,
}

impl<R> Watched<R> {
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl<R: RawLock> Watched<R> {
    /// Who unwinds gives back what it has, and must not panic once more: it waits, whatever the lock does.
    fn lock_unwinding(&self) -> R::GuardState {
        let state = self.inner.lock();
        while self.held.swap(true, Ordering::Acquire) {
            thread::yield_now();
        }
        HELD.with_borrow_mut(|held| held.push(self.address()));
        state
    }
}

// SAFETY: exclusion is `R`'s.
unsafe impl<R: RawLock> RawLock for Watched<R> {
    const INIT: Self = Self { inner: R::INIT, held: AtomicBool::new(false) };
    type GuardState = R::GuardState;

    fn lock(&self) -> R::GuardState {
        if thread::panicking() {
            return self.lock_unwinding();
        }
        let waits_for_itself = HELD.with_borrow(|held| held.contains(&self.address()));
        assert!(!waits_for_itself, "a context waits for a lock that it holds");
        let state = self.inner.lock();
        // Acquire: where `R` orders nothing, this is what the data is reached by.
        assert!(!self.held.swap(true, Ordering::Acquire), "two contexts hold one lock");
        let depth = HELD.with_borrow_mut(|held| {
            held.push(self.address());
            held.len()
        });
        assert!(depth <= DEEPEST, "more than {DEEPEST} locks are held");
        // Now and then the holder is kept from running, so that others come.
        if TAKEN.replace(TAKEN.get() + 1).is_multiple_of(512) {
            thread::yield_now();
        }
        cpu::interrupt();
        state
    }

    unsafe fn unlock(&self, state: R::GuardState) {
        let last = HELD.with_borrow_mut(Vec::pop);
        let in_order = last == Some(self.address()) || thread::panicking();
        assert!(in_order, "a lock is released before one that was taken later");
        self.held.store(false, Ordering::Release);
        // SAFETY: the caller's contract is the same.
        unsafe { self.inner.unlock(state) }
    }
}
