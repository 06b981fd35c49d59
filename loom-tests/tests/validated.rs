//! The run-time validator watches model runs: whole stacks, in every interleaving, with every lock both
//! validated and modeled.
//!
//! The model sees each run's deadlocks and orders itself. Here the validator, which would see only one of
//! them in the field, is asked in each: it must be silent of what keeps the order, and of the v1 patch it
//! must say what the model says.

use loom_tests::exhaust::{exhaust, join, spawn};
use loom_tests::explore::{Settings, explore};
use loom_tests::world::World;
use loom_tests::{designs, observer, scenario};
use rskq::lockdep::validator::{Context, Kind, Policy, Validator};
use rskq::lockdep::{Checked, Embedder, order};
use rskq::sync::loom::Loom;
use rskq::sync::model::{self, Coarse};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

type Model = Loom<Coarse>;

/// The validator of the execution that runs, with a context for each thread of the model.
struct Program;

std::thread_local! {
    // All threads of a model run on the OS thread of its test.
    static VALIDATOR: RefCell<Option<Arc<Validator<Model>>>> = const { RefCell::new(None) };
}
loom::thread_local! {
    // One each, whichever the model runs.
    static CONTEXT: Context = Context::new();
}

impl Embedder for Program {
    type Backend = Model;
    fn with<R>(f: impl FnOnce(&Validator<Model>, &Context) -> R) -> R {
        let validator = VALIDATOR.with_borrow(Clone::clone).expect("an execution has a validator");
        CONTEXT.with(|context| f(&validator, context))
    }
}

/// It is larger than the stack on which loom sets a model up, so that another thread makes it.
fn validator() -> Arc<Validator<Model>> {
    let make = || Box::new(Validator::new(order::ORDER, Policy::Record));
    let mut validator = std::thread::spawn(make).join().expect("it only moves memory");
    validator.place();
    validator.into()
}

/// What the validator and the model say of one execution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    /// The validator: the kind and the class of each violation.
    validator: Vec<(String, String)>,
    /// The model: whether locks were taken against the order.
    model: bool,
}

impl Said {
    fn silent() -> Self {
        Self { validator: vec![], model: false }
    }

    fn pair_of_queues() -> Self {
        Self { validator: vec![(format!("{:?}", Kind::SameClass), "Rskq".into())], model: true }
    }
}

/// Runs a scenario under a design in every interleaving; returns what was said in how many.
fn said(design: &str, scenario: &str) -> BTreeMap<Said, u64> {
    let scenario = scenario::by_name(scenario).expect("a scenario of the matrix");
    let design = designs::by_name(design).expect("a design of the matrix").design;
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    let counting = Arc::clone(&seen);
    exhaust(None, move || {
        VALIDATOR.set(Some(validator()));
        model::begin(&[]);
        let world = World::<Checked<Model, Program>>::staged(scenario, design, observer::step);
        let threads = (1..).zip(0..scenario.threads.len()).map(|(number, thread)| {
            let world = Arc::clone(&world);
            spawn(number, move || world.run(thread))
        });
        threads.collect::<Vec<_>>().into_iter().for_each(join);
        observer::end(&world);
        let model = model::take(|_, findings| findings.iter().any(|finding| finding.property == "I22"));
        drop(world);
        let validator = VALIDATOR.take().expect("it was put there");
        assert!(validator.counts().edges > 0, "nobody watched");
        let name = |class| validator.name(class).to_owned();
        let violations = (0..).map_while(|number| validator.violation(number)).map(|violation| {
            (
                format!("{:?}", violation.kind),
                violation.wanted.map_or_else(String::new, |lock| name(lock.class)),
            )
        });
        let said = Said { validator: violations.collect(), model };
        *counting.lock().expect("no panic in here").entry(said).or_default() += 1;
    });
    let seen = std::mem::take(&mut *seen.lock().expect("no panic in here"));
    println!("{} under {design:?}: {seen:?}", scenario.name);
    seen
}

/// Connections that wait, a listener that comes back, half-open requests, fast open.
const SCENARIOS: [&str; 6] = [
    "two_closers",
    "closer_closer_of_target",
    "closer_late_arrival",
    "shutdown_listen_again_arrival",
    "ack_closer",
    "fast_syn_closer",
];

/// In as many interleavings as without the validator: of its own steps a coarse model sees none.
#[test]
fn what_ships_is_silent_in_every_interleaving() {
    for design in ["abort", "requeue", "handover"] {
        for scenario in SCENARIOS {
            let said = said(design, scenario);
            assert!(said.keys().eq([&Said::silent()]), "{design}, {scenario}");
            let column = designs::by_name(design).expect("known");
            let unwatched = explore(column, scenario::by_name(scenario).expect("known"), Settings::default());
            assert_eq!(said.values().sum::<u64>(), unwatched.interleavings, "{design}, {scenario}");
        }
    }
}

/// In each interleaving the validator says of the v1 patch's pair what the model says: that it was taken
/// with the higher key first, or nothing. Of two closers only the one with the higher key does that, and
/// only if it finds the other one; the closer of the other race always does.
#[test]
fn the_v1_patchs_pair_is_reported_wherever_the_model_reports_it() {
    let of = |scenario| said("splice", scenario).into_keys().collect::<Vec<_>>();
    assert_eq!(of("two_closers"), [Said::silent(), Said::pair_of_queues()]);
    assert_eq!(of("closer_closer_of_target"), [Said::pair_of_queues()]);
}
