//! Broken locks: what each is caught by.

use crate::cpu::{local_irq_restore, local_irq_save};
use crate::stack;
use crate::watch::Watched;
use rskq::sync::RawLock;
use std::cell::Cell;
use std::panic::{UnwindSafe, catch_unwind};

/// Runs `test` in a thread, and so on a CPU, of its own; returns what it panicked with.
fn caught(test: impl FnOnce() + Send + UnwindSafe + 'static) -> String {
    let payload = std::thread::spawn(|| catch_unwind(test)).join().unwrap().expect_err("it is not noticed");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().expect("a panic has a text")).to_owned(),
    }
}

/// Lets everybody in.
struct LetsIn;

// SAFETY: none, that is the control. `Watched` panics before anything is reached by two.
unsafe impl RawLock for LetsIn {
    const INIT: Self = Self;
    type GuardState = ();
    fn lock(&self) {}
    unsafe fn unlock(&self, (): ()) {}
}

#[test]
fn a_lock_that_lets_two_in() {
    let text = caught(stack::between_threads::<LetsIn>);
    assert!(text.contains("two contexts hold one lock"), "{text}");
}

/// Is never released.
struct Forgets(Cell<bool>);

// SAFETY: there is one thread in the control that uses it.
unsafe impl Sync for Forgets {}

// SAFETY: `lock` returns once.
unsafe impl RawLock for Forgets {
    const INIT: Self = Self(Cell::new(false));
    type GuardState = ();
    fn lock(&self) {
        assert!(!self.0.replace(true), "it would wait for ever");
    }
    unsafe fn unlock(&self, (): ()) {}
}

#[test]
fn a_lock_that_is_not_released() {
    let text = caught(stack::in_one_thread::<Forgets>);
    assert!(text.contains("it would wait for ever"), "{text}");
}

/// A lock that leaves interrupts on, in a kernel whose handlers call the stack.
#[test]
fn a_lock_that_does_not_save_interrupts() {
    let text = caught(stack::with_interrupts::<spin::Mutex<()>>);
    assert!(text.contains("a context waits for a lock that it holds"), "{text}");
}

/// Switches interrupts on at each release, whatever they were before.
struct Enables(spin::Mutex<()>);

// SAFETY: exclusion is `spin`'s.
unsafe impl RawLock for Enables {
    const INIT: Self = Self(spin::Mutex::new(()));
    type GuardState = ();
    fn lock(&self) {
        local_irq_save();
        lock_api::RawMutex::lock(&self.0);
    }
    unsafe fn unlock(&self, (): ()) {
        // SAFETY: the caller holds it.
        unsafe { lock_api::RawMutex::unlock(&self.0) };
        local_irq_restore(true);
    }
}

/// The stack's own release in the handler lets the next interrupt in.
#[test]
fn a_lock_that_does_not_restore_interrupts() {
    let text = caught(stack::with_interrupts::<Enables>);
    assert!(text.contains("a handler is interrupted"), "{text}");
}

/// What the stack never does.
#[test]
fn releases_in_the_wrong_order() {
    let text = caught(|| {
        let (outer, inner) = (Watched::<LetsIn>::INIT, Watched::<LetsIn>::INIT);
        outer.lock();
        inner.lock();
        // SAFETY: held.
        unsafe { outer.unlock(()) };
    });
    assert!(text.contains("released before one that was taken later"), "{text}");
}

#[test]
fn nests_deeper_than_is_said() {
    let text = caught(|| {
        let locks = [const { Watched::<LetsIn>::INIT }; 5];
        locks.iter().for_each(RawLock::lock);
    });
    assert!(text.contains("more than 4 locks are held"), "{text}");
}
