//! The model checker's column: every interleaving of the scripts, with locks that wait.

use crate::cases::{Case, L, Model, Step};
use loom_tests::exhaust::{exhaust, join, spawn};
use rskq::sync::loom::Loom;
use rskq::sync::model::{self, Deadlock, Fine, MAIN};
use rskq::sync::{AtomicU32, Backend, Lock, LockTag, Nesting};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A lock of a model.
trait Waits: Send + Sync + 'static {
    type Held: 'static;
    fn new() -> Self;
    fn wait(&self, lock: L, nesting: Nesting) -> Self::Held;
    fn try_take(&self, lock: L) -> Option<Self::Held>;
    fn release(&self, lock: L, held: Self::Held);
}

/// The crate's lock of models, which knows its place in the order and who waits for whom.
struct Known(<Loom<Fine> as Backend>::Lock);

fn tag((class, key): L) -> LockTag {
    LockTag { class: ["A", "B", "C"][usize::from(class)], rank: class, key }
}

impl Waits for Known {
    type Held = <<Loom<Fine> as Backend>::Lock as Lock>::GuardState;

    fn new() -> Self {
        let mut lock = Lock::INIT;
        <<Loom<Fine> as Backend>::Lock as Lock>::place(&mut lock);
        Self(lock)
    }
    fn wait(&self, lock: L, nesting: Nesting) -> Self::Held {
        self.0.lock(tag(lock), nesting)
    }
    fn try_take(&self, _: L) -> Option<Self::Held> {
        unreachable!("cases with trylocks run on `Tried`")
    }
    fn release(&self, lock: L, held: Self::Held) {
        // SAFETY: `held` comes from `wait` on this lock in this thread, and is consumed.
        unsafe { self.0.unlock(tag(lock), held) }
    }
}

/// A lock that can be tried. loom's mutex cannot: it reports a deadlock where a trylock meets a waiter.
/// This one knows no order, so that a case with trylocks is a deadlock or silent.
struct Tried {
    taken: loom::sync::Mutex<bool>,
    free: loom::sync::Condvar,
}

impl Waits for Tried {
    type Held = ();

    fn new() -> Self {
        Self { taken: loom::sync::Mutex::new(false), free: loom::sync::Condvar::new() }
    }
    fn wait(&self, _: L, _: Nesting) {
        let mut taken = self.taken.lock().unwrap();
        while *taken {
            taken = self.free.wait(taken).unwrap();
        }
        *taken = true;
    }
    fn try_take(&self, _: L) -> Option<()> {
        let mut taken = self.taken.lock().unwrap();
        (!std::mem::replace(&mut *taken, true)).then_some(())
    }
    fn release(&self, _: L, (): ()) {
        *self.taken.lock().unwrap() = false;
        self.free.notify_one();
    }
}

type Word = <Loom<Fine> as Backend>::AtomicU32;

struct World<W> {
    locks: BTreeMap<L, W>,
    /// A device raises an interrupt; every CPU has a handler for it.
    raised: Word,
    handler: Option<&'static [Step]>,
}

/// What one CPU does and holds.
struct Cpu<'w, W: Waits> {
    world: &'w World<W>,
    held: Vec<(L, W::Held)>,
    interrupts_on: bool,
    handled: bool,
}

impl<W: Waits> Cpu<'_, W> {
    fn wait(&mut self, lock: L, nesting: Nesting) {
        let held = self.world.locks[&lock].wait(lock, nesting);
        self.held.push((lock, held));
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Lock(lock) => self.wait(lock, Nesting::None),
            Step::Nested(lock) => self.wait(lock, Nesting::Ordered),
            Step::Pair(one, other) => {
                self.wait(one.min(other), Nesting::None);
                self.wait(one.max(other), Nesting::Ordered);
            }
            Step::Try(lock) => {
                if let Some(held) = self.world.locks[&lock].try_take(lock) {
                    self.held.push((lock, held));
                }
            }
            Step::Drop(lock) => {
                if let Some(place) = self.held.iter().rposition(|&(held, _)| held == lock) {
                    let (_, held) = self.held.remove(place);
                    self.world.locks[&lock].release(lock, held);
                }
            }
            Step::Off => self.interrupts_on = false,
            Step::On => self.interrupts_on = true,
        }
    }

    /// An interrupt may come between any two steps: the handler runs here, on what is held here.
    fn interruptible(&mut self) {
        let Some(handler) = self.world.handler else { return };
        if self.interrupts_on && !self.handled && self.world.raised.load(Ordering::Acquire) == 1 {
            (self.handled, self.interrupts_on) = (true, false);
            handler.iter().for_each(|&step| self.step(step));
            self.interrupts_on = true;
        }
    }

    fn run(&mut self, script: &[Step]) {
        for &step in script {
            self.interruptible();
            self.step(step);
        }
        self.interruptible();
    }
}

fn execution<W: Waits>(case: &Case) {
    let locks = case.scripts().flatten().flat_map(|step| step.takes()).map(|lock| (lock, W::new())).collect();
    let mut raised = Word::ZERO;
    raised.place(0);
    let world = Arc::new(World { locks, raised, handler: case.handler });
    let mut threads = Vec::new();
    for (thread, &script) in (1..).zip(case.threads) {
        let world = Arc::clone(&world);
        threads.push(spawn(thread, move || {
            Cpu { world: &world, held: Vec::new(), interrupts_on: true, handled: false }.run(script);
        }));
    }
    if case.handler.is_some() {
        let world = Arc::clone(&world);
        threads.push(spawn(threads.len() as u8 + 1, move || world.raised.store(1, Ordering::Release)));
    }
    threads.into_iter().for_each(join);
}

/// Explores all interleavings, unless one ends in a deadlock.
pub(crate) fn verdict(case: Case) -> Model {
    let tries = case.scripts().flatten().any(|step| matches!(step, Step::Try(_)));
    let against_order = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&against_order);
    let explored = catch_unwind(AssertUnwindSafe(|| {
        exhaust(None, move || {
            model::begin(&[]);
            if tries {
                execution::<Tried>(&case)
            } else {
                execution::<Known>(&case)
            }
            let order = model::take(|_, findings| findings.iter().any(|f| f.property == "I22"));
            seen.fetch_or(order, Ordering::Relaxed);
        })
    }));
    model::enter(MAIN);
    match explored {
        Ok(interleavings) => {
            println!("  {}: {interleavings} interleavings", case.name);
            let order = against_order.load(Ordering::Relaxed);
            if order { Model::Order } else { Model::Silent }
        }
        Err(payload) => {
            if let Some(deadlock) = payload.downcast_ref::<Deadlock>() {
                println!("  {}", deadlock.to_string().trim_end().replace('\n', "\n  "));
            } else {
                let text = payload.downcast_ref::<String>().expect("a panic with a text");
                assert!(text.starts_with("deadlock"), "{}: {text}", case.name);
            }
            Model::Deadlock
        }
    }
}

/// Why cases with trylocks have a lock of their own: only one of these two threads ever waits, so that
/// nothing can deadlock, and with loom's own mutex one is reported. If this fails, `Tried` can go.
#[test]
fn looms_own_trylock_reports_a_deadlock_where_none_is() {
    let explored = catch_unwind(|| {
        exhaust(None, || {
            model::begin(&[]);
            let locks = Arc::new([(); 2].map(|()| loom::sync::Mutex::new(())));
            let bodies: [fn(&[loom::sync::Mutex<()>; 2]); 2] = [
                |[a, b]| drop((a.lock().unwrap(), b.try_lock())),
                |[a, b]| drop((b.lock().unwrap(), a.lock().unwrap())),
            ];
            let threads = (1..).zip(bodies).map(|(thread, body)| {
                let locks = Arc::clone(&locks);
                spawn(thread, move || body(&locks))
            });
            threads.collect::<Vec<_>>().into_iter().for_each(join);
        })
    });
    model::enter(MAIN);
    let payload = explored.expect_err("loom tells a trylock from a wait");
    let text = payload.downcast_ref::<String>().expect("a panic with a text");
    assert!(text.starts_with("deadlock"), "{text}");
}
