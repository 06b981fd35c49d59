//! The classed mutex over a back end that is both validated and modeled.

use crate::{explore, validator};
use loom_tests::exhaust::{join, spawn};
use rskq::lockdep::validator::{Context, Irq, Kind, Validator};
use rskq::lockdep::{Checked, Embedder, Held, Mutex, Nothing, order};
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use std::cell::RefCell;
use std::sync::Arc;

type Model = Loom<Fine>;

/// The validator of the execution that runs, with a context for each thread of the model.
struct Program;

std::thread_local! {
    // All threads of a model run on the OS thread of its test.
    static VALIDATOR: RefCell<Option<Arc<Validator<Model>>>> = const { RefCell::new(None) };
}
loom::thread_local! {
    // One each, whichever the model runs.
    static CONTEXT: Context = no_interrupts();
}

fn no_interrupts() -> Context {
    let context = Context::new();
    context.irqs_off(Irq::Hard);
    context
}

impl Embedder for Program {
    type Backend = Model;
    fn with<R>(f: impl FnOnce(&Validator<Model>, &Context) -> R) -> R {
        let validator = VALIDATOR.with_borrow(Clone::clone).expect("an execution has a validator");
        CONTEXT.with(|context| f(&validator, context))
    }
}

type B = Checked<Model, Program>;

struct Locks {
    reuseport: Mutex<u32, order::Reuseport, B>,
    rskq: Mutex<u32, order::Rskq, B>,
}

fn run(nest: [fn(&Locks); 2]) -> String {
    VALIDATOR.set(Some(validator(order::ORDER).into()));
    let mut locks = Locks { reuseport: Mutex::new(0), rskq: Mutex::new(0) };
    locks.reuseport.place(0);
    locks.rskq.place(0);
    let locks = Arc::new(locks);
    let threads = (1..).zip(nest).map(|(thread, nest)| {
        let locks = Arc::clone(&locks);
        spawn(thread, move || nest(&locks))
    });
    threads.collect::<Vec<_>>().into_iter().for_each(join);
    let validator = VALIDATOR.take().expect("it was put there");
    let kind = validator.violation(0).map(|violation| violation.kind);
    assert!(kind.is_none_or(|kind| kind == Kind::Cycle), "{kind:?}");
    let counts = validator.counts();
    format!("{} violations, {} orders", counts.violations, counts.edges)
}

fn nothing() -> Held<'static, Nothing> {
    // SAFETY: each body takes each lock once, and that two of its tokens say nothing is held is what
    // its name says is wrong.
    unsafe { Held::nothing() }
}

fn in_order(locks: &Locks) {
    let mut held = nothing();
    let (_reuseport, mut held) = locks.reuseport.lock_and(&mut held);
    let _rskq = locks.rskq.lock(&mut held);
}

fn reversed(locks: &Locks) {
    let (mut one, mut other) = (nothing(), nothing());
    let _rskq = locks.rskq.lock(&mut one);
    let _reuseport = locks.reuseport.lock(&mut other);
}

fn inner_only(locks: &Locks) {
    let mut held = nothing();
    let _rskq = locks.rskq.lock(&mut held);
}

/// Two threads that keep the order: it is learned once, whoever is first, and nothing is said.
#[test]
fn a_mutex_is_validated_and_modeled() {
    explore("checked: in order", || run([in_order, in_order])).are(&["0 violations, 1 orders"]);
}

/// One thread that does not, in every interleaving with one that takes one of the locks.
#[test]
fn a_mutex_control_reversed() {
    explore("control: checked, reversed", || run([reversed, inner_only])).are(&["1 violations, 0 orders"]);
}
