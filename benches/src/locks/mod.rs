//! Item 7: the lock validator, beside the raw lock, other checkers, and locks whose types prevent deadlocks.

mod peers;

use crate::measure::{Make, Measured, Routine, timed};
use peers::{ByHand, Happylock, Levels, Surelock, Together};
use rskq::DefaultBackend;
use rskq::lockdep::validator::{Acquisition, Context, Policy, Validator};
use rskq::lockdep::{Embedder, Validated};
use rskq::sync::Nesting;
use std::hint::black_box;
use std::time::Instant;
use tracing_mutex::stdsync::tracing::Mutex as TracingMutex;

struct Program;
static VALIDATOR: Validator<DefaultBackend> = Validator::new(&[], Policy::Panic);
std::thread_local!(static CONTEXT: Context = const { Context::new() });

impl Embedder for Program {
    type Backend = DefaultBackend;
    #[inline(always)]
    fn with<R>(f: impl FnOnce(&Validator<Self::Backend>, &Context) -> R) -> R {
        CONTEXT.with(|context| f(&VALIDATOR, context))
    }
}

rskq::lock_class! {
    C0 = "0" of Program;
    C1 = "1" of Program;
    C2 = "2" of Program;
    C3 = "3" of Program;
    C4 = "4" of Program;
    C5 = "5" of Program;
    C6 = "6" of Program;
    C7 = "7" of Program;
}

type SpinMutex = lock_api::Mutex<spin::Mutex<()>, u64>;
type ValidatedMutex<K> = lock_api::Mutex<Validated<spin::Mutex<()>, K>, u64>;

/// Eight locks, taken one in another, from the first. Each counts.
pub trait Locks: Default + Sync + 'static {
    /// Takes one.
    fn one(&self);
    /// Takes two.
    fn two(&self);
    /// Takes eight.
    fn eight(&self);
    /// Returns the numbers behind the locks.
    fn counts(&self) -> [u64; 8];
}

macro_rules! locks {
    ($(#[$doc:meta])* $name:ident, $lock:ident, [$($mutex:ty),+]) => {
        $(#[$doc])*
        #[derive(Default)]
        pub struct $name($($mutex),+);

        impl Locks for $name {
            #[inline(always)]
            fn one(&self) {
                *$lock(&self.0) += 1;
            }
            #[inline(always)]
            fn two(&self) {
                let (mut outer, mut inner) = ($lock(&self.0), $lock(&self.1));
                *outer += 1;
                *inner += 1;
            }
            #[inline(always)]
            fn eight(&self) {
                let (l0, l1, l2, l3) = ($lock(&self.0), $lock(&self.1), $lock(&self.2), $lock(&self.3));
                let (l4, l5, l6, mut l7) = ($lock(&self.4), $lock(&self.5), $lock(&self.6), $lock(&self.7));
                *l7 += *l0 + *l1 + *l2 + *l3 + *l4 + *l5 + *l6;
            }
            fn counts(&self) -> [u64; 8] {
                let Self(l0, l1, l2, l3, l4, l5, l6, l7) = self;
                [*$lock(l0), *$lock(l1), *$lock(l2), *$lock(l3), *$lock(l4), *$lock(l5), *$lock(l6), *$lock(l7)]
            }
        }
    };
}

fn lock<R: lock_api::RawMutex>(mutex: &lock_api::Mutex<R, u64>) -> lock_api::MutexGuard<'_, R, u64> {
    mutex.lock()
}

fn lock_no_deadlocks(mutex: &no_deadlocks::Mutex<u64>) -> no_deadlocks::MutexGuard<'_, u64> {
    mutex.lock().expect("nobody panics")
}

fn lock_tracing(mutex: &TracingMutex<u64>) -> tracing_mutex::stdsync::tracing::MutexGuard<'_, u64> {
    mutex.lock().expect("nobody panics")
}

locks!(
    /// Raw.
    Spin, lock, [SpinMutex, SpinMutex, SpinMutex, SpinMutex, SpinMutex, SpinMutex, SpinMutex, SpinMutex]
);
locks!(
    /// Validated.
    Rskq, lock, [
    ValidatedMutex<C0>, ValidatedMutex<C1>, ValidatedMutex<C2>, ValidatedMutex<C3>,
    ValidatedMutex<C4>, ValidatedMutex<C5>, ValidatedMutex<C6>, ValidatedMutex<C7>
]
);
type T = TracingMutex<u64>;
locks!(
    /// `tracing-mutex`.
    Tracing, lock_tracing, [T, T, T, T, T, T, T, T]
);
type N = no_deadlocks::Mutex<u64>;
locks!(
    /// `no_deadlocks`.
    NoDeadlocks, lock_no_deadlocks, [N, N, N, N, N, N, N, N]
);

/// Shows that each lock protects its number.
///
/// # Panics
///
/// If it does not.
fn check<L: Locks>() {
    let locks = L::default();
    (0..3).for_each(|_| locks.one());
    (0..2).for_each(|_| locks.two());
    locks.eight();
    assert_eq!(locks.counts(), [5, 2, 0, 0, 0, 0, 0, 7]);
}

fn make<L: Locks>(case: &str) -> Routine {
    check::<L>();
    let locks = L::default();
    match case {
        "1" => Box::new(move |iters| timed(iters, |_| black_box(&locks).one())),
        "2 nested" | "2 in one call" => Box::new(move |iters| timed(iters, |_| black_box(&locks).two())),
        _ => Box::new(move |iters| timed(iters, |_| black_box(&locks).eight())),
    }
}

/// Shows that each lock that is taken in one call protects its number.
///
/// # Panics
///
/// If it does not.
fn check_together<L: Together>() {
    let (locks, mut key) = (L::default(), L::key());
    (0..3).for_each(|_| locks.one(&mut key));
    (0..2).for_each(|_| locks.two(&mut key));
    assert_eq!(locks.counts(&mut key), [3, 2, 2]);
}

fn together<L: Together>(case: &str) -> Routine {
    check_together::<L>();
    let (locks, mut key) = (L::default(), L::key());
    match case {
        "1" => Box::new(move |iters| timed(iters, |_| black_box(&locks).one(&mut key))),
        _ => Box::new(move |iters| timed(iters, |_| black_box(&locks).two(&mut key))),
    }
}

/// Two nested, by so many threads; each has locks of its own, which share nothing but their classes.
fn threads<L: Locks>(case: &str) -> Routine {
    #[repr(align(256))]
    struct Apart<L>(L);
    let threads = if case.starts_with("2 threads") { 2 } else { 1 };
    Box::new(move |iters| {
        let locks = [(); 2].map(|()| Apart(L::default()));
        let barrier = std::sync::Barrier::new(threads);
        let run = |locks: &Apart<L>| {
            locks.0.two();
            barrier.wait();
            let start = Instant::now();
            timed(iters, |_| black_box(&locks.0).two());
            assert_eq!(locks.0.counts()[1], iters + 1);
            start.elapsed()
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = locks[1..threads].iter().map(|locks| scope.spawn(|| run(locks))).collect();
            let mine = run(&locks[0]);
            others.into_iter().map(|other| other.join().expect("nobody panics")).fold(mine, Ord::max)
        })
    })
}

/// An order that nobody saw before, as it is learned.
fn first_sight(_: &str) -> Routine {
    let context = Context::new();
    context.irqs_off(rskq::lockdep::validator::Irq::Hard);
    let (outer, inner) = (SpinMutex::default(), SpinMutex::default());
    Box::new(move |iters| {
        let one = |_| {
            let validator = Box::new(Validator::<DefaultBackend>::new(&[], Policy::Record));
            let classes = ["outer", "inner"].map(|name| validator.register(name).expect("there is room"));
            let start = Instant::now();
            let locks = [Acquisition::of(&outer, classes[0], 0), Acquisition::of(&inner, classes[1], 0)];
            for lock in locks {
                validator.obey(validator.before_lock(&context, lock, Nesting::None));
                validator.obey(validator.locked(&context, lock));
            }
            let guards = (outer.lock(), inner.lock());
            for lock in locks.iter().rev() {
                validator.obey(validator.unlocked(&context, *lock));
            }
            drop(guards);
            start.elapsed()
        };
        (0..iters).map(one).sum()
    })
}

/// The same, with two mutexes that were never locked.
fn first_sight_tracing(_: &str) -> Routine {
    Box::new(|iters| {
        let one = |_| {
            let (outer, inner) = (T::default(), T::default());
            let start = Instant::now();
            {
                let _guards = (lock_tracing(&outer), lock_tracing(&inner));
            }
            start.elapsed()
        };
        (0..iters).map(one).sum()
    })
}

pub(crate) fn measured() -> Vec<Measured> {
    let of = |item, case, contenders: &[(&'static str, Make)]| -> Vec<Measured> {
        contenders.iter().map(|&(who, make)| Measured::new(item, case, who, make)).collect()
    };
    let nested: [(_, Make); 5] = [
        ("spin", make::<Spin>),
        ("rskq", make::<Rskq>),
        ("surelock, levels", make::<Levels>),
        ("tracing-mutex", make::<Tracing>),
        ("no_deadlocks", make::<NoDeadlocks>),
    ];
    let apart: [(_, Make); 3] =
        [("spin", threads::<Spin>), ("rskq", threads::<Rskq>), ("tracing-mutex", threads::<Tracing>)];
    let mut all: Vec<_> =
        ["1", "2 nested", "8 nested"].into_iter().flat_map(|case| of("7 locks", case, &nested)).collect();
    all.extend(
        ["1 thread", "2 threads, apart"].into_iter().flat_map(|case| of("7 two nested", case, &apart)),
    );
    let one_call: [(_, Make); 4] = [
        ("spin, nested", together::<ByHand>),
        ("rskq", make::<Rskq>),
        ("happylock", together::<Happylock>),
        ("surelock", together::<Surelock>),
    ];
    all.extend(of("7 locks", "1", &one_call[2..]));
    all.extend(of("7 locks", "2 in one call", &one_call));
    let sight: [(_, Make); 2] = [("rskq", first_sight), ("tracing-mutex", first_sight_tracing)];
    all.extend(of("7 locks", "first sight of an order", &sight));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contender_protects_its_numbers() {
        check::<Spin>();
        check::<Rskq>();
        check::<Tracing>();
        check::<NoDeadlocks>();
        check::<Levels>();
        check_together::<ByHand>();
        check_together::<Happylock>();
        check_together::<Surelock>();
    }

    #[test]
    #[should_panic(expected = "left == right")]
    fn a_lock_that_is_not_taken_is_noticed() {
        #[derive(Default)]
        struct Forgets(Spin);
        impl Locks for Forgets {
            fn one(&self) {
                self.0.one();
            }
            fn two(&self) {
                self.0.one();
            }
            fn eight(&self) {
                self.0.eight();
            }
            fn counts(&self) -> [u64; 8] {
                self.0.counts()
            }
        }
        check::<Forgets>();
    }
}
