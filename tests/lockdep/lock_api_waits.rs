//! What the locks of `lock_api` users have beyond locking: fair releases, and waits that end.

use lock_api::{MutexGuard, RawMutex, RawMutexFair, RawMutexTimed};
use rskq::DefaultBackend;
use rskq::lockdep::validator::{Context, Kind, Policy, Validator};
use rskq::lockdep::{Embedder, Keyed, Validated, lock_pair};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A lock that has everything. It waits for a number of looks, and counts its fair releases.
struct Patient(spin::Mutex<()>);

std::thread_local!(static FAIR: Cell<u32> = const { Cell::new(0) });

// SAFETY: the exclusion is that of the inner lock.
unsafe impl RawMutex for Patient {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self(RawMutex::INIT);
    type GuardMarker = lock_api::GuardNoSend;

    fn lock(&self) {
        RawMutex::lock(&self.0);
    }
    fn try_lock(&self) -> bool {
        RawMutex::try_lock(&self.0)
    }
    unsafe fn unlock(&self) {
        // SAFETY: the caller holds it.
        unsafe { RawMutex::unlock(&self.0) }
    }
}

// SAFETY: as above.
unsafe impl RawMutexFair for Patient {
    unsafe fn unlock_fair(&self) {
        FAIR.set(FAIR.get() + 1);
        // SAFETY: the caller holds it.
        unsafe { self.unlock() }
    }
}

// SAFETY: as above.
unsafe impl RawMutexTimed for Patient {
    type Duration = u32;
    type Instant = u64;

    fn try_lock_for(&self, looks: u32) -> bool {
        (0..looks).any(|_| self.try_lock())
    }
    fn try_lock_until(&self, look: u64) -> bool {
        (0..look).any(|_| self.try_lock())
    }
}

/// One program a test, with a validator of its own and two classes.
macro_rules! program {
    ($policy:ident) => {
        struct Program;
        static VALIDATOR: Validator<DefaultBackend> = Validator::new(&[], Policy::$policy);
        std::thread_local!(static CONTEXT: Context = const { Context::new() });
        impl Embedder for Program {
            type Backend = DefaultBackend;
            fn with<R>(f: impl FnOnce(&Validator<Self::Backend>, &Context) -> R) -> R {
                CONTEXT.with(|context| f(&VALIDATOR, context))
            }
        }
        rskq::lock_class! {
            A = "A" of Program;
            B[u32] = "B" of Program;
        }
        /// Every violation so far.
        fn kinds() -> Vec<Kind> {
            (0..).map_while(|number| VALIDATOR.violation(number)).map(|violation| violation.kind).collect()
        }
    };
}

type Mutex<K> = Keyed<Patient, K, ()>;

/// A fair release is a release, also of the lock taken first, and it stays a fair one.
#[test]
fn a_fair_release_is_a_release() {
    program!(Record);
    let (a, b) = (Mutex::<A>::new(()), Mutex::<B>::new(()));
    let (held_a, held_b) = (a.lock(), b.lock());
    MutexGuard::unlock_fair(held_a);
    MutexGuard::unlock_fair(held_b);
    assert_eq!(FAIR.get(), 2);
    drop(a.lock());
    assert_eq!(kinds(), []);
    // Had the release not been told, this would be A under B.
    let _b = b.lock();
    let _a = a.lock();
    assert_eq!(kinds(), [Kind::Cycle]);
}

/// To yield the lock is to wait for it again: right while nothing was taken since, wrong after.
#[test]
fn a_bump_is_a_wait() {
    program!(Record);
    let (a, b) = (Mutex::<A>::new(()), Mutex::<B>::new(()));
    let mut held_a = a.lock();
    MutexGuard::bump(&mut held_a);
    let mut held_b = b.lock();
    MutexGuard::bump(&mut held_b);
    assert_eq!(kinds(), []);
    MutexGuard::bump(&mut held_a);
    assert_eq!(kinds(), [Kind::Cycle]);
    drop((held_a, held_b));
    assert_eq!(kinds().len(), 1, "both were known to be held");
    assert_eq!(FAIR.get(), 3);
}

/// The higher one of a pair may be yielded, the lower one may not.
#[test]
fn a_bump_in_a_pair() {
    program!(Record);
    let keyed = |key| Mutex::<B>::from_raw(Validated::with_key(key), ());
    let locks = [keyed(1), keyed(2)];
    let [mut lower, mut higher] = lock_pair(&locks[0], &locks[1]).unwrap();
    MutexGuard::bump(&mut higher);
    assert_eq!(kinds(), []);
    MutexGuard::bump(&mut lower);
    assert_eq!(kinds(), [Kind::SameClass]);
}

/// With the policy `Panic` a wrong bump panics, and both locks are free after it.
#[test]
fn a_bump_that_panics_leaves_nothing_locked() {
    program!(Panic);
    let (a, b) = (Mutex::<A>::new(()), Mutex::<B>::new(()));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut held_a = a.lock();
        let _b = b.lock();
        MutexGuard::bump(&mut held_a);
    }));
    assert!(panicked.is_err());
    assert!(!a.is_locked() && !b.is_locked());
    assert_eq!(kinds(), [Kind::Cycle], "the guards that were dropped were known to be held");
    let _both = (a.lock(), b.lock());
}

/// Two that wait for each other both give up in the end, and it is reported as if they did not.
#[test]
fn a_wait_that_ends_has_an_order() {
    program!(Record);
    let (a, b) = (Mutex::<A>::new(()), Mutex::<B>::new(()));
    {
        let _a = a.try_lock_for(1).expect("it is free");
        let _b = b.try_lock_until(1).expect("it is free");
    }
    assert_eq!(kinds(), []);
    let _b = b.lock();
    let _a = a.try_lock_for(1).expect("it is free");
    assert_eq!(kinds(), [Kind::Cycle]);
}

/// A lock that was waited for in vain is not held; that it was waited for is remembered.
#[test]
fn what_was_not_taken_is_not_held() {
    program!(Record);
    let (a, b) = (Mutex::<A>::new(()), Mutex::<B>::new(()));
    {
        let _a = a.lock();
        assert!(b.try_lock_for(0).is_none());
        assert!(b.try_lock_until(0).is_none());
    }
    // B is not held, or this would be reported.
    drop(a.lock());
    assert_eq!(kinds(), []);
    let _b = b.lock();
    let _a = a.lock();
    assert_eq!(kinds(), [Kind::Cycle], "A was held while B was waited for");
}
