//! A second checker reaches the same endings.
//!
//! loom remembers the last access to a word only, and the validator loads a word that it may store to
//! later. That nothing was left out for it is seen from outside: random schedules of shuttle end in all
//! the ways in which loom's interleavings end, and in no other.

use crate::{Seen, Threads, explore, interrupts, orders};
use rskq::sync::loom::Loom;
use rskq::sync::model::{self, Fine, MAIN};
use rskq::sync::shuttle::Shuttle;
use shuttle::scheduler::RandomScheduler;
use shuttle::{Config, Runner};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

const SEED: u64 = 0x5EED;
const SCHEDULES: usize = 1_000;

impl Threads for Shuttle<Fine> {
    fn at_once(threads: Vec<Box<dyn FnOnce() + Send>>) {
        let threads = (1..).zip(threads).map(|(thread, body)| {
            shuttle::thread::spawn(move || {
                model::enter(thread);
                body();
            })
        });
        for thread in threads.collect::<Vec<_>>() {
            thread.join().expect("a panic in a thread ends the run");
            model::enter(MAIN);
        }
    }
}

/// The endings that random schedules reach.
fn random(f: fn() -> String) -> BTreeSet<String> {
    let endings = Arc::new(Mutex::new(BTreeSet::new()));
    let ends = Arc::clone(&endings);
    let mut config = Config::new();
    config.stack_size = 256 << 10;
    config.silence_warnings = true;
    Runner::new(RandomScheduler::new_from_seed(SEED, SCHEDULES), config).run(move || {
        model::begin(&[]);
        ends.lock().unwrap().insert(f());
        model::take(|_, _| ());
    });
    std::mem::take(&mut *endings.lock().unwrap())
}

#[test]
fn random_schedules_end_as_exhaustive_ones_do() {
    type Model = Loom<Fine>;
    type Other = Shuttle<Fine>;
    let races: [(Seen, fn() -> String); 5] = [
        (explore("AB-BA", orders::ab_ba::<Model>), orders::ab_ba::<Other>),
        (explore("AB-BC-CA", orders::ring::<Model>), orders::ring::<Other>),
        (explore("AC-BC", orders::two_into_one_word::<Model>), orders::two_into_one_word::<Other>),
        (
            explore("handler A - exposed A", interrupts::both_states::<Model>),
            interrupts::both_states::<Other>,
        ),
        (
            explore("handler A - exposed B - AB", interrupts::three_facts::<Model>),
            interrupts::three_facts::<Other>,
        ),
    ];
    for (seen, other) in races {
        let exhaustive: BTreeSet<_> = seen.outcomes.into_keys().collect();
        assert_eq!(random(other), exhaustive, "{}", seen.name);
    }
}
