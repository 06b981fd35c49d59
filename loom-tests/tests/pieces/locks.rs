//! The classed mutex: exclusion, publication, pairs, deadlocks, the order.

use crate::wrong::{SpinLock, Step, Unlocked, UnlockedUnwatched, With};
use crate::{Body, Race, expect, nothing_held, outcome, threads};
use rskq::lockdep::{Held, Mutex, Nothing, order};
use rskq::sync::loom::Loom;
use rskq::sync::model::{self, Deadlock, Fine};
use rskq::sync::{AtomicU32, Backend};
use std::sync::Arc;
use std::sync::atomic::Ordering;

type Lock<B> = Mutex<u32, order::Rskq, B>;

fn locks<B: Backend, const N: usize>() -> Arc<[Lock<B>; N]> {
    Arc::new(std::array::from_fn(|key| {
        let mut lock = Mutex::new(0);
        lock.place(key as u32);
        lock
    }))
}

fn counter<B: Backend>(threads_in_all: u32) -> impl Fn() + Send + Sync {
    move || {
        let locks = locks::<B, 1>();
        let mut step = Step::ZERO;
        step.place(0);
        let step = Arc::new(step);
        let count = || -> Body {
            let (locks, step) = (Arc::clone(&locks), Arc::clone(&step));
            Box::new(move || {
                let held = &mut nothing_held();
                let mut guard = locks[0].lock(held);
                let before = *guard;
                step.load(Ordering::Relaxed);
                *guard = before + 1;
            })
        };
        match threads_in_all {
            2 => threads([count(), count()]),
            _ => threads([count(), count(), count()]),
        }
        let counted = *locks[0].lock(&mut nothing_held());
        expect("count", counted == threads_in_all, || format!("{counted} of {threads_in_all}"));
    }
}

/// 1. Each thread locks, reads a plain counter, is interrupted, writes it back one higher, unlocks.
/// 2. The next holder sees what the one before wrote.
#[test]
fn mutex_excludes_and_publishes() {
    for (name, threads) in
        [("mutex_excludes_and_publishes, 2 threads", 2), ("mutex_excludes_and_publishes, 3 threads", 3)]
    {
        Race::named(name).explore(counter::<Loom<Fine>>(threads)).holds(&[]);
    }
}

/// The same with a lock that lets everybody in: an increment is lost; watched, it is a data race.
#[test]
fn mutex_control_no_exclusion() {
    Race::named("control: no exclusion").explore(counter::<UnlockedUnwatched>(2)).notices("count");
    Race::named("control: no exclusion, watched").races(counter::<Unlocked>(2));
}

/// The same with a lock that excludes and does not publish: a data race. With the right orderings
/// the same lock passes, so that it is the orderings that are noticed.
#[test]
fn mutex_control_no_publication() {
    type Count = <Loom<Fine> as Backend>::Count;
    let race = Race::named("control's control: exclusion and publication");
    race.explore(counter::<With<Count, SpinLock<true>>>(2)).holds(&[]);
    Race::named("control: no publication").races(counter::<With<Count, SpinLock<false>>>(2));
}

/// Each thread moves one unit between the two locks that it names, in its own order.
fn pairs(pairs: &'static [[usize; 2]], ordered: bool) -> impl Fn() + Send + Sync {
    move || {
        let locks = locks::<Loom<Fine>, 3>();
        let mover = |[from, to]: [usize; 2]| -> Body {
            let locks = Arc::clone(&locks);
            Box::new(move || {
                let (from, to, held) = (&locks[from], &locks[to], &mut nothing_held());
                let (mut from, mut to) = if ordered {
                    from.lock_pair(to, held).expect("they are two")
                } else {
                    from.lock_both_unordered(to, held)
                };
                *from = from.wrapping_sub(1);
                *to = to.wrapping_add(1);
            })
        };
        match *pairs {
            [one, two] => threads([mover(one), mover(two)]),
            [one, two, three] => threads([mover(one), mover(two), mover(three)]),
            _ => unreachable!("models have two or three threads"),
        }
        let sums: Vec<_> = locks.iter().map(|lock| *lock.lock(&mut nothing_held())).collect();
        expect("sums", sums == [0, 0, 0], || format!("{sums:?}"));
    }
}

const OPPOSITE: &[[usize; 2]] = &[[0, 1], [1, 0]];
const RING: &[[usize; 2]] = &[[0, 1], [1, 2], [2, 0]];

/// 1. T1 wants locks 0 and 1, T2 wants 1 and 0: in both calls the lower key is taken first.
/// 2. Nobody waits for ever; each gets its guards in the order in which it named the locks.
///
/// With three threads the pairs form a ring.
#[test]
fn lock_pair_in_opposite_order() {
    Race::named("lock_pair_in_opposite_order").explore(pairs(OPPOSITE, true)).holds(&[]);
    Race::named("lock_pair_in_a_ring").explore(pairs(RING, true)).holds(&[]);
}

/// Explores a race that must end in a deadlock, and whether the order was reported as well.
fn deadlock(name: &'static str, f: impl Fn() + Send + Sync + 'static) -> (Deadlock, bool) {
    let payload = Race::named(name).panics(f);
    let deadlock = payload.downcast::<Deadlock>().expect("a deadlock is a value");
    let against_order = model::take(|_, findings| findings.iter().any(|f| f.property == "I22"));
    println!("{name}:\n{deadlock}");
    (*deadlock, against_order)
}

/// Asserts that each waits for what the next one in the cycle holds, and that the sites are here.
fn check_cycle(deadlock: &Deadlock, length: usize) {
    let cycle = &deadlock.cycle;
    assert_eq!(cycle.len(), length, "{deadlock}");
    for (waiter, next) in cycle.iter().zip(cycle.iter().cycle().skip(1)) {
        assert_eq!(waiter.wants, next.holds, "{deadlock}");
        assert_eq!((waiter.holds.class, waiter.wants.class), ("Rskq", "Rskq"), "{deadlock}");
        for site in [waiter.taken_at, waiter.asked_at] {
            assert!(site.file().ends_with("locks.rs"), "{deadlock}");
        }
    }
    let mut threads: Vec<_> = cycle.iter().map(|w| w.thread).collect();
    threads.sort_unstable();
    threads.dedup();
    assert_eq!(threads.len(), length, "each thread once: {deadlock}");
    // Nothing of it is left in this process.
    mutex_excludes_and_publishes();
}

/// 1. T1 locks 0 and T2 locks 1, each by a call that does not order the two.
/// 2. T1 wants 1 and T2 wants 0: a deadlock, reported as a value with both sites of both threads.
/// 3. The next model runs as if nothing had been.
#[test]
fn lock_both_unordered_in_opposite_order_deadlocks() {
    let (found, against_order) = deadlock("unordered, in opposite order", pairs(OPPOSITE, false));
    check_cycle(&found, 2);
    assert!(against_order, "T2 took the higher key first");
}

/// Three threads in a ring: a cycle of three.
#[test]
fn lock_both_unordered_in_a_ring_deadlocks() {
    let (found, _) = deadlock("unordered, in a ring", pairs(RING, false));
    check_cycle(&found, 3);
}

/// A second token for one context, which lets through what does not compile otherwise.
fn one_more_token() -> Held<'static, Nothing> {
    // SAFETY: none, that is what is wrong with it. No two guards of one lock come of it, because a
    // thread that wants what it holds is stopped.
    unsafe { Held::nothing() }
}

/// A thread that wants what it holds is a cycle of one.
#[test]
fn recursion_is_a_deadlock_of_one() {
    let (found, against_order) = deadlock("recursion", || {
        let locks = locks::<Loom<Fine>, 1>();
        let again = Box::new(move || {
            let (held, more) = (&mut nothing_held(), &mut one_more_token());
            let _held = locks[0].lock(held);
            let _again = locks[0].lock(more);
        });
        threads([again, Box::new(|| ())]);
    });
    check_cycle(&found, 1);
    assert!(against_order, "a lock of the class is held");
}

/// What a thread takes while it holds what.
#[derive(Clone, Copy)]
enum Nesting {
    Declared,
    InnerThenOuter,
    TwoOfOneClass,
}

fn nested(nesting: Nesting) -> impl Fn() + Send + Sync {
    move || {
        let queues = locks::<Loom<Fine>, 2>();
        let mut reuseport = Mutex::<u32, order::Reuseport, Loom<Fine>>::new(0);
        reuseport.place(0);
        let reuseport = Arc::new(reuseport);
        let t2 = Arc::clone(&queues);
        let body = move || {
            let (held, more) = (&mut nothing_held(), &mut one_more_token());
            match nesting {
                Nesting::Declared => {
                    let mut held = reuseport.lock_and(held);
                    let _inner = queues[1].lock(&mut held.1);
                }
                Nesting::InnerThenOuter => {
                    let _inner = queues[1].lock(held);
                    let _outer = reuseport.lock(more);
                }
                Nesting::TwoOfOneClass => {
                    let _first = queues[0].lock(held);
                    let _second = queues[1].lock(more);
                }
            }
            outcome("nested");
        };
        threads([Box::new(body), Box::new(move || drop(t2[1].lock(&mut nothing_held())))]);
    }
}

/// A lock that is taken against the order, or beside another of its class without the call for
/// pairs, is a finding in every interleaving, whether anybody waits or not; the declared order is
/// none.
#[test]
fn a_lock_against_the_order_is_a_finding() {
    Race::named("the declared order").explore(nested(Nesting::Declared)).holds(&["nested"]);
    for (name, nesting) in [
        ("control: inner, then outer", Nesting::InnerThenOuter),
        ("control: two of one class", Nesting::TwoOfOneClass),
    ] {
        let seen = Race::named(name).explore(nested(nesting));
        seen.notices("I22");
        assert_eq!(seen.wrong["I22"].0, seen.interleavings, "{name}");
    }
}
