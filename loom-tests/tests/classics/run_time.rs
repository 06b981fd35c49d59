//! The run-time validator's column.

use crate::cases::{Case, L, Step, Verdict};
use rskq::DefaultBackend;
use rskq::lockdep::validator::{Acquisition, Context, Irq, Policy, Validator, Violation};
use rskq::sync::Nesting;

/// One CPU, which runs its script alone: no lock is ever taken by somebody else.
struct Cpu<'v> {
    validator: &'v Validator<DefaultBackend>,
    context: Context,
    held: Vec<L>,
    told: Vec<Violation>,
}

impl Cpu<'_> {
    fn lock(&self, (class, key): L) -> Acquisition {
        let name = ["A", "B", "C"][usize::from(class)];
        let class = self.validator.register(name).expect("there is room");
        Acquisition { class, key, address: key as usize, at: std::panic::Location::caller() }
    }

    fn note(&mut self, verdict: Result<(), Violation>) {
        self.told.extend(verdict.err());
    }

    fn wait(&mut self, lock: L, nesting: Nesting) {
        let wanted = self.lock(lock);
        self.note(self.validator.before_lock(&self.context, wanted, nesting));
        self.note(self.validator.locked(&self.context, wanted));
        self.held.push(lock);
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
                if !self.held.contains(&lock) {
                    self.note(self.validator.try_locked(&self.context, self.lock(lock)));
                    self.held.push(lock);
                }
            }
            Step::Drop(lock) => {
                if let Some(place) = self.held.iter().rposition(|&held| held == lock) {
                    self.held.remove(place);
                    self.note(self.validator.unlocked(&self.context, self.lock(lock)));
                }
            }
            Step::Off => drop(self.context.irqs_off(Irq::Hard)),
            Step::On => self.note(self.validator.irqs_on(&self.context, Irq::Hard)),
        }
    }
}

/// Runs one CPU after another, and then the handler, on a CPU that does nothing else.
pub(crate) fn verdict(case: &Case) -> Verdict {
    let validator = Validator::new(&[], Policy::Record);
    let cpu = || Cpu { validator: &validator, context: Context::new(), held: Vec::new(), told: Vec::new() };
    let mut told = Vec::new();
    for script in case.threads {
        let mut cpu = cpu();
        script.iter().for_each(|&step| cpu.step(step));
        told.append(&mut cpu.told);
    }
    if let Some(handler) = case.handler {
        let mut cpu = cpu();
        let interrupted = cpu.context.enter(Irq::Hard);
        handler.iter().for_each(|&step| cpu.step(step));
        cpu.context.leave(interrupted);
        told.append(&mut cpu.told);
    }
    for violation in &told {
        println!("  {}", validator.report(*violation).to_string().replace('\n', "\n  "));
    }
    if told.is_empty() { Verdict::Silent } else { Verdict::Report }
}
