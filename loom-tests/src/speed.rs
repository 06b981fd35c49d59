//! What a model costs that runs on the crate's back end, beside the same model written on loom's own objects.
//!
//! Ours knows who waits for whom, keeps a record of the interleaving and watches what a lock protects for races;
//! that is what it costs more.

use crate::exhaust::{self, exhaust};
use rskq::lockdep::{Held, Mutex, Nothing, order};
use rskq::sync::loom::Loom;
use rskq::sync::model::{self, Fine};
use rskq::sync::{AtomicU32, Backend};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

type B = Loom<Fine>;
type Lock = Mutex<u32, order::Rskq, B>;

/// Threads of each model, beside the one that begins them.
const THREADS: u32 = 3;
/// A model is explored again and again for so long.
const LONG: Duration = Duration::from_millis(60);

/// One execution of a model.
pub type Model = fn();

/// A model, twice.
pub struct Pair {
    /// What it is.
    pub case: &'static str,
    /// On the crate's back end.
    pub ours: Model,
    /// On loom's own objects.
    pub loom: Model,
}

/// Every model.
pub const PAIRS: [Pair; 3] = [
    Pair { case: "a counter under a lock", ours: counter, loom: counter_of_loom },
    Pair { case: "two locks each, in a ring", ours: ring, loom: ring_of_loom },
    Pair { case: "references to what may be gone", ours: references, loom: references_of_loom },
];

/// What exploring a model took.
#[derive(Clone, Copy, Debug)]
pub struct Explored {
    /// How many interleavings it has.
    pub interleavings: u64,
    /// Nanoseconds for each.
    pub ns: f64,
}

/// Explores a model, until that took long enough for a clock.
#[must_use]
pub fn explored(model: Model) -> Explored {
    let (start, mut times) = (Instant::now(), 0);
    loop {
        let interleavings = exhaust(None, model);
        times += 1;
        let took = start.elapsed();
        if took >= LONG {
            return Explored { interleavings, ns: took.as_nanos() as f64 / (interleavings * times) as f64 };
        }
    }
}

fn nothing_held() -> Held<'static, Nothing> {
    // SAFETY: whoever calls this holds no lock, and the token is gone before the next one is made.
    unsafe { Held::nothing() }
}

/// Runs `body` in each thread of one of our models, and `end` when they have ended.
fn run<S: Send + Sync + 'static>(shared: S, body: fn(&S, u32), end: fn(&S)) {
    model::begin(&[]);
    let shared = Arc::new(shared);
    let spawn = |thread: u32| {
        let shared = Arc::clone(&shared);
        exhaust::spawn(thread as u8 + 1, move || body(&shared, thread))
    };
    let threads: Vec<_> = (0..THREADS).map(spawn).collect();
    threads.into_iter().for_each(exhaust::join);
    end(&shared);
    model::take(|_, findings| assert!(findings.is_empty(), "{findings:?}"));
}

/// The same with nothing but loom.
fn run_of_loom<S: Send + Sync + 'static>(shared: S, body: fn(&S, u32), end: fn(&S)) {
    let shared = Arc::new(shared);
    let spawn = |thread| {
        let shared = Arc::clone(&shared);
        loom::thread::spawn(move || body(&shared, thread))
    };
    let threads: Vec<_> = (0..THREADS).map(spawn).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("it does not panic"));
    end(&shared);
}

fn atomic(value: u32) -> <B as Backend>::AtomicU32 {
    let mut atomic = <B as Backend>::AtomicU32::ZERO;
    atomic.place(value);
    atomic
}

fn locks<const N: usize>() -> [Lock; N] {
    std::array::from_fn(|key| {
        let mut lock = Lock::new(0);
        lock.place(key as u32);
        lock
    })
}

fn counter() {
    let body = |([lock], step): &([Lock; 1], _), _| {
        let held = &mut nothing_held();
        let mut count = lock.lock(held);
        let before = *count;
        AtomicU32::load(step, Relaxed);
        *count = before + 1;
    };
    run((locks(), atomic(0)), body, |([lock], _)| assert_eq!(*lock.lock(&mut nothing_held()), THREADS));
}

type LoomLock = loom::sync::Mutex<u32>;
type LoomAtomic = loom::sync::atomic::AtomicU32;

fn take(lock: &LoomLock) -> loom::sync::MutexGuard<'_, u32> {
    lock.lock().expect("nobody panics with it")
}

fn counter_of_loom() {
    let body = |(lock, step): &(LoomLock, LoomAtomic), _| {
        let mut count = take(lock);
        let before = *count;
        step.load(Relaxed);
        *count = before + 1;
    };
    run_of_loom((LoomLock::new(0), LoomAtomic::new(0)), body, |(lock, _)| assert_eq!(*take(lock), THREADS));
}

/// The locks that a thread takes, the lower one first.
fn pair(thread: u32) -> (usize, usize) {
    let (one, other) = (thread as usize, (thread as usize + 1) % THREADS as usize);
    (one.min(other), one.max(other))
}

fn ring() {
    let body = |locks: &[Lock; THREADS as usize], thread| {
        let (held, (low, high)) = (&mut nothing_held(), pair(thread));
        let (mut low, mut high) = locks[low].lock_pair(&locks[high], held).expect("they are two");
        *low += 1;
        *high += 1;
    };
    run(locks(), body, |locks| {
        locks.iter().for_each(|lock| assert_eq!(*lock.lock(&mut nothing_held()), 2));
    });
}

fn ring_of_loom() {
    let body = |locks: &[LoomLock; THREADS as usize], thread| {
        let (low, high) = pair(thread);
        let (mut low, mut high) = (take(&locks[low]), take(&locks[high]));
        *low += 1;
        *high += 1;
    };
    let locks = std::array::from_fn(|_| LoomLock::new(0));
    run_of_loom(locks, body, |locks| locks.iter().for_each(|lock| assert_eq!(*take(lock), 2)));
}

/// The first thread drops the only reference; the others use what is there, if they get one in time.
fn references() {
    let body = |count: &<B as Backend>::AtomicU32, thread| {
        if thread == 0 || count.inc_unless_zero() {
            AtomicU32::fetch_sub(count, 1, Release);
        }
    };
    run(atomic(1), body, |count| assert_eq!(AtomicU32::load(count, Acquire), 0));
}

fn references_of_loom() {
    let body = |count: &LoomAtomic, thread| {
        let mut seen = if thread == 0 { 0 } else { count.load(Acquire) };
        let got = loop {
            if seen == 0 {
                break thread == 0;
            }
            match count.compare_exchange(seen, seen + 1, Acquire, Acquire) {
                Ok(_) => break true,
                Err(now) => seen = now,
            }
        };
        if got {
            count.fetch_sub(1, Release);
        }
    };
    run_of_loom(LoomAtomic::new(1), body, |count| assert_eq!(count.load(Acquire), 0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_models_of_a_pair_have_the_same_interleavings() {
        for Pair { case, ours, loom } in PAIRS {
            let [ours, loom] = [ours, loom].map(|model| exhaust(None, model));
            assert_eq!(ours, loom, "{case}");
            assert!(ours > 1, "{case}: nothing is concurrent in it");
        }
    }

    #[test]
    fn other_models_have_others() {
        assert_ne!(exhaust(None, counter), exhaust(None, ring_of_loom));
    }
}
