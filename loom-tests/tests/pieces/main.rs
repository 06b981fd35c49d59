//! Models of the pieces, with every atomic and every lock visible.
//!
//! The scenarios of whole operations run reference counts and free lists as single steps. What they
//! rely on is shown here: each piece alone, under `Loom<Fine>`, in every interleaving. Beside each
//! model stands a control: the same check, over a back end with one part that is deliberately
//! wrong ([`wrong`]) or with a planted fault, has to fail.

mod accepts;
mod binds;
mod chains;
mod groups;
mod handshakes;
mod locks;
mod owners;
mod programs;
mod queue;
mod slab;
mod timers;
mod wrong;

use loom_tests::exhaust::{exhaust, join, spawn};
use rskq::lockdep::{Held, Nothing};
use rskq::sync::Fault;
use rskq::sync::model;
use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// One race to explore.
#[derive(Clone, Copy, Default)]
struct Race {
    name: &'static str,
    /// Most preemptions; `None` explores all interleavings.
    bound: Option<u8>,
    faults: &'static [Fault],
}

/// What was seen in all interleavings of a race.
struct Seen {
    name: &'static str,
    interleavings: u64,
    /// How it can come out, and in how many interleavings it does.
    outcomes: BTreeMap<&'static str, u64>,
    /// What must not be, the first text of each kind, and in how many interleavings it was seen.
    wrong: BTreeMap<&'static str, (u64, String)>,
}

thread_local! {
    // All threads of a model run on the OS thread of its test.
    static SEEN: RefCell<Seen> = const {
        RefCell::new(Seen { name: "", interleavings: 0, outcomes: BTreeMap::new(), wrong: BTreeMap::new() })
    };
}

/// Notes how a race came out, so that a model in which only one thing can happen is noticed.
fn outcome(what: &'static str) {
    SEEN.with_borrow_mut(|seen| *seen.outcomes.entry(what).or_default() += 1);
}

/// Notes that something does not hold. Does not panic, so that every interleaving of a control is
/// seen and no destructor runs while a panic unwinds through a model's thread.
fn expect(kind: &'static str, holds: bool, text: impl FnOnce() -> String) {
    if !holds {
        model::finding(kind, text);
    }
}

impl Race {
    fn named(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Explores; `f` is one execution.
    fn explore(self, f: impl Fn() + Send + Sync + 'static) -> Seen {
        SEEN.set(Seen {
            name: self.name,
            interleavings: 0,
            outcomes: BTreeMap::new(),
            wrong: BTreeMap::new(),
        });
        let begin = Instant::now();
        let interleavings = exhaust(self.bound, move || {
            model::begin(self.faults);
            f();
            model::take(|_, findings| {
                SEEN.with_borrow_mut(|seen| {
                    for finding in findings {
                        let text = || (0, finding.text.clone());
                        seen.wrong.entry(finding.property).or_insert_with(text).0 += 1;
                    }
                });
            });
        });
        let seen = SEEN.with_borrow_mut(|seen| Seen {
            name: self.name,
            interleavings,
            outcomes: std::mem::take(&mut seen.outcomes),
            wrong: std::mem::take(&mut seen.wrong),
        });
        let bound = self.bound.map_or("all".into(), |n| format!("at most {n} preemptions"));
        println!(
            "{}: {interleavings} interleavings ({bound}), {:.2} s, {:?}, wrong: {:?}",
            self.name,
            begin.elapsed().as_secs_f64(),
            seen.outcomes,
            seen.wrong,
        );
        seen
    }

    /// Explores a race that ends with a panic, and returns what it panicked with.
    fn panics(self, f: impl Fn() + Send + Sync + 'static) -> Box<dyn Any + Send> {
        let caught = catch_unwind(AssertUnwindSafe(|| self.explore(f)));
        match caught {
            Ok(_) => panic!("{}: nothing was noticed", self.name),
            Err(payload) => payload,
        }
    }

    /// Explores a race in which loom finds two accesses that nothing orders.
    fn races(self, f: impl Fn() + Send + Sync + 'static) {
        let payload = self.panics(f);
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a text");
        println!("{}: {text}", self.name);
        assert!(text.contains("Causality violation"), "{}: {text}", self.name);
    }
}

impl Seen {
    /// Asserts that nothing was wrong and that exactly `outcomes` came about.
    #[track_caller]
    fn holds(&self, outcomes: &[&str]) {
        assert!(self.wrong.is_empty(), "{}: {:?}", self.name, self.wrong);
        assert!(self.interleavings > 1, "{}: nothing is concurrent in it", self.name);
        let mut expected = outcomes.to_vec();
        expected.sort_unstable();
        let came: Vec<_> = self.outcomes.keys().copied().collect();
        assert_eq!(came, expected, "{}: how it came out", self.name);
    }

    /// Asserts that `kind` was noticed: in some interleaving, not in a run that is wrong anyway.
    #[track_caller]
    fn notices(&self, kind: &str) {
        assert!(self.interleavings > 1, "{}: nothing is concurrent in it", self.name);
        assert!(self.wrong.contains_key(kind), "{}: {kind} was not noticed: {:?}", self.name, self.wrong);
    }
}

/// What each thread of a model begins with.
fn nothing_held() -> Held<'static, Nothing> {
    // SAFETY: whoever calls this holds no lock, and the token is gone before the next one is made.
    unsafe { Held::nothing() }
}

/// What one thread of a model does.
type Body = Box<dyn FnOnce() + Send>;

/// Runs `bodies` as threads 1, 2, ... and waits for all of them.
fn threads<const N: usize>(bodies: [Body; N]) {
    let threads = (1..).zip(bodies).map(|(thread, body)| spawn(thread, body));
    threads.collect::<Vec<_>>().into_iter().for_each(join);
}
