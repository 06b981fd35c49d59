//! Tables that run full, and input that makes no sense.

use super::super::{ClassKey, Irq, MAX_CLASSES, MAX_EDGES, MAX_HELD, MAX_VIOLATIONS, Table};
use super::*;
extern crate std;
use std::string::ToString;
use std::vec::Vec;

/// Names that outlive every validator.
static NUMBERED: std::sync::LazyLock<Vec<std::string::String>> =
    std::sync::LazyLock::new(|| (0..MAX_CLASSES + 1).map(|i| std::format!("class {i}")).collect());

fn full() -> World<MAX_CLASSES> {
    let validator = Validator::new(&[], Policy::Record);
    let classes = core::array::from_fn(|i| validator.register(&NUMBERED[i]).unwrap());
    World { validator, classes }
}

/// The 65th class is refused, reported once and counted; the others go on.
#[test]
fn a_full_class_table_is_reported_and_counted() {
    let w = full();
    for times in 1..=2 {
        let violation = w.validator.register(&NUMBERED[MAX_CLASSES]).unwrap_err();
        assert_eq!((violation.kind, violation.seen), (Kind::Full(Table::Classes), times));
    }
    let key = ClassKey::new("one more");
    assert!(key.id(&w.validator).is_err() && key.id(&w.validator).is_err());
    let counts = w.validator.counts();
    assert_eq!((counts.classes as usize, counts.classes_refused), (MAX_CLASSES, 4));
    let text = w.validator.report(w.validator.violation(0).unwrap()).to_string();
    assert!(text.starts_with("no room in the class table: locks of a class are not checked\n"), "{text}");
    assert_eq!(w.validator.register(&NUMBERED[7]), Ok(w.classes[7]), "a known name still is");
    let cpu = Context::new();
    w.nest(&cpu, &[62, 63]).unwrap();
    assert_eq!(kind(w.nest(&cpu, &[63, 62])), Some(Kind::Cycle));
}

/// With more orders than the table has sites for, the first too many is reported and every one is
/// still checked.
#[test]
fn a_full_table_of_sites_is_reported_and_every_order_is_checked() {
    let w = full();
    let cpu = Context::new();
    let mut full = 0;
    for first in 0..MAX_CLASSES {
        for second in first + 1..MAX_CLASSES {
            match w.nest(&cpu, &[first, second]) {
                Ok(()) => (),
                Err(violation) => {
                    full += 1;
                    assert_eq!((violation.kind, violation.seen), (Kind::Full(Table::Edges), full));
                }
            }
            assert_eq!(w.nest(&cpu, &[first, second]), Ok(()), "said once for each order");
        }
    }
    let counts = w.validator.counts();
    assert_eq!((counts.edges as usize, counts.edges_unseen), (MAX_EDGES, full));
    assert_eq!(MAX_EDGES + full as usize, MAX_CLASSES * (MAX_CLASSES - 1) / 2);
    let mut last = None;
    for first in 0..MAX_CLASSES {
        for second in first + 1..MAX_CLASSES {
            last = w.nest(&cpu, &[second, first]).err();
            assert_eq!(last.map(|violation| violation.kind), Some(Kind::Cycle));
        }
    }
    // Those were many more than are kept; the others were returned and counted.
    let counts = w.validator.counts();
    assert_eq!(counts.violations as usize, MAX_VIOLATIONS);
    assert_eq!((counts.violations_lost + counts.violations - 1) as usize, MAX_EDGES + full as usize);
    let last = last.unwrap();
    assert_eq!(last.seen, counts.violations_lost, "one that is not kept tells how many are not");
    let text = w.validator.report(last).to_string();
    assert!(
        text.contains("class 62 before class 63, seen where there was no room to note the sites\n"),
        "{text}"
    );
}

/// A context that holds more than it can write down says so, and finds its feet again.
#[test]
fn a_full_held_stack_is_reported_and_recovers() {
    let w = full();
    let cpu = Context::new();
    for class in 0..MAX_HELD + 2 {
        // Taken without waiting: the table of sites is smaller than all orders between so many.
        let verdict = w.validator.try_locked(&cpu, w.a(class, 0));
        let expected = (class >= MAX_HELD).then_some(Kind::Full(Table::Held));
        assert_eq!(kind(verdict), expected);
    }
    assert_eq!(w.validator.counts().held_unseen, 2);
    for class in (0..MAX_HELD + 2).rev() {
        assert_eq!(w.unlock(&cpu, class), Ok(()));
    }
    assert_eq!(cpu.held().count(), 0);
    assert_eq!(kind(w.unlock(&cpu, 0)), Some(Kind::NotHeld));
    w.nest(&cpu, &[0, 1]).unwrap();
    assert_eq!(kind(w.nest(&cpu, &[1, 0])), Some(Kind::Cycle));
}

/// A class that nobody registered, and a release of what is not held.
#[test]
fn nonsense_is_reported() {
    let w = learning::<1>();
    let cpu = Context::new();
    let unknown = Acquisition::of(&w, ClassId::of_rank(9), 0);
    assert_eq!(kind(w.validator.before_lock(&cpu, unknown, Nesting::None)), Some(Kind::UnknownClass));
    // Also where nothing is to be learned of a class that is known.
    let cpu = Context::new();
    cpu.irqs_off(Irq::Hard);
    assert_eq!(kind(w.validator.before_lock(&cpu, unknown, Nesting::None)), Some(Kind::UnknownClass));
    assert_eq!(kind(w.unlock(&cpu, 0)), Some(Kind::NotHeld));
    w.lock(&cpu, 0).unwrap();
    w.unlock(&cpu, 0).unwrap();
    assert_eq!(w.unlock(&cpu, 0).unwrap_err().seen, 2);
}

/// A key asks once and answers the same from then on.
#[test]
fn keys_of_one_name_are_one_class() {
    let w = learning::<1>();
    let (one, same) = (ClassKey::new("A"), ClassKey::new("A"));
    for key in [&one, &same, &one] {
        assert_eq!(key.id(&w.validator), Ok(w.classes[0]));
    }
}

/// What the documentation says of memory.
#[test]
fn sizes() {
    assert!(size_of::<Validator<Backend>>() < 20 << 10);
    assert!(size_of::<Context>() < 5 << 9);
    assert!(size_of::<Violation>() <= 64);
}

/// Each CPU has its own context, and finds in it what it left.
#[test]
fn contexts_by_cpu_number() {
    static CPUS: super::super::PerCpu<2> = super::super::PerCpu::new();
    let w = learning::<2>();
    for cpu in 0..2 {
        // SAFETY: this thread alone uses the contexts.
        unsafe { CPUS.with(cpu, |context| w.lock(context, cpu)) }.unwrap();
    }
    for cpu in 0..2 {
        // SAFETY: as above.
        unsafe { CPUS.with(cpu, |context| w.unlock(context, cpu)) }.unwrap();
    }
}
