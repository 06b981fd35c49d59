//! Runs one scenario under one design in every interleaving.
//!
//! A violation does not end the exploration: it is noted, and the run goes on, so that one
//! exploration gives every property its verdict and the broken ones a count and the most readable
//! counterexample. Only a deadlock ends it.
//!
//! "Exhausted" is claimed only when loom's exploration returned, none of loom's own limits was set,
//! and no deadline of ours stopped it. loom's limits make a truncated run return like a complete
//! one, so they are switched off whatever the environment says, and the deadline is a panic.

use crate::designs::Column;
use crate::exhaust;
use crate::nesting::{self, Nesting};
use crate::observer;
use crate::property::Property;
use crate::scenario::Scenario;
use crate::story;
use crate::verdict::{Interleaving, Verdict, length};
use crate::world::World;
use rskq::sync::Fault;
use rskq::sync::loom::Loom;
use rskq::sync::model::{self, Coarse, Deadlock, Finding, Grain, MAIN, Record, What};
use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

/// How an exploration is to be run.
#[derive(Clone, Debug, Default)]
pub struct Settings<'a> {
    /// Most preemptions; `None` explores all interleavings.
    pub bound: Option<u8>,
    /// When to stop.
    pub max_time: Option<Duration>,
    /// Faults to plant.
    pub faults: &'a [Fault],
    /// What is known to be broken, if the exploration is to stop once anything else is.
    pub known: Option<&'a [Property]>,
    /// Whether to note which classes of locks are taken while which are held; it takes time.
    pub nestings: bool,
    /// Where the interleavings are counted as they are explored, for who watches.
    pub count: Arc<AtomicU64>,
}

/// What came of an exploration.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// The design.
    pub column: Column,
    /// The scenario.
    pub scenario: Scenario,
    /// The bound on preemptions, if there was one.
    pub bound: Option<u8>,
    /// How many interleavings were explored.
    pub interleavings: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Every way it ended, for what connections are concerned.
    pub outcomes: BTreeSet<String>,
    /// Which classes of locks were taken while which were held, if that was to be noted.
    pub nestings: BTreeSet<Nesting>,
    /// The verdict on each property, in the order of [`Property::ALL`].
    pub verdicts: Vec<(Property, Verdict)>,
}

impl Exploration {
    /// Returns the verdict on a property.
    #[must_use]
    pub fn verdict(&self, property: Property) -> &Verdict {
        let found = self.verdicts.iter().find(|(p, _)| *p == property);
        &found.expect("there is a verdict on every property").1
    }
}

#[derive(Default)]
struct Tally {
    interleavings: u64,
    broken: HashMap<&'static str, (u64, Interleaving)>,
    outcomes: BTreeSet<String>,
    nestings: BTreeSet<Nesting>,
}

impl Tally {
    fn add(&mut self, records: &[Record], findings: &[Finding]) {
        for finding in findings {
            let until = of_threads(&records[..finding.seen_at]);
            let at_end = records[finding.seen_at..].iter().all(|r| r.thread == MAIN);
            let this = || Interleaving { text: finding.text.clone(), at_end, records: until.clone() };
            let (count, best) = self.broken.entry(finding.property).or_insert_with(|| (0, this()));
            *count += 1;
            if length(&until) < best.length() {
                *best = this();
            }
        }
    }
}

/// Leaves out what the model did before its threads began, but for what waited then.
fn of_threads(records: &[Record]) -> Vec<Record> {
    let told = |r: &&Record| r.thread != MAIN || matches!(r.what, What::Waiting(..));
    records.iter().filter(told).copied().collect()
}

/// Leaves out what the thread that found the cycle undid while it unwound.
fn until_last_wish(mut records: Vec<Record>) -> Vec<Record> {
    let last = records.iter().rposition(|r| matches!(r.what, What::Wants(_)));
    records.truncate(last.map_or(0, |last| last + 1));
    records
}

/// The payload of the panic that stops an exploration: at its deadline, or when it has found enough.
struct Stopped;

enum End {
    Complete,
    Stopped,
    Deadlock(Deadlock, Interleaving),
}

/// Explores with reference counts and slabs as single steps.
#[must_use]
pub fn explore(column: Column, scenario: Scenario, settings: Settings<'_>) -> Exploration {
    explore_as::<Coarse>(column, scenario, settings)
}

/// Explores at grain `G`.
///
/// # Panics
///
/// If the model itself is at fault: a data race, an execution that is too long, an operation that
/// fails where the scenario says it cannot. A verdict is not to be had then.
#[must_use]
pub fn explore_as<G: Grain>(column: Column, scenario: Scenario, settings: Settings<'_>) -> Exploration {
    quiet_expected_panics();
    let tally = Arc::new(Mutex::new(Tally::default()));
    let begin = Instant::now();
    let end = run::<G>(column, scenario, &settings, &tally, begin);
    let mut tally = core::mem::take(&mut *tally.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    assert!(tally.interleavings > 0, "nothing was explored");
    let elapsed = begin.elapsed();
    Exploration {
        column,
        scenario,
        bound: settings.bound,
        interleavings: tally.interleavings,
        elapsed,
        outcomes: core::mem::take(&mut tally.outcomes),
        nestings: core::mem::take(&mut tally.nestings),
        verdicts: verdicts(tally, &end, settings.bound, elapsed),
    }
}

fn run<G: Grain>(
    column: Column,
    scenario: Scenario,
    settings: &Settings<'_>,
    tally: &Arc<Mutex<Tally>>,
    begin: Instant,
) -> End {
    let faults = settings.faults.to_vec();
    let known = settings.known.map(|known| known.iter().map(|property| property.name()).collect::<Vec<_>>());
    let enough = AtomicBool::new(false);
    let count = Arc::clone(&settings.count);
    let nestings = settings.nestings;
    let deadline = settings.max_time.map(|max| begin + max);
    let tally = Arc::clone(tally);
    let builder = exhaust::builder(settings.bound);
    let checked = catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            if late || enough.load(Ordering::Relaxed) {
                panic_any(Stopped);
            }
            tally.lock().expect("no thread panics with the tally open").interleavings += 1;
            count.fetch_add(1, Ordering::Relaxed);
            model::begin(&faults);
            let outcome = execute::<G>(scenario, column);
            model::take(|records, findings| {
                let mut tally = tally.lock().expect("no thread panics with the tally open");
                tally.add(records, findings);
                let is_new = |known: &Vec<_>| findings.iter().any(|found| !known.contains(&found.property));
                if known.as_ref().is_some_and(is_new) {
                    enough.store(true, Ordering::Relaxed);
                }
                if nestings {
                    nesting::note(records, &mut tally.nestings);
                }
                tally.outcomes.insert(outcome);
            });
        });
    }));
    match checked {
        Ok(()) => End::Complete,
        Err(payload) if payload.is::<Stopped>() => End::Stopped,
        Err(payload) => match payload.downcast::<Deadlock>() {
            Ok(deadlock) => {
                let records = model::take(|records, _| until_last_wish(of_threads(records)));
                let text = story::deadlock(&deadlock);
                End::Deadlock(*deadlock, Interleaving { text, at_end: false, records })
            }
            Err(other) => std::panic::resume_unwind(other),
        },
    }
}

/// One execution: the world, the threads, the look at the end. Returns what became of everybody.
fn execute<G: Grain>(scenario: Scenario, column: Column) -> String {
    let world = World::<Loom<G>>::staged(scenario, column.design, observer::step);
    let threads: Vec<_> = (0..scenario.threads.len())
        .map(|thread| {
            let world = Arc::clone(&world);
            exhaust::spawn(thread as u8 + 1, move || world.run(thread))
        })
        .collect();
    threads.into_iter().for_each(exhaust::join);
    observer::end(&world);
    world.outcome()
}

fn verdicts(mut tally: Tally, end: &End, bound: Option<u8>, elapsed: Duration) -> Vec<(Property, Verdict)> {
    let interleavings = tally.interleavings;
    let mut verdict = |property: Property| {
        if let (End::Deadlock(cycle, interleaving), Property::Deadlock) = (end, property) {
            let (cycle, interleaving) = (cycle.clone(), interleaving.clone());
            return Verdict::Deadlock { cycle, interleaving, interleavings };
        }
        if let Some((broken, interleaving)) = tally.broken.remove(property.name()) {
            return Verdict::Broken { property, interleaving, broken, interleavings };
        }
        match (end, bound) {
            (End::Deadlock(..), _) => Verdict::CutShort { interleavings },
            (End::Stopped, _) => Verdict::TimedOut { interleavings, after: elapsed },
            (End::Complete, Some(preemptions)) => Verdict::Bounded { interleavings, preemptions },
            (End::Complete, None) => Verdict::Exhausted { interleavings },
        }
    };
    let verdicts = Property::ALL.into_iter().map(|property| (property, verdict(property))).collect();
    assert!(tally.broken.is_empty(), "findings of no known property: {:?}", tally.broken.keys());
    verdicts
}

/// Keeps the panics that are verdicts from being printed as if they were failures.
fn quiet_expected_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Deadlock>() && !info.payload().is::<Stopped>() {
                default(info);
            }
        }));
    });
}
