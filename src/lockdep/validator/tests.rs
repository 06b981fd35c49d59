//! The validator on one thread: tables that run full, odd releases, interrupts, and what is printed.

mod interrupts;
mod limits;
mod pieces;
mod text;

use super::{Acquisition, ClassId, Context, Kind, Policy, Validator, Violation};
use crate::sync::{Core, Nesting};

type Backend = Core<spin::Mutex<()>>;

/// A validator that was told of these classes and of no order.
struct World<const N: usize> {
    validator: Validator<Backend>,
    classes: [ClassId; N],
}

const NAMES: [&str; 4] = ["A", "B", "C", "D"];

fn learning<const N: usize>() -> World<N> {
    let validator = Validator::new(&[], Policy::Record);
    let classes = core::array::from_fn(|i| validator.register(NAMES[i]).unwrap());
    World { validator, classes }
}

impl<const N: usize> World<N> {
    /// The lock of the class's number and this key; locks with different keys are different locks.
    #[track_caller]
    fn a(&self, class: usize, key: u32) -> Acquisition {
        Acquisition { address: class << 8 | key as usize, ..Acquisition::of(self, self.classes[class], key) }
    }

    /// Waits for a lock and takes it, whatever the validator says.
    #[track_caller]
    fn lock(&self, context: &Context, class: usize) -> Result<(), Violation> {
        self.lock_as(context, self.a(class, 0), Nesting::None)
    }

    fn lock_as(&self, context: &Context, lock: Acquisition, nesting: Nesting) -> Result<(), Violation> {
        let verdict = self.validator.before_lock(context, lock, nesting);
        verdict.and(self.validator.locked(context, lock))
    }

    #[track_caller]
    fn unlock(&self, context: &Context, class: usize) -> Result<(), Violation> {
        self.validator.unlocked(context, self.a(class, 0))
    }

    /// Takes the locks one in another and releases them; returns what was said of the last.
    #[track_caller]
    fn nest(&self, context: &Context, classes: &[usize]) -> Result<(), Violation> {
        let mut verdict = Ok(());
        for &class in classes {
            verdict = self.lock(context, class);
        }
        for &class in classes.iter().rev() {
            self.unlock(context, class).expect("it is held");
        }
        verdict
    }
}

fn kind(verdict: Result<(), Violation>) -> Option<Kind> {
    verdict.err().map(|violation| violation.kind)
}

/// 1. A before B is learned; B before A is reported, each time, as one violation, and not learned.
/// 2. The validator still learns, and still finds the next.
#[test]
fn it_goes_on_after_a_violation() {
    let w = learning::<3>();
    let cpu = Context::new();
    assert_eq!(w.nest(&cpu, &[0, 1]), Ok(()));
    for times in 1..=3 {
        let violation = w.nest(&cpu, &[1, 0]).unwrap_err();
        assert_eq!((violation.kind, violation.seen), (Kind::Cycle, times));
    }
    assert_eq!(w.nest(&cpu, &[0, 1]), Ok(()), "the right order stays right");
    assert_eq!(w.nest(&cpu, &[1, 2]), Ok(()));
    assert_eq!(kind(w.nest(&cpu, &[2, 0])), Some(Kind::Cycle));
    let counts = w.validator.counts();
    assert_eq!((counts.violations, counts.repeated, counts.edges), (2, 2, 2));
    assert_eq!(w.validator.violation(0).unwrap().seen, 3);
    assert_eq!(w.validator.violation(2), None);
}

/// An order is drawn from every lock held, so that it does not matter which of them goes first.
#[test]
fn a_lock_released_in_the_middle_leaves_its_orders() {
    let w = learning::<3>();
    let cpu = Context::new();
    for class in [0, 1, 2] {
        w.lock(&cpu, class).unwrap();
    }
    for class in [1, 0, 2] {
        w.unlock(&cpu, class).unwrap();
    }
    assert_eq!(kind(w.nest(&cpu, &[2, 0])), Some(Kind::Cycle));
    assert_eq!(cpu.held().count(), 0);
}

/// A declared order is wrong the other way round at its first sight; other classes learn theirs.
#[test]
fn a_declared_order_needs_not_be_seen() {
    let validator = Validator::<Backend>::new(&["A", "B"], Policy::Record);
    let classes = ["A", "B", "C"].map(|name| validator.register(name).unwrap());
    assert_eq!(classes[1], ClassId::of_rank(1));
    let w = World { validator, classes };
    let cpu = Context::new();
    assert_eq!(kind(w.nest(&cpu, &[1, 0])), Some(Kind::Cycle));
    // A is declared before B: whoever says B before C before A says the contrary.
    assert_eq!(w.nest(&cpu, &[1, 2]), Ok(()));
    assert_eq!(kind(w.nest(&cpu, &[2, 0])), Some(Kind::Cycle));
}

/// A trylock waits for nobody: no order leads to it. Orders lead away from it.
#[test]
fn a_trylock_has_orders_in_one_direction() {
    let w = learning::<2>();
    let cpu = Context::new();
    w.nest(&cpu, &[0, 1]).unwrap();
    w.lock(&cpu, 1).unwrap();
    assert_eq!(w.validator.try_locked(&cpu, w.a(0, 0)), Ok(()), "A tried under B");
    w.unlock(&cpu, 0).unwrap();
    w.unlock(&cpu, 1).unwrap();
    w.validator.try_locked(&cpu, w.a(1, 0)).unwrap();
    assert_eq!(kind(w.lock(&cpu, 0)), Some(Kind::Cycle), "A waited for under a B that was tried");
}

/// Two locks of one class: by ascending keys as a pair, any number of times; nothing else.
#[test]
fn a_pair_is_ordered_by_its_keys() {
    let w = learning::<2>();
    let cpu = Context::new();
    let both = |keys: [u32; 2], nesting| {
        w.lock_as(&cpu, w.a(0, keys[0]), Nesting::Ordered).unwrap();
        let verdict = w.lock_as(&cpu, w.a(0, keys[1]), nesting);
        // The first released first: the second still counts as held.
        w.validator.unlocked(&cpu, w.a(0, keys[0])).unwrap();
        assert!(w.validator.before_lock(&cpu, w.a(0, 9), Nesting::None).is_err());
        w.validator.unlocked(&cpu, w.a(0, keys[1])).unwrap();
        kind(verdict)
    };
    for _ in 0..2 {
        assert_eq!(both([0, 1], Nesting::Ordered), None);
    }
    assert_eq!(both([1, 0], Nesting::Ordered), Some(Kind::SameClass));
    assert_eq!(both([0, 1], Nesting::None), Some(Kind::SameClass));
    assert_eq!(both([1, 1], Nesting::Ordered), Some(Kind::Recursion));
}

/// A pair with another class between its two locks is no pair: both orders of the two classes.
#[test]
fn a_lock_between_a_pair_is_a_cycle() {
    let w = learning::<2>();
    let cpu = Context::new();
    w.lock_as(&cpu, w.a(0, 0), Nesting::Ordered).unwrap();
    w.lock(&cpu, 1).unwrap();
    assert_eq!(kind(w.lock_as(&cpu, w.a(0, 1), Nesting::Ordered)), Some(Kind::Cycle));
}

/// Nothing that one context holds is held by another.
#[test]
fn contexts_hold_for_themselves() {
    let w = learning::<2>();
    let (one, other) = (Context::new(), Context::new());
    w.lock(&one, 0).unwrap();
    w.nest(&other, &[1]).unwrap();
    w.nest(&other, &[0]).unwrap();
    assert_eq!(w.validator.counts().edges, 0);
    assert_eq!(kind(w.unlock(&other, 0)), Some(Kind::NotHeld));
}

/// The policy gets each distinct violation once, with no lock held: it may use validated locks.
#[test]
fn a_report_may_take_locks() {
    use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static REPORTS: AtomicU32 = AtomicU32::new(0);
    fn report(report: super::Report<'_, Backend>) {
        let lock = Acquisition::of(&REPORTS, report.validator.register("log").unwrap(), 0);
        let cpu = Context::new();
        report.validator.before_lock(&cpu, lock, Nesting::None).unwrap();
        assert_eq!(report.violation().kind, Kind::Cycle);
        REPORTS.fetch_add(1, Relaxed);
    }
    let validator = Validator::new(&["A", "B"], Policy::Report(report));
    let classes = [0, 1].map(ClassId::of_rank);
    let w = World { validator, classes };
    for _ in 0..3 {
        w.validator.obey(w.nest(&Context::new(), &[1, 0]));
    }
    assert_eq!(REPORTS.load(Relaxed), 1);
}

#[test]
#[should_panic(expected = "possible deadlock: the lock order has a cycle")]
fn a_panic_is_a_policy() {
    let validator = Validator::new(&["A", "B"], Policy::Panic);
    let w = World { validator, classes: [0, 1].map(ClassId::of_rank) };
    w.validator.obey(w.nest(&Context::new(), &[1, 0]));
}
