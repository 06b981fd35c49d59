//! The second opinion: the same worlds and the same observer under shuttle's schedules.
//!
//! loom proves the small worlds; shuttle has another scheduler, no partial-order reduction that could
//! leave something out, and bears worlds that loom does not. [`second_opinion`] compares the two on the
//! races that loom exhausts, [`large`] runs what only shuttle can, [`replay`] shows that what is found can
//! be found again.
//!
//! Every schedule follows from a seed that is printed with its run. Where a schedule breaks what has to
//! hold, shuttle prints it as a string, which the test `replay::given` takes.

mod large;
mod replay;
mod second_opinion;

use loom_tests::designs::{self, Column};
use loom_tests::observer;
use loom_tests::scenario::Scenario;
use loom_tests::schedule::{config, execute};
use loom_tests::world::World;
use rskq::sync::Fault;
use rskq::sync::model::{self, Finding, Grain};
use rskq::sync::shuttle::Shuttle;
use shuttle::Runner;
use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Instant;

const SEED: u64 = 0x5EED;

fn column(name: &str) -> Column {
    designs::by_name(name).expect("the design is a column")
}

/// How schedules are chosen.
#[derive(Clone, Copy, Debug)]
enum Choice {
    /// Each runnable thread is as likely to be next.
    Random(u64),
    /// Threads have priorities, which change at so many points, less one (probabilistic concurrency
    /// testing): finds in few schedules what takes few changes in the right places.
    Pct(u64, usize),
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Random(seed) => write!(f, "random, seed {seed:#x}"),
            Choice::Pct(seed, depth) => write!(f, "PCT of depth {depth}, seed {seed:#x}"),
        }
    }
}

/// What to run.
#[derive(Clone, Copy)]
struct Plan {
    scenario: Scenario,
    column: Column,
    faults: &'static [Fault],
    /// Which findings are no failure.
    tolerates: fn(&Finding) -> bool,
}

impl Plan {
    fn new(scenario: Scenario, column: Column) -> Self {
        Self { scenario, column, faults: &[], tolerates: |_| false }
    }
}

/// What schedules found: in how many each tolerated property was broken, and every way one ended.
#[derive(Default)]
struct Found {
    broken: BTreeMap<&'static str, usize>,
    endings: BTreeSet<String>,
}

/// Runs every schedule of `scheduler`, and returns how many there were and what they found.
///
/// A finding that is not tolerated is a panic at the end of its execution, so that shuttle prints the
/// schedule.
fn run_with<G: Grain>(plan: Plan, scheduler: impl Scheduler + 'static, name: &str) -> (usize, Found) {
    let found = Arc::new(Mutex::new(Found::default()));
    let (finds, name) = (Arc::clone(&found), name.to_owned());
    let ran = Runner::new(scheduler, config()).run(move || {
        model::begin(plan.faults);
        let world = World::<Shuttle<G>>::staged(plan.scenario, plan.column.design, observer::step);
        let ending = execute(&world, plan.scenario.threads.iter().map(|ops| ops.to_vec()));
        let failed = model::take(|_, findings| {
            let (tolerated, failed): (Vec<_>, Vec<_>) = findings.iter().partition(|f| (plan.tolerates)(f));
            let mut finds = finds.lock().expect("nobody panics with it");
            finds.endings.insert(ending);
            for finding in tolerated {
                *finds.broken.entry(finding.property).or_default() += 1;
            }
            failed.iter().map(|f| format!("{}: {}", f.property, f.text)).collect::<Vec<_>>()
        });
        assert!(failed.is_empty(), "{name}: {}", failed.join("; "));
    });
    let found = std::mem::take(&mut *found.lock().expect("nobody panics with it"));
    (ran, found)
}

/// Runs `schedules` schedules and returns what they found.
fn run<G: Grain>(plan: Plan, choice: Choice, schedules: usize) -> Found {
    let grain = type_name::<G>().rsplit("::").next().unwrap_or_default();
    let name = format!("{} under {}, {grain}, {choice}", plan.scenario.name, plan.column.name);
    let begin = Instant::now();
    let (ran, found) = match choice {
        Choice::Random(seed) => run_with::<G>(plan, RandomScheduler::new_from_seed(seed, schedules), &name),
        Choice::Pct(seed, depth) => {
            run_with::<G>(plan, PctScheduler::new_from_seed(seed, depth, schedules), &name)
        }
    };
    assert_eq!(ran, schedules, "{name}: not every schedule ran");
    let (seconds, endings) = (begin.elapsed().as_secs_f64(), found.endings.len());
    println!("{name}: {ran} schedules, {seconds:.2} s, {endings} endings, broken {:?}", found.broken);
    found
}

/// Runs the schedule that shuttle printed as `encoded`.
fn replay_one<G: Grain>(plan: Plan, encoded: &str) -> Found {
    let scheduler = ReplayScheduler::new_from_encoded(encoded);
    run_with::<G>(plan, scheduler, &format!("{} under {}, again", plan.scenario.name, plan.column.name)).1
}
