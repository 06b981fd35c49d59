//! What a validator ought to say, in the order in which it looks.

use super::graph::Graph;
use super::{CONTEXTS, Fault, Lock, NAMES, Op, REGISTERED};
use std::collections::BTreeMap;

/// How many locks a context can hold at one level, and how many violations are kept.
const MAX_HELD: usize = 32;
const MAX_VIOLATIONS: usize = 32;

/// How a class and interrupts of a kind met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Usage {
    InHandler { hard: bool },
    Exposed { hard: bool },
}

const USAGES: [Usage; 4] = [
    Usage::InHandler { hard: false },
    Usage::Exposed { hard: false },
    Usage::InHandler { hard: true },
    Usage::Exposed { hard: true },
];

/// What is wrong, with the classes that say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrong {
    Recursion,
    SameClass,
    Cycle,
    IrqState { hard: bool },
    IrqOrder { hard: bool, in_handler: usize, exposed: usize },
    NotHeld,
    UnknownClass,
    FullHeld,
}

/// A violation: what is wrong, with which class, and with which that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Violation {
    pub(super) wrong: Wrong,
    pub(super) wanted: usize,
    pub(super) held: Option<usize>,
}

pub(super) type Verdict = Result<(), Violation>;

/// What a context holds at one level.
#[derive(Default)]
struct Level {
    held: Vec<Lock>,
    unseen: u32,
}

#[derive(Clone, Copy, Default)]
struct Now {
    level: usize,
    hard_off: bool,
    soft_off: bool,
}

#[derive(Default)]
struct Context {
    levels: [Level; 3],
    now: Now,
    interrupted: Vec<Now>,
}

impl Context {
    fn here(&mut self) -> &mut Level {
        &mut self.levels[self.now.level]
    }

    /// What is said of a class by whoever waits for it here, or only holds it.
    fn says(&self, usage: Usage, waits: bool) -> bool {
        let Now { level, hard_off, soft_off } = self.now;
        match usage {
            Usage::InHandler { hard } => waits && level == 1 + usize::from(hard),
            Usage::Exposed { hard: true } => !hard_off,
            Usage::Exposed { hard: false } => !hard_off && !soft_off,
        }
    }

    fn switch(&mut self, hard: bool, off: bool) {
        *(if hard { &mut self.now.hard_off } else { &mut self.now.soft_off }) = off;
    }
}

/// Contexts, what is known of classes, and what was wrong.
pub(super) struct Model {
    contexts: [Context; CONTEXTS],
    graph: Graph,
    usages: BTreeMap<usize, Vec<Usage>>,
    /// How often each was seen.
    pub(super) violations: BTreeMap<Violation, u32>,
    pub(super) repeated: u32,
    pub(super) lost: u32,
    pub(super) edges: u32,
    pub(super) held_unseen: u32,
    fault: Option<Fault>,
}

impl Model {
    pub(super) fn new(declared: usize, fault: Option<Fault>) -> Self {
        Self {
            contexts: Default::default(),
            graph: Graph::new(declared, fault),
            usages: BTreeMap::new(),
            violations: BTreeMap::new(),
            repeated: 0,
            lost: 0,
            edges: 0,
            held_unseen: 0,
            fault,
        }
    }

    pub(super) fn held(&self, cpu: usize) -> &[Lock] {
        let context = &self.contexts[cpu];
        &context.levels[context.now.level].held
    }

    fn wrong(&mut self, wrong: Wrong, wanted: usize, held: Option<usize>) -> Verdict {
        let violation = Violation { wrong, wanted, held };
        // A full table is one violation, whatever did not fit.
        let mut same = self.violations.iter_mut().filter(|(known, _)| match wrong {
            Wrong::FullHeld => known.wrong == wrong,
            _ => **known == violation,
        });
        if let Some((_, seen)) = same.next() {
            *seen += 1;
            self.repeated += 1;
        } else if self.violations.len() == MAX_VIOLATIONS {
            self.lost += 1;
        } else {
            self.violations.insert(violation, 1);
        }
        Err(violation)
    }

    fn is_used(&self, class: usize, usage: Usage) -> bool {
        self.usages.get(&class).is_some_and(|usages| usages.contains(&usage))
    }

    /// What the context says of `class` and is not known yet.
    fn news(&self, cpu: usize, class: usize, waits: bool) -> Vec<Usage> {
        let new = |usage: &Usage| self.contexts[cpu].says(*usage, waits) && !self.is_used(class, *usage);
        USAGES.into_iter().filter(new).collect()
    }

    fn learn_usages(&mut self, cpu: usize, class: usize, waits: bool) -> Verdict {
        if class >= REGISTERED {
            return self.wrong(Wrong::UnknownClass, class, None);
        }
        let mut verdict = Ok(());
        for usage in self.news(cpu, class, waits) {
            match self.against_usage(class, usage) {
                Some(wrong) => verdict = verdict.and(self.wrong(wrong, class, None)),
                None if self.fault == Some(Fault::ExposureDropped)
                    && matches!(usage, Usage::Exposed { .. }) => {}
                None => self.usages.entry(class).or_default().push(usage),
            }
        }
        verdict
    }

    /// A class that handlers wait for must not be exposed, nor come before one that is.
    fn against_usage(&self, class: usize, usage: Usage) -> Option<Wrong> {
        match usage {
            Usage::InHandler { hard } => {
                let exposed = |class: &usize| self.is_used(*class, Usage::Exposed { hard });
                if exposed(&class) {
                    return Some(Wrong::IrqState { hard });
                }
                let exposed = self.graph.after(class).find(exposed)?;
                Some(Wrong::IrqOrder { hard, in_handler: class, exposed })
            }
            Usage::Exposed { hard } => {
                let in_handler = |class: &usize| self.is_used(*class, Usage::InHandler { hard });
                if in_handler(&class) {
                    return Some(Wrong::IrqState { hard });
                }
                let in_handler = self.graph.before(class).find(in_handler)?;
                Some(Wrong::IrqOrder { hard, in_handler, exposed: class })
            }
        }
    }

    fn against_order(&self, held: usize, wanted: usize) -> Option<Wrong> {
        if self.graph.closes(held, wanted) {
            return Some(Wrong::Cycle);
        }
        if self.fault == Some(Fault::HandlersIgnored) {
            return None;
        }
        [false, true].into_iter().find_map(|hard| {
            let lowest = |classes: Vec<usize>, usage| {
                classes.into_iter().filter(|&class| self.is_used(class, usage)).min()
            };
            let before = self.graph.before(held).chain([held]).collect();
            let after = self.graph.after(wanted).chain([wanted]).collect();
            let in_handler = lowest(before, Usage::InHandler { hard })?;
            let exposed = lowest(after, Usage::Exposed { hard })?;
            Some(Wrong::IrqOrder { hard, in_handler, exposed })
        })
    }

    fn against_own_class(&self, cpu: usize, wanted: Lock, ordered: bool) -> Option<Wrong> {
        let of_class: Vec<&Lock> = self.held(cpu).iter().filter(|held| held.class == wanted.class).collect();
        let keys = self.fault != Some(Fault::KeysIgnored);
        if of_class.iter().any(|held| **held == wanted) {
            Some(Wrong::Recursion)
        } else if of_class.iter().any(|held| !ordered || keys && held.key >= wanted.key) {
            Some(Wrong::SameClass)
        } else {
            None
        }
    }

    fn wait(&mut self, cpu: usize, wanted: Lock, ordered: bool) -> Verdict {
        let own = self.against_own_class(cpu, wanted, ordered);
        let class = wanted.class;
        let others: Vec<usize> =
            self.held(cpu).iter().map(|held| held.class).filter(|&held| held != class).collect();
        let new = |held: &usize| !self.graph.has(*held, class);
        let known = class < REGISTERED && self.news(cpu, class, true).is_empty();
        if own.is_none() && !others.iter().any(new) && known {
            return Ok(());
        }
        let own = own.map_or(Ok(()), |wrong| self.wrong(wrong, class, Some(class)));
        let mut verdict = own.and(self.learn_usages(cpu, class, true));
        for held in others {
            if self.graph.has(held, class) {
                continue;
            }
            match self.against_order(held, class) {
                Some(wrong) => verdict = verdict.and(self.wrong(wrong, class, Some(held))),
                None => {
                    self.graph.add(held, class);
                    self.edges += 1;
                }
            }
        }
        verdict
    }

    fn exposed(&mut self, cpu: usize, class: usize) -> Verdict {
        if self.news(cpu, class, false).is_empty() { Ok(()) } else { self.learn_usages(cpu, class, false) }
    }

    fn hold(&mut self, cpu: usize, lock: Lock) -> Verdict {
        let here = self.contexts[cpu].here();
        if here.held.len() < MAX_HELD {
            here.held.push(lock);
            return Ok(());
        }
        here.unseen += 1;
        self.held_unseen += 1;
        self.wrong(Wrong::FullHeld, lock.class, None)
    }

    fn release(&mut self, cpu: usize, lock: Lock) -> Verdict {
        let kept = self.fault == Some(Fault::ReleaseDropped);
        let here = self.contexts[cpu].here();
        match here.held.iter().rposition(|held| *held == lock) {
            Some(place) if kept && place + 1 < here.held.len() => {}
            Some(place) => drop(here.held.remove(place)),
            None if here.unseen > 0 => here.unseen -= 1,
            None => return self.wrong(Wrong::NotHeld, lock.class, None),
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, op: Op) -> Verdict {
        match op {
            Op::Lock { cpu, class, key, other, ordered, at_once } => {
                let lock = Lock { class, key, other };
                let waited = self.wait(cpu, lock, ordered);
                let verdict = waited.and(self.hold(cpu, lock));
                // What does all in one call says nothing.
                if at_once { Ok(()) } else { verdict }
            }
            Op::TryLock { cpu, class, key, other } => {
                let lock = Lock { class, key, other };
                let exposed = self.exposed(cpu, class);
                exposed.and(self.hold(cpu, lock))
            }
            Op::Wait { cpu, class, key, other, ordered } => {
                self.wait(cpu, Lock { class, key, other }, ordered)
            }
            Op::Unlock { cpu, below, at_once } => {
                let Some(&lock) = self.held(cpu).iter().rev().nth(below) else { return Ok(()) };
                let verdict = self.release(cpu, lock);
                if at_once { Ok(()) } else { verdict }
            }
            Op::UnlockAny { cpu, class, key, other } => self.release(cpu, Lock { class, key, other }),
            Op::Enter { cpu, hard } => {
                let context = &mut self.contexts[cpu];
                context.interrupted.push(context.now);
                context.now.level = 1 + usize::from(hard);
                context.switch(hard, true);
                Ok(())
            }
            Op::Leave { cpu } => {
                let context = &mut self.contexts[cpu];
                context.now = context.interrupted.pop().unwrap_or(context.now);
                Ok(())
            }
            Op::Off { cpu, hard } => {
                self.contexts[cpu].switch(hard, true);
                Ok(())
            }
            Op::On { cpu, hard } => {
                self.contexts[cpu].switch(hard, false);
                let classes: Vec<usize> = self.held(cpu).iter().map(|held| held.class).collect();
                classes.into_iter().map(|class| self.exposed(cpu, class)).fold(Ok(()), Result::and)
            }
        }
    }
}

const _: () = assert!(REGISTERED < NAMES.len());
