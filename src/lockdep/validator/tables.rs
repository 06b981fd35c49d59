//! What only the first sight of something touches: names, sites, violations. Under the validator's
//! lock.

use super::class::{ClassId, MAX_CLASSES};
use super::context::Acquisition;
use super::irq::Usage;
use super::violation::{Kind, Table, Violation};
use core::panic::Location;

/// How many orders the validator can tell the sites of. Every order beyond is checked as well.
pub const MAX_EDGES: usize = 512;

/// How many distinct violations the validator keeps. Every one beyond is returned and counted.
pub const MAX_VIOLATIONS: usize = 32;

/// Where an order between two classes was first seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The class that was held.
    pub held: ClassId,
    /// The class that was taken while the other was held.
    pub wanted: ClassId,
    /// Where the lock that was held had been taken.
    pub held_at: &'static Location<'static>,
    /// Where the other was taken.
    pub wanted_at: &'static Location<'static>,
}

/// How full a validator's tables are, and what did not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Classes, declared ones included.
    pub classes: u32,
    /// Orders whose sites are known.
    pub edges: u32,
    /// Distinct violations that are kept.
    pub violations: u32,
    /// Violations that had been seen before.
    pub repeated: u32,
    /// Times a class did not fit.
    pub classes_refused: u32,
    /// Orders that are checked, but whose sites did not fit.
    pub edges_unseen: u32,
    /// Acquisitions that did not fit into their context.
    pub held_unseen: u32,
    /// Violations that did not fit and were returned only.
    pub violations_lost: u32,
}

pub(super) struct Tables {
    declared: &'static [&'static str],
    learned: heapless::Vec<&'static str, MAX_CLASSES>,
    edges: heapless::Vec<Edge, MAX_EDGES>,
    usages: [[Option<&'static Location<'static>>; Usage::COUNT]; MAX_CLASSES],
    violations: heapless::Vec<Violation, MAX_VIOLATIONS>,
    counts: Counts,
}

impl Tables {
    pub(super) const fn new(declared: &'static [&'static str]) -> Self {
        Self {
            declared,
            learned: heapless::Vec::new(),
            edges: heapless::Vec::new(),
            usages: [[None; Usage::COUNT]; MAX_CLASSES],
            violations: heapless::Vec::new(),
            counts: Counts {
                classes: declared.len() as u32,
                edges: 0,
                violations: 0,
                repeated: 0,
                classes_refused: 0,
                edges_unseen: 0,
                held_unseen: 0,
                violations_lost: 0,
            },
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.declared.iter().chain(&self.learned).copied()
    }

    pub(super) fn name(&self, class: ClassId) -> Option<&'static str> {
        self.names().nth(class.index())
    }

    pub(super) fn register(&mut self, name: &'static str) -> Result<ClassId, Violation> {
        if let Some(index) = self.names().position(|known| known == name) {
            return Ok(ClassId::new(index));
        }
        let index = self.declared.len() + self.learned.len();
        if index == MAX_CLASSES || self.learned.push(name).is_err() {
            self.counts.classes_refused += 1;
            return Err(self.record(Violation::new(Kind::Full(Table::Classes), None, None)));
        }
        self.counts.classes += 1;
        Ok(ClassId::new(index))
    }

    /// Notes where the order of the two was first seen.
    pub(super) fn add_edge(&mut self, held: Acquisition, wanted: Acquisition) -> Result<(), Violation> {
        let edge = Edge { held: held.class, wanted: wanted.class, held_at: held.at, wanted_at: wanted.at };
        if self.edges.push(edge).is_err() {
            self.counts.edges_unseen += 1;
            return Err(self.record(Violation::new(Kind::Full(Table::Edges), Some(wanted), Some(held))));
        }
        self.counts.edges += 1;
        Ok(())
    }

    pub(super) fn edge(&self, held: ClassId, wanted: ClassId) -> Option<Edge> {
        self.edges.iter().copied().find(|edge| (edge.held, edge.wanted) == (held, wanted))
    }

    pub(super) fn edge_at(&self, index: usize) -> Option<Edge> {
        self.edges.get(index).copied()
    }

    pub(super) fn add_usage(&mut self, lock: Acquisition, usage: Usage) {
        self.usages[lock.class.index()][usage.index()] = Some(lock.at);
    }

    pub(super) fn usage(&self, class: ClassId, usage: Usage) -> Option<&'static Location<'static>> {
        self.usages[class.index()][usage.index()]
    }

    pub(super) fn held_unseen(&mut self, lock: Acquisition) -> Violation {
        self.counts.held_unseen += 1;
        self.record(Violation::new(Kind::Full(Table::Held), Some(lock), None))
    }

    pub(super) fn violation_at(&self, index: usize) -> Option<Violation> {
        self.violations.get(index).copied()
    }

    /// Keeps a violation that is new and counts one that is not; returns it with its count.
    pub(super) fn record(&mut self, violation: Violation) -> Violation {
        if let Some(known) = self.violations.iter_mut().find(|known| known.again(&violation)) {
            known.seen = known.seen.saturating_add(1);
            self.counts.repeated = self.counts.repeated.saturating_add(1);
            return Violation { seen: known.seen, ..violation };
        }
        if self.violations.push(violation).is_err() {
            self.counts.violations_lost = self.counts.violations_lost.saturating_add(1);
            return Violation { seen: self.counts.violations_lost, ..violation };
        }
        self.counts.violations += 1;
        violation
    }
}
