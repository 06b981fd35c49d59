//! The run-time lock validator under loom: contexts that teach it at once.
//!
//! Each model runs the validator that ships over loom's atomics and mutex, in every interleaving, and
//! says how each came out. The contexts declare what they take and take nothing: that admits more
//! interleavings than real locks would, and no verdict may depend on those. Beside each kind of model
//! stands a control over a back end with one part that is wrong ([`wrong`]).

mod checked;
mod classes;
mod hot_path;
mod interrupts;
mod orders;
mod second_opinion;
mod wrong;

use loom_tests::exhaust::{exhaust, join, spawn};
use rskq::lockdep::validator::{
    Acquisition, ClassId, Context, Counts, Irq, Kind, Policy, Validator, Violation,
};
use rskq::sync::loom::Loom;
use rskq::sync::model::{self, Fine, MAIN};
use rskq::sync::{Backend, Nesting};
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

/// How a race came out, and in how many interleavings each time.
struct Seen {
    name: &'static str,
    interleavings: u64,
    outcomes: BTreeMap<String, u64>,
}

/// Runs `f` in every interleaving; it returns how that one came out.
fn explore(name: &'static str, f: impl Fn() -> String + Send + Sync + 'static) -> Seen {
    let outcomes = Arc::new(Mutex::new(BTreeMap::new()));
    let counting = Arc::clone(&outcomes);
    let interleavings = exhaust(None, move || {
        model::begin(&[]);
        let outcome = f();
        model::take(|_, _| ());
        *counting.lock().expect("no panic in here").entry(outcome).or_default() += 1;
    });
    let outcomes = std::mem::take(&mut *outcomes.lock().expect("no panic in here"));
    println!("{name}: {interleavings} interleavings, {outcomes:?}");
    Seen { name, interleavings, outcomes }
}

/// Explores a race in which loom finds two accesses that nothing orders.
fn races(name: &'static str, f: impl Fn() -> String + Send + Sync + 'static) {
    let caught: Result<Seen, Box<dyn Any + Send>> = catch_unwind(AssertUnwindSafe(|| explore(name, f)));
    let Err(payload) = caught else { panic!("{name}: nothing was noticed") };
    model::enter(MAIN);
    let text = payload.downcast_ref::<String>().map_or("no text", String::as_str);
    println!("{name}: {text}");
    assert!(text.contains("Causality violation"), "{name}: {text}");
}

impl Seen {
    /// Asserts that exactly these came about.
    #[track_caller]
    fn are(&self, expected: &[&str]) {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        let outcomes: Vec<_> = self.outcomes.keys().map(String::as_str).collect();
        assert_eq!(outcomes, expected, "{}", self.name);
        assert!(self.interleavings > 1, "{}: nothing is concurrent in it", self.name);
    }

    /// Asserts of a control that something came about that must not.
    #[track_caller]
    fn notices(&self, outcome: &str) {
        assert!(self.outcomes.contains_key(outcome), "{}: {:?}", self.name, self.outcomes);
    }
}

/// A validator and what each thread was told.
struct World<B: Backend> {
    validator: Box<Validator<B>>,
    classes: Vec<ClassId>,
    told: Mutex<Vec<(u8, Violation)>>,
}

const NAMES: [&str; 4] = ["A", "B", "C", "D"];

/// A validator for one execution.
///
/// It is larger than the stack on which loom sets a model up, so that another thread makes it; loom's
/// objects are in it once it is placed, and that is done here.
fn validator<B: Backend>(order: &'static [&'static str]) -> Box<Validator<B>> {
    let make = move || Box::new(Validator::new(order, Policy::Record));
    let mut validator = std::thread::spawn(make).join().expect("it only moves memory");
    validator.place();
    validator
}

/// A validator that knows classes A, B, C, D and no order.
fn learning<B: Backend>() -> World<B> {
    let validator = validator(&[]);
    let classes = NAMES.map(|name| validator.register(name).expect("there is room")).to_vec();
    World { validator, classes, told: Mutex::default() }
}

/// The same, after each class was taken alone: three contexts then teach it at once only what they differ in.
fn familiar<B: Backend>() -> World<B> {
    let world = learning();
    let first = world.visit(0);
    (0..world.classes.len()).for_each(|class| first.nest(&[class]));
    world
}

/// A validator that was given the order A, B, C, D.
fn declared<B: Backend>() -> World<B> {
    let validator = validator(&NAMES);
    World { validator, classes: (0..4).map(ClassId::of_rank).collect(), told: Mutex::default() }
}

/// What one thread of a model does in its context.
type Body<B> = fn(&Visit<'_, B>);

/// One thread's look at the world.
struct Visit<'w, B: Backend> {
    world: &'w World<B>,
    thread: u8,
    context: Context,
}

/// Runs the threads of a model.
trait Threads: Backend {
    /// Runs these as threads 1, 2, ... at once.
    fn at_once(threads: Vec<Box<dyn FnOnce() + Send>>) {
        let threads: Vec<_> = (1..).zip(threads).map(|(thread, body)| spawn(thread, body)).collect();
        threads.into_iter().for_each(join);
    }
}

impl Threads for Loom<Fine> {}

impl<B: Threads> World<B> {
    /// Runs the bodies as threads 1, 2, ... at once.
    fn run<const N: usize>(self: &Arc<Self>, bodies: [Body<B>; N]) {
        let threads = (1..).zip(bodies).map(|(thread, body)| -> Box<dyn FnOnce() + Send> {
            let world = Arc::clone(self);
            Box::new(move || body(&world.visit(thread)))
        });
        B::at_once(threads.collect());
    }
}

impl<B: Backend> World<B> {
    /// A context in which no interrupts come.
    fn visit(&self, thread: u8) -> Visit<'_, B> {
        let context = Context::new();
        context.irqs_off(Irq::Hard);
        Visit { world: self, thread, context }
    }

    /// Who was told of violations, one word each.
    fn reporters(&self) -> String {
        let told = self.told.lock().expect("no panic in here");
        let mut who: Vec<_> = told.iter().map(|(thread, _)| format!("T{thread}")).collect();
        who.sort_unstable();
        if who.is_empty() { "nobody".into() } else { who.join(" ") }
    }

    fn counts(&self) -> Counts {
        self.validator.counts()
    }
}

impl<B: Backend> Visit<'_, B> {
    fn lock(&self, class: usize) -> Acquisition {
        Acquisition::of(&self.world.classes[class], self.world.classes[class], 0)
    }

    fn note(&self, verdict: Result<(), Violation>) {
        if let Err(violation) = verdict {
            self.world.told.lock().expect("no panic in here").push((self.thread, violation));
        }
    }

    /// Takes locks of these classes one in another, and releases them.
    fn nest(&self, classes: &[usize]) {
        let validator = &self.world.validator;
        for &class in classes {
            self.note(validator.before_lock(&self.context, self.lock(class), Nesting::None));
            self.note(validator.locked(&self.context, self.lock(class)));
        }
        for &class in classes.iter().rev() {
            self.note(validator.unlocked(&self.context, self.lock(class)));
        }
    }

    /// Does the same as a handler of hardware interrupts.
    fn handle(&self, classes: &[usize]) {
        let interrupted = self.context.enter(Irq::Hard);
        self.nest(classes);
        self.context.leave(interrupted);
    }

    /// Does the same with interrupts on.
    fn nest_exposed(&self, classes: &[usize]) {
        self.note(self.world.validator.irqs_on(&self.context, Irq::Hard));
        self.nest(classes);
        self.context.irqs_off(Irq::Hard);
    }
}
