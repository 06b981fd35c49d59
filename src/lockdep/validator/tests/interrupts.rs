//! Handlers and what they interrupt.

use super::super::Irq;
use super::*;

/// Runs `f` as a handler of `irq` would run.
fn handler<R>(context: &Context, irq: Irq, f: impl FnOnce() -> R) -> R {
    let interrupted = context.enter(irq);
    let result = f();
    context.leave(interrupted);
    result
}

const BOTH: [Irq; 2] = [Irq::Soft, Irq::Hard];

/// Taken by a handler, then held where the handler may come; and the other way round.
#[test]
fn a_lock_of_handlers_must_not_be_held_while_they_may_come() {
    for irq in BOTH {
        let w = learning::<2>();
        let cpu = Context::new();
        handler(&cpu, irq, || w.nest(&cpu, &[0])).unwrap();
        assert_eq!(kind(w.nest(&cpu, &[0])), Some(Kind::IrqState(irq)));
        w.nest(&cpu, &[1]).unwrap();
        assert_eq!(kind(handler(&cpu, irq, || w.nest(&cpu, &[1]))), Some(Kind::IrqState(irq)));
    }
}

/// With the interrupts off it is right, in any order of seeing.
#[test]
fn a_lock_of_handlers_may_be_held_while_they_cannot_come() {
    for irq in BOTH {
        let w = learning::<2>();
        let cpu = Context::new();
        for _ in 0..2 {
            assert!(cpu.irqs_off(irq));
            assert!(!cpu.irqs_off(irq));
            w.nest(&cpu, &[0]).unwrap();
            w.validator.irqs_on(&cpu, irq).unwrap();
            handler(&cpu, irq, || w.nest(&cpu, &[0])).unwrap();
        }
    }
}

/// No softirq comes where no hardware interrupt does; the contrary does not hold.
#[test]
fn hardirqs_off_keep_softirqs_out() {
    let w = learning::<2>();
    let cpu = Context::new();
    cpu.irqs_off(Irq::Hard);
    w.nest(&cpu, &[0]).unwrap();
    w.validator.irqs_on(&cpu, Irq::Hard).unwrap();
    handler(&cpu, Irq::Soft, || w.nest(&cpu, &[0])).unwrap();
    cpu.irqs_off(Irq::Soft);
    w.nest(&cpu, &[1]).unwrap();
    w.validator.irqs_on(&cpu, Irq::Soft).unwrap();
    let verdict = handler(&cpu, Irq::Hard, || w.nest(&cpu, &[1]));
    assert_eq!(kind(verdict), Some(Kind::IrqState(Irq::Hard)));
}

/// Switched on again while it is held.
#[test]
fn interrupts_switched_on_again_see_what_is_held() {
    let w = learning::<1>();
    let cpu = Context::new();
    handler(&cpu, Irq::Hard, || w.nest(&cpu, &[0])).unwrap();
    cpu.irqs_off(Irq::Hard);
    w.lock(&cpu, 0).unwrap();
    let (violation, line) = (w.validator.irqs_on(&cpu, Irq::Hard).unwrap_err(), line!());
    assert_eq!(violation.kind, Kind::IrqState(Irq::Hard));
    assert_eq!(violation.wanted.unwrap().at.line(), line, "where they were switched on");
}

/// A lock that was only tried is held like any other; in a handler it is waited for by nobody.
#[test]
fn a_trylock_is_exposed_and_never_waited_for() {
    let w = learning::<2>();
    let cpu = Context::new();
    handler(&cpu, Irq::Hard, || {
        w.validator.try_locked(&cpu, w.a(0, 0)).unwrap();
        w.unlock(&cpu, 0).unwrap();
        w.nest(&cpu, &[1]).unwrap();
    });
    assert_eq!(w.nest(&cpu, &[0]), Ok(()));
    assert_eq!(kind(w.validator.try_locked(&cpu, w.a(1, 0))), Some(Kind::IrqState(Irq::Hard)));
}

/// A is of handlers, C is held while they may come. A before B before C is one order too many,
/// whichever of the four facts is seen last.
#[test]
fn an_order_from_handlers_to_what_they_interrupt_is_seen_whatever_comes_last() {
    for irq in BOTH {
        for last in 0..4 {
            let w = learning::<3>();
            let cpu = Context::new();
            let fact = |fact| match fact {
                0 => handler(&cpu, irq, || w.nest(&cpu, &[0])),
                1 => w.nest(&cpu, &[2]),
                _ => {
                    cpu.irqs_off(irq);
                    let verdict = w.nest(&cpu, if fact == 2 { &[0, 1] } else { &[1, 2] });
                    w.validator.irqs_on(&cpu, irq).expect("nothing is held");
                    verdict
                }
            };
            for other in (0..4).filter(|&other| other != last) {
                assert_eq!(fact(other), Ok(()), "{irq:?}, {other} before {last}");
            }
            let [in_handler, _, exposed] = w.classes;
            let violation = fact(last).unwrap_err();
            assert_eq!(violation.kind, Kind::IrqOrder { irq, in_handler, exposed });
            assert_eq!(fact(last).unwrap_err().seen, 2);
        }
    }
}

/// A declared order is no dependency: nothing was seen to wait.
#[test]
fn a_declared_order_alone_takes_no_part() {
    let validator = Validator::new(&["A", "B"], Policy::Record);
    let w = World { validator, classes: [0, 1].map(ClassId::of_rank) };
    let cpu = Context::new();
    handler(&cpu, Irq::Hard, || w.nest(&cpu, &[0])).unwrap();
    w.nest(&cpu, &[1]).unwrap();
    assert_eq!(w.validator.counts().violations, 0);
}

/// What a handler holds has no order with what it interrupted, and both are found again.
#[test]
fn levels_are_apart() {
    let w = learning::<3>();
    let cpu = Context::new();
    cpu.irqs_off(Irq::Hard);
    w.lock(&cpu, 0).unwrap();
    let soft = cpu.enter(Irq::Soft);
    w.lock(&cpu, 1).unwrap();
    handler(&cpu, Irq::Hard, || w.nest(&cpu, &[2])).unwrap();
    w.unlock(&cpu, 1).unwrap();
    cpu.leave(soft);
    assert_eq!(cpu.held().count(), 1);
    w.unlock(&cpu, 0).unwrap();
    assert_eq!(w.validator.counts().edges, 0);
}
