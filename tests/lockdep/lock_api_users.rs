//! A program that changes the type of its `lock_api` mutexes.

use rskq::DefaultBackend;
use rskq::lockdep::validator::{Context, Irq, Kind, Policy, Validator, Violation};
use rskq::lockdep::{Embedder, Keyed, Validated, lock_pair};
use std::panic::catch_unwind;
use std::thread;

/// One program a test, with a validator of its own: `program!(Record)` declares it and two classes.
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
        #[allow(dead_code)] // not every test has the same locks
        fn last() -> Option<Violation> {
            VALIDATOR.violation(VALIDATOR.counts().violations.checked_sub(1)? as usize)
        }
    };
}

type Mutex<K> = lock_api::Mutex<Validated<spin::Mutex<()>, K>, u32>;

/// 1. T1 takes A, then B, and is gone.
/// 2. T2 takes B, then A: reported with the lines of both.
#[test]
fn each_half_of_a_deadlock_in_a_thread_of_its_own() {
    program!(Record);
    static MA: Mutex<A> = Mutex::new(0);
    static MB: Mutex<B> = Mutex::new(0);
    let known = line!() + 2;
    thread::spawn(|| {
        let (mut a, mut b) = (MA.lock(), MB.lock());
        (*a, *b) = (1, 1);
    })
    .join()
    .unwrap();
    assert_eq!(last(), None);
    let line = line!() + 2;
    thread::spawn(|| {
        let (b, a) = (MB.lock(), MA.lock());
        assert_eq!((*a, *b), (1, 1), "it goes on");
    })
    .join()
    .unwrap();
    let violation = last().unwrap();
    assert_eq!(violation.kind, Kind::Cycle);
    for lock in [violation.wanted.unwrap(), violation.held.unwrap()] {
        assert_eq!((lock.at.file(), lock.at.line()), (file!(), line), "the user's own line");
    }
    let edge = VALIDATOR.edge(0).unwrap();
    assert_eq!((edge.held_at.file(), edge.held_at.line()), (file!(), known));
}

/// A lock is taken in a handler, and with interrupts on: the embedder declares, the wrapper sees.
#[test]
fn interrupts_are_the_embedders_to_declare() {
    program!(Record);
    let lock = Mutex::<A>::new(0);
    Program::with(|_, context| {
        let interrupted = context.enter(Irq::Hard);
        drop(lock.lock());
        context.leave(interrupted);
    });
    assert_eq!(last(), None);
    drop(lock.lock());
    assert_eq!(last().unwrap().kind, Kind::IrqState(Irq::Hard));
}

/// The second trylock fails and says nothing; a trylock against the order says nothing either.
#[test]
fn a_trylock_that_fails_was_never_held() {
    program!(Record);
    let (a, b) = (Mutex::<A>::new(0), Mutex::<B>::new(0));
    {
        let _order = (a.lock(), b.lock());
        assert!(a.try_lock().is_none());
        assert!(a.is_locked());
    }
    let _b = b.lock();
    drop(a.try_lock().expect("it is free"));
    assert_eq!(last(), None);
    assert!(!a.is_locked());
}

/// A pair locks by key, whichever way round it is named; without the call for pairs it is reported.
#[test]
fn a_pair_of_one_class() {
    program!(Record);
    let keyed = |key| Keyed::from_raw(Validated::<spin::Mutex<()>, B>::with_key(key), key);
    let locks = [keyed(1), keyed(2)];
    for _ in 0..2 {
        for [one, other] in [[0, 1], [1, 0]] {
            let [first, second] = lock_pair(&locks[one], &locks[other]).unwrap();
            assert_eq!([*first, *second], [one as u32 + 1, other as u32 + 1]);
        }
    }
    assert!(lock_pair(&locks[0], &locks[0]).is_none());
    assert_eq!(last(), None);
    let _first = locks[0].lock();
    let _second = locks[1].lock();
    assert_eq!(last().unwrap().kind, Kind::SameClass);
}

/// With the policy `Panic` a recursive lock panics instead of hanging, and what is held is released.
#[test]
fn recursion_panics_before_it_hangs() {
    program!(Panic);
    static LOCK: Mutex<A> = Mutex::new(0);
    static OTHER: Mutex<B> = Mutex::new(0);
    let payload = catch_unwind(|| {
        let _held = LOCK.lock();
        let _again = LOCK.lock();
    })
    .unwrap_err();
    let text = payload.downcast_ref::<String>().unwrap();
    assert!(text.contains("wanted by the context that holds it"), "{text}");
    assert!(!LOCK.is_locked());
    let _both = (OTHER.lock(), LOCK.lock());
}
