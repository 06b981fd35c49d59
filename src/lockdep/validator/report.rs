//! What a person reads about a violation.

use super::class::ClassId;
use super::context::Acquisition;
use super::irq::Usage;
use super::schedule;
use super::violation::{Kind, Table, Violation};
use super::{Hop, Validator};
use crate::sync::Backend;
use core::fmt::{self, Display, Formatter};

/// A violation as a text of some lines: the classes, the site of each acquisition, where each order
/// was first seen, and a schedule that would deadlock.
///
/// Formatting allocates nothing and holds no lock while it writes.
pub struct Report<'v, B: Backend> {
    pub(super) validator: &'v Validator<B>,
    violation: Violation,
}

impl<'v, B: Backend> Report<'v, B> {
    pub(super) fn new(validator: &'v Validator<B>, violation: Violation) -> Self {
        Self { validator, violation }
    }

    /// Returns the violation as a value.
    pub fn violation(&self) -> Violation {
        self.violation
    }

    /// A lock as `class(key)`.
    pub(super) fn lock(&self, lock: Acquisition) -> impl Display {
        LockName { class: self.name(lock.class), key: lock.key }
    }

    pub(super) fn name(&self, class: ClassId) -> &'static str {
        self.validator.name(class)
    }

    /// The orders on a shortest way from one class to another.
    pub(super) fn way(&self, from: ClassId, to: ClassId, declared: bool) -> impl Iterator<Item = Hop> {
        let mut from = from;
        core::iter::from_fn(move || {
            let hop = self.validator.hop(from, to, declared)?;
            from = hop.to;
            Some(hop)
        })
    }

    fn hop(&self, f: &mut Formatter<'_>, hop: Hop) -> fmt::Result {
        let (first, second) = (self.name(hop.from), self.name(hop.to));
        write!(f, "  {first} before {second}")?;
        if hop.declared {
            write!(f, ", as declared")?;
        }
        match hop.sites {
            Some(edge) => writeln!(
                f,
                ", first seen:\n    {first} taken at {}\n    {second} taken at {}",
                edge.held_at, edge.wanted_at
            ),
            None if hop.declared => writeln!(f, ", and not seen yet"),
            None => writeln!(f, ", seen where there was no room to note the sites"),
        }
    }

    fn usage(&self, f: &mut Formatter<'_>, class: ClassId, usage: Usage) -> fmt::Result {
        let name = self.name(class);
        match usage {
            Usage::InHandler(irq) => write!(f, "  {name} is taken in a {} handler", irq.name())?,
            Usage::Exposed(irq) => write!(f, "  {name} is held with {}s on", irq.name())?,
        }
        match self.validator.usage_site(class, usage) {
            Some(at) => writeln!(f, ", first at {at}"),
            None => writeln!(f, ", now"),
        }
    }

    fn acquisition(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(wanted) = self.violation.wanted {
            writeln!(f, "  wanted: {} at {}", self.lock(wanted), wanted.at)?;
        }
        if let Some(held) = self.violation.held {
            writeln!(f, "  held:   {} taken at {}", self.lock(held), held.at)?;
        }
        Ok(())
    }
}

struct LockName {
    class: &'static str,
    key: u32,
}

impl Display for LockName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.class, self.key)
    }
}

const FULL: [(Table, &str); 3] = [
    (Table::Classes, "class table: locks of a class are not checked"),
    (Table::Edges, "table of sites: an order is checked, but where it was first seen is not kept"),
    (Table::Held, "held stack of a context: a lock is held and not seen"),
];

impl<B: Backend> Display for Report<'_, B> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Violation { kind, wanted, held, seen } = self.violation;
        match kind {
            Kind::Recursion => writeln!(f, "deadlock: a lock is wanted by the context that holds it")?,
            Kind::SameClass => {
                writeln!(f, "possible deadlock: two locks of one class, not in the order of their keys")?;
            }
            Kind::Cycle => writeln!(f, "possible deadlock: the lock order has a cycle")?,
            Kind::IrqState(irq) => {
                writeln!(f, "possible deadlock: a lock of {} handlers is held while {0}s are on", irq.name())?
            }
            Kind::IrqOrder { irq, .. } => writeln!(
                f,
                "possible deadlock: a lock of {} handlers comes before one held while {0}s are on",
                irq.name()
            )?,
            Kind::NotHeld => writeln!(f, "a lock is released that the context does not hold")?,
            Kind::UnknownClass => writeln!(f, "a lock has a class that nobody registered")?,
            Kind::Full(full) => {
                let text = FULL.iter().find(|(table, _)| *table == full).map_or("table", |(_, text)| text);
                writeln!(f, "no room in the {text}")?;
            }
        }
        self.acquisition(f)?;
        match (kind, wanted, held) {
            (Kind::Cycle, Some(wanted), Some(held)) => {
                writeln!(f, "the order that is known:")?;
                for hop in self.way(wanted.class, held.class, true) {
                    self.hop(f, hop)?;
                }
                schedule::cycle(self, f, wanted, held)?;
            }
            (Kind::IrqState(irq), Some(wanted), _) => {
                self.usage(f, wanted.class, Usage::InHandler(irq))?;
                self.usage(f, wanted.class, Usage::Exposed(irq))?;
                schedule::interrupted(self, f, irq, wanted.class)?;
            }
            (Kind::IrqOrder { irq, in_handler, exposed }, Some(wanted), held) => {
                self.usage(f, in_handler, Usage::InHandler(irq))?;
                self.usage(f, exposed, Usage::Exposed(irq))?;
                writeln!(f, "the order that is known:")?;
                // All of it known before, or with a new order in the middle.
                let upto = held.map_or(exposed, |held| held.class);
                let from = held.map_or(exposed, |_| wanted.class);
                for hop in self.way(in_handler, upto, false).chain(self.way(from, exposed, false)) {
                    self.hop(f, hop)?;
                }
                schedule::interrupted_order(self, f, irq, in_handler, exposed)?;
            }
            (Kind::SameClass, Some(wanted), Some(held)) => schedule::pair(self, f, wanted, held)?,
            _ => (),
        }
        write!(f, "seen {seen} times")
    }
}
