//! What a person reads.

use super::super::Irq;
use super::*;
extern crate std;
use std::string::{String, ToString};

/// The report's text, with lines of this file as `@n`, counted from the smallest.
fn text<const N: usize>(w: &World<N>, verdict: Result<(), Violation>) -> String {
    let text = w.validator.report(verdict.unwrap_err()).to_string();
    let here = file!();
    let mut lines: std::vec::Vec<u32> = std::vec::Vec::new();
    for part in text.split(here).skip(1) {
        lines.push(part[1..].split(':').next().unwrap().parse().unwrap());
    }
    lines.sort_unstable();
    lines.dedup();
    let mut result = text;
    for (n, line) in lines.iter().enumerate() {
        let site = std::format!("{here}:{line}:");
        while let Some(at) = result.find(&site) {
            let column = result[at + site.len()..].find(|c: char| !c.is_ascii_digit());
            let end = column.map_or(result.len(), |n| at + site.len() + n);
            result.replace_range(at..end, &std::format!("@{n}"));
        }
    }
    result
}

/// Three classes in a ring: the classes, every site, and a schedule for three CPUs.
#[test]
fn a_cycle_of_three() {
    let w = learning::<3>();
    let cpu = Context::new();
    let nest = |first: Acquisition, second: Acquisition| {
        w.lock_as(&cpu, first, Nesting::None).unwrap();
        let verdict = w.lock_as(&cpu, second, Nesting::None);
        w.validator.unlocked(&cpu, second).unwrap();
        w.validator.unlocked(&cpu, first).unwrap();
        verdict
    };
    let a = w.a(0, 7);
    let b = w.a(1, 0);
    nest(a, b).unwrap();
    let b = w.a(1, 0);
    let c = w.a(2, 0);
    nest(b, c).unwrap();
    let c = w.a(2, 0);
    let a = w.a(0, 8);
    let expected = "\
possible deadlock: the lock order has a cycle
  wanted: A(8) at @5
  held:   C(0) taken at @4
the order that is known:
  A before B, first seen:
    A taken at @0
    B taken at @1
  B before C, first seen:
    B taken at @2
    C taken at @3
a schedule that deadlocks:
  CPU 0                   CPU 1                   CPU 2
  lock(C)
                          lock(A)
                                                  lock(B)
  lock(A) waits
                          lock(B) waits
                                                  lock(C) waits
seen 1 times";
    let verdict = nest(c, a);
    assert_eq!(text(&w, verdict), expected);
}

#[test]
fn an_order_that_was_only_declared() {
    let validator = Validator::new(&["A", "B"], Policy::Record);
    let w = World { validator, classes: [0, 1].map(ClassId::of_rank) };
    let verdict = w.nest(&Context::new(), &[1, 0]);
    let text = text(&w, verdict);
    assert!(text.contains("  A before B, as declared, and not seen yet\n"), "{text}");
}

#[test]
fn a_pair() {
    let w = learning::<1>();
    let cpu = Context::new();
    let one = w.a(0, 2);
    let other = w.a(0, 1);
    w.lock_as(&cpu, one, Nesting::None).unwrap();
    let expected = "\
possible deadlock: two locks of one class, not in the order of their keys
  wanted: A(1) at @1
  held:   A(2) taken at @0
a schedule that deadlocks:
  CPU 0                   CPU 1
  lock(A(2))
                          lock(A(1))
  lock(A(1)) waits
                          lock(A(2)) waits
seen 1 times";
    assert_eq!(text(&w, w.lock_as(&cpu, other, Nesting::Ordered)), expected);
}

/// The order of handlers over three classes, with the new order in the middle.
#[test]
fn an_order_of_handlers() {
    let w = learning::<3>();
    let cpu = Context::new();
    let handler = cpu.enter(Irq::Hard);
    w.nest(&cpu, &[0]).unwrap();
    cpu.leave(handler);
    w.nest(&cpu, &[2]).unwrap();
    cpu.irqs_off(Irq::Hard);
    w.nest(&cpu, &[0, 1]).unwrap();
    let verdict = w.nest(&cpu, &[1, 2]);
    let expected = "\
possible deadlock: a lock of hardirq handlers comes before one held while hardirqs are on
  wanted: C(0) at @3
  held:   B(0) taken at @3
  A is taken in a hardirq handler, first at @0
  C is held with hardirqs on, first at @1
the order that is known:
  A before B, first seen:
    A taken at @2
    B taken at @2
a schedule that deadlocks:
  CPU 0                   CPU 1
  lock(C)
                          hardirqs off
                          lock(A)
                          lock(C) waits
  <hardirq>
    lock(A) waits
seen 1 times";
    assert_eq!(text(&w, verdict), expected);
}

/// The same with the order known and the handler seen last.
#[test]
fn an_order_of_handlers_that_was_known() {
    let w = learning::<3>();
    let cpu = Context::new();
    w.nest(&cpu, &[2]).unwrap();
    cpu.irqs_off(Irq::Hard);
    w.nest(&cpu, &[0, 1]).unwrap();
    w.nest(&cpu, &[1, 2]).unwrap();
    let _handler = cpu.enter(Irq::Hard);
    let verdict = w.nest(&cpu, &[0]);
    let text = text(&w, verdict);
    let expected = "\
  wanted: A(0) at @3
  A is taken in a hardirq handler, now
  C is held with hardirqs on, first at @0
the order that is known:
  A before B, first seen:
    A taken at @1
    B taken at @1
  B before C, first seen:
    B taken at @2
    C taken at @2
a schedule";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_lock_of_handlers() {
    let w = learning::<1>();
    let cpu = Context::new();
    let handler = cpu.enter(Irq::Soft);
    w.nest(&cpu, &[0]).unwrap();
    cpu.leave(handler);
    let verdict = w.nest(&cpu, &[0]);
    let expected = "\
possible deadlock: a lock of softirq handlers is held while softirqs are on
  wanted: A(0) at @1
  A is taken in a softirq handler, first at @0
  A is held with softirqs on, now
a schedule that deadlocks:
  CPU 0
  lock(A)
  <softirq>
    lock(A) waits
seen 1 times";
    assert_eq!(text(&w, verdict), expected);
}

/// Where a schedule's second column begins.
fn column(text: &str) -> usize {
    let heading = text.lines().find(|line| line.contains("CPU 0")).unwrap();
    heading.find("CPU 1").unwrap()
}

/// A column is as wide as the longest name with what is written around it, and no wider.
#[test]
fn a_schedule_has_room_for_long_names() {
    let learning = |names: [&'static str; 2]| {
        let validator = Validator::new(&[], Policy::Record);
        let classes = names.map(|name| validator.register(name).unwrap());
        World { validator, classes }
    };
    const LONG: &str = "twenty letters, or so";
    for names in [[LONG, "B"], ["A", LONG]] {
        let w = learning(names);
        let cpu = Context::new();
        w.nest(&cpu, &[0, 1]).unwrap();
        let cycle = column(&text(&w, w.nest(&cpu, &[1, 0])));
        assert_eq!(cycle, 2 + if names[0] == LONG { LONG.len() + 14 } else { 24 }, "who is waited for first");

        let w = learning(names);
        w.lock(&cpu, 0).unwrap();
        w.lock(&cpu, 1).unwrap();
        for class in [0, 1] {
            let pair = column(&text(&w, w.lock_as(&cpu, w.a(class, 1), Nesting::None)));
            assert_eq!(pair, 2 + if names[class] == LONG { LONG.len() + 20 } else { 24 });
            w.unlock(&cpu, class).unwrap();
            w.validator.unlocked(&cpu, w.a(class, 1)).unwrap();
        }

        let w = learning(names);
        let handler = cpu.enter(Irq::Hard);
        w.nest(&cpu, &[0]).unwrap();
        cpu.leave(handler);
        w.nest(&cpu, &[1]).unwrap();
        cpu.irqs_off(Irq::Hard);
        let verdict = w.nest(&cpu, &[0, 1]);
        w.validator.irqs_on(&cpu, Irq::Hard).unwrap();
        assert_eq!(column(&text(&w, verdict)), 2 + LONG.len() + 16);
    }
}
