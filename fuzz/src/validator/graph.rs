//! Which class leads to which: a table of orders, walked step by step.

use super::{Fault, NAMES};

const CLASSES: usize = NAMES.len();

/// The orders that were seen, and how many classes are declared, each before the next.
pub(super) struct Graph {
    seen: [[bool; CLASSES]; CLASSES],
    declared: usize,
    fault: Option<Fault>,
}

impl Graph {
    pub(super) fn new(declared: usize, fault: Option<Fault>) -> Self {
        Self { seen: [[false; CLASSES]; CLASSES], declared, fault }
    }

    pub(super) fn has(&self, first: usize, second: usize) -> bool {
        self.seen[first][second]
    }

    pub(super) fn add(&mut self, first: usize, second: usize) {
        self.seen[first][second] = self.fault != Some(Fault::EdgeDropped);
    }

    /// Tells which classes are reached from `from` in a step or more, by orders that were seen and, if it is said
    /// so, those that are declared.
    fn reached(&self, from: usize, declared: bool) -> [bool; CLASSES] {
        let mut reached = [false; CLASSES];
        let mut left = vec![from];
        while let Some(class) = left.pop() {
            for (next, known) in reached.iter_mut().enumerate() {
                let order = self.seen[class][next] || declared && class < next && next < self.declared;
                if order && !*known {
                    *known = true;
                    if self.fault != Some(Fault::OneStepOnly) {
                        left.push(next);
                    }
                }
            }
        }
        reached
    }

    /// Tells whether an order from `first` to `second` would close a cycle.
    pub(super) fn closes(&self, first: usize, second: usize) -> bool {
        self.reached(second, true)[first]
    }

    /// Returns the classes, lowest first, to which what was seen leads from `class`.
    pub(super) fn after(&self, class: usize) -> impl Iterator<Item = usize> {
        let reached = self.reached(class, false);
        (0..CLASSES).filter(move |&other| reached[other])
    }

    /// Returns the classes, lowest first, from which what was seen leads to `class`.
    pub(super) fn before(&self, class: usize) -> impl Iterator<Item = usize> {
        (0..CLASSES).filter(move |&other| self.reached(other, false)[class])
    }
}
