//! A validator, and contexts that tell it of locks which do not exist.

use super::model::{Model, Verdict, Violation, Wrong};
use super::{CONTEXTS, Lock, NAMES, Op, REGISTERED};
use rskq::DefaultBackend;
use rskq::lockdep::validator::{
    self, Acquisition, ClassId, Context, Interrupted, Irq, Kind, Policy, Table, Validator,
};
use rskq::sync::Nesting;
use std::fmt::{self, Write};

/// Contexts of a validator.
pub(super) struct Validated<'a> {
    validator: &'a Validator<DefaultBackend>,
    contexts: [Context; CONTEXTS],
    interrupted: [Vec<Interrupted>; CONTEXTS],
}

/// Where reports go: that they can be told is all that is looked at.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        Ok(())
    }
}

fn irq(hard: bool) -> Irq {
    if hard { Irq::Hard } else { Irq::Soft }
}

fn nesting(ordered: bool) -> Nesting {
    if ordered { Nesting::Ordered } else { Nesting::None }
}

fn class(number: usize) -> ClassId {
    ClassId::of_rank(number as u8)
}

fn number(of: ClassId) -> usize {
    (0..NAMES.len()).find(|&number| class(number) == of).expect("no other class was named")
}

fn acquisition(Lock { class: number, key, other }: Lock) -> Acquisition {
    Acquisition { address: usize::from(other), ..Acquisition::of(&(), class(number), key) }
}

impl<'a> Validated<'a> {
    /// A validator of which so many classes are declared.
    pub(super) fn validator(declared: usize) -> Validator<DefaultBackend> {
        let validator = Validator::new(&NAMES[..declared], Policy::Record);
        for (index, name) in NAMES[..REGISTERED].iter().enumerate() {
            assert_eq!(validator.register(name), Ok(class(index)));
        }
        validator
    }

    pub(super) fn new(validator: &'a Validator<DefaultBackend>) -> Self {
        Self { validator, contexts: Default::default(), interrupted: Default::default() }
    }

    fn said(&self, verdict: Result<(), validator::Violation>) -> Verdict {
        verdict.map_err(|violation| {
            if violation.seen == 1 {
                write!(Nowhere, "{}", self.validator.report(violation)).expect("a report can be told");
            }
            told(violation)
        })
    }

    pub(super) fn apply(&mut self, op: Op) -> Verdict {
        let Self { validator, contexts, interrupted } = self;
        let verdict = match op {
            Op::Lock { cpu, class, key, other, ordered, at_once } => {
                let (context, lock) = (&contexts[cpu], acquisition(Lock { class, key, other }));
                if at_once {
                    validator.lock(context, lock, nesting(ordered));
                    Ok(())
                } else {
                    let waited = validator.before_lock(context, lock, nesting(ordered));
                    waited.and(validator.locked(context, lock))
                }
            }
            Op::TryLock { cpu, class, key, other } => {
                validator.try_locked(&contexts[cpu], acquisition(Lock { class, key, other }))
            }
            Op::Wait { cpu, class, key, other, ordered } => {
                let wanted = acquisition(Lock { class, key, other });
                validator.before_lock(&contexts[cpu], wanted, nesting(ordered))
            }
            Op::Unlock { cpu, below, at_once } => {
                let context = &contexts[cpu];
                let held = context.held().count();
                match held.checked_sub(below + 1).and_then(|place| context.held().nth(place)) {
                    Some(lock) if at_once => {
                        validator.unlock(context, lock);
                        Ok(())
                    }
                    Some(lock) => validator.unlocked(context, lock),
                    None => Ok(()),
                }
            }
            Op::UnlockAny { cpu, class, key, other } => {
                validator.unlocked(&contexts[cpu], acquisition(Lock { class, key, other }))
            }
            Op::Enter { cpu, hard } => {
                interrupted[cpu].push(contexts[cpu].enter(irq(hard)));
                Ok(())
            }
            Op::Leave { cpu } => {
                if let Some(interrupted) = interrupted[cpu].pop() {
                    contexts[cpu].leave(interrupted);
                }
                Ok(())
            }
            Op::Off { cpu, hard } => {
                contexts[cpu].irqs_off(irq(hard));
                Ok(())
            }
            Op::On { cpu, hard } => validator.irqs_on(&contexts[cpu], irq(hard)),
        };
        self.said(verdict)
    }

    /// Compares what can be seen of the validator with what ought to be.
    pub(super) fn compare(&self, model: &Model) {
        for (cpu, context) in self.contexts.iter().enumerate() {
            let expected = model.held(cpu).iter().map(|&lock| acquisition(lock));
            let which = |lock: Acquisition| (lock.class, lock.key, lock.address);
            assert!(context.held().map(which).eq(expected.map(which)), "what context {cpu} holds");
        }
        let counts = self.validator.counts();
        let kept = u32::try_from(model.violations.len()).expect("a few");
        assert_eq!(
            (counts.violations, counts.repeated, counts.violations_lost),
            (kept, model.repeated, model.lost)
        );
        assert_eq!((counts.edges, counts.held_unseen), (model.edges, model.held_unseen));
        assert_eq!((counts.classes_refused, counts.edges_unseen), (0, 0));
    }

    /// Compares the violations that are kept.
    pub(super) fn violations(&self, model: &Model) {
        let mut kept = 0;
        while let Some(violation) = self.validator.violation(kept) {
            assert_eq!(Some(&violation.seen), model.violations.get(&told(violation)), "{violation:?}");
            kept += 1;
        }
        assert_eq!(kept, model.violations.len());
    }
}

/// A violation without its sites.
fn told(violation: validator::Violation) -> Violation {
    let hard = |irq| irq == Irq::Hard;
    let wrong = match violation.kind {
        Kind::Recursion => Wrong::Recursion,
        Kind::SameClass => Wrong::SameClass,
        Kind::Cycle => Wrong::Cycle,
        Kind::IrqState(irq) => Wrong::IrqState { hard: hard(irq) },
        Kind::IrqOrder { irq, in_handler, exposed } => {
            Wrong::IrqOrder { hard: hard(irq), in_handler: number(in_handler), exposed: number(exposed) }
        }
        Kind::NotHeld => Wrong::NotHeld,
        Kind::UnknownClass => Wrong::UnknownClass,
        Kind::Full(Table::Held) => Wrong::FullHeld,
        other => panic!("{other:?} cannot be"),
    };
    let wanted = violation.wanted.expect("a lock is concerned").class;
    Violation { wrong, wanted: number(wanted), held: violation.held.map(|held| number(held.class)) }
}
