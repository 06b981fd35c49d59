//! Cases that a published validator gets wrong: what it does, shown, and what ours does.

use rskq::DefaultBackend;
use rskq::lockdep::validator::{Acquisition, ClassId, Context, Kind, Policy, Validator};
use rskq::sync::Nesting;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tracing_mutex::stdsync::tracing::Mutex;

type Ours = Validator<DefaultBackend>;

fn ours() -> (Ours, [ClassId; 3], Context) {
    let validator = Validator::new(&[], Policy::Record);
    let classes = ["A", "B", "C"].map(|name| validator.register(name).unwrap());
    (validator, classes, Context::new())
}

/// Waits for a lock and takes it; returns what is wrong with that.
fn lock(validator: &Ours, context: &Context, lock: Acquisition, nesting: Nesting) -> Option<Kind> {
    let verdict = validator.before_lock(context, lock, nesting);
    validator.locked(context, lock).unwrap();
    verdict.err().map(|violation| violation.kind)
}

/// Tells whether `tracing-mutex` panics, and with what.
fn tracing(f: impl FnOnce()) -> Option<String> {
    let payload = catch_unwind(AssertUnwindSafe(f)).err()?;
    Some(payload.downcast_ref::<String>().cloned().unwrap_or_default())
}

/// A, B, C, and B released; then C, A. Only the top of the stack gets an order there.
#[test]
fn the_middle_lock_dropped() {
    let [a, b, c] = [(); 3].map(|()| Mutex::new(()));
    let silent = tracing(|| {
        let _a = a.lock().unwrap();
        let b_held = b.lock().unwrap();
        let _c = c.lock().unwrap();
        drop(b_held);
    });
    // What is learned of B goes with B.
    drop(b);
    let silent_again = tracing(|| {
        let _c = c.lock().unwrap();
        let _a = a.lock().unwrap();
    });
    assert_eq!((silent, silent_again), (None, None), "tracing-mutex");

    let (validator, classes, context) = ours();
    let locks = classes.map(|class| Acquisition::of(&class, class, 0));
    for held in locks {
        assert_eq!(lock(&validator, &context, held, Nesting::None), None);
    }
    for released in [1, 2, 0] {
        validator.unlocked(&context, locks[released]).unwrap();
    }
    assert_eq!(lock(&validator, &context, locks[2], Nesting::None), None);
    assert_eq!(lock(&validator, &context, locks[0], Nesting::None), Some(Kind::Cycle));
}

/// A trylock waits for nobody.
#[test]
fn a_trylock_against_the_order() {
    let [a, b] = [(); 2].map(|()| Mutex::new(()));
    drop((a.lock().unwrap(), b.lock().unwrap()));
    let text = tracing(|| {
        let _b = b.lock().unwrap();
        let _a = a.try_lock();
    });
    let text = text.expect("tracing-mutex panics");
    assert!(text.starts_with("Found cycle in mutex dependency graph"), "{text}");

    let (validator, [a, b, _], context) = ours();
    let [a, b] = [a, b].map(|class| Acquisition::of(&class, class, 0));
    for held in [a, b] {
        assert_eq!(lock(&validator, &context, held, Nesting::None), None);
    }
    for released in [b, a] {
        validator.unlocked(&context, released).unwrap();
    }
    assert_eq!(lock(&validator, &context, b, Nesting::None), None);
    assert_eq!(validator.try_locked(&context, a), Ok(()));
}

/// Locks 0 and 1 of an array, ascending; locks 3 and 2, descending. Without classes these are four
/// locks that have nothing to do with each other.
#[test]
fn one_class_in_both_orders() {
    let locks = [(); 4].map(|()| Mutex::new(()));
    let silent = tracing(|| {
        drop((locks[0].lock().unwrap(), locks[1].lock().unwrap()));
        drop((locks[3].lock().unwrap(), locks[2].lock().unwrap()));
    });
    assert_eq!(silent, None, "tracing-mutex");

    let (validator, [class, ..], context) = ours();
    let keys = [0, 1, 2, 3];
    let locks = [0, 1, 2, 3].map(|key| Acquisition::of(&keys[key as usize], class, key));
    let pair = |one: usize, other: usize| {
        assert_eq!(lock(&validator, &context, locks[one], Nesting::Ordered), None);
        let verdict = lock(&validator, &context, locks[other], Nesting::Ordered);
        validator.unlocked(&context, locks[one]).unwrap();
        validator.unlocked(&context, locks[other]).unwrap();
        verdict
    };
    // The right order is right every time, not only the first.
    assert_eq!((pair(0, 1), pair(0, 1), pair(2, 3)), (None, None, None));
    assert_eq!(pair(3, 2), Some(Kind::SameClass));
}

/// Statics of no size may share one address; a class is its name, so that these stay two.
#[test]
fn keys_of_no_size() {
    struct Key;
    static KEYS: [Key; 2] = [Key, Key];
    assert!(std::ptr::eq(&KEYS[0], &KEYS[1]), "one address");
    let (validator, [a, b, _], _) = ours();
    assert_eq!((validator.register("A"), validator.register("B")), (Ok(a), Ok(b)));
    assert_ne!(a, b);
}
