//! What can be wrong, as a value.

use super::class::ClassId;
use super::context::Acquisition;
use super::irq::Irq;

/// What is wrong with an acquisition or a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The context holds the very lock that it is about to wait for.
    Recursion,
    /// The context holds a lock of the class, and the two are no ordered pair with ascending keys.
    SameClass,
    /// The class is known to come before one that is held: together the orders are a cycle.
    Cycle,
    /// A handler waits for a class that is also held while such an interrupt may come.
    IrqState(Irq),
    /// A class that a handler waits for comes before one that is held while such an interrupt may
    /// come.
    IrqOrder {
        /// The interrupt.
        irq: Irq,
        /// The class that a handler waits for.
        in_handler: ClassId,
        /// The class that is held while such an interrupt may come.
        exposed: ClassId,
    },
    /// A lock is released that the context does not hold.
    NotHeld,
    /// No class with this number was registered.
    UnknownClass,
    /// A table of the validator is full. What does not fit is not checked, or not told.
    Full(Table),
}

/// A table of fixed size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Table {
    /// The classes: locks of the class that does not fit are not checked.
    Classes,
    /// The sites at which orders were seen: the order is checked, but a report cannot tell where it
    /// was seen first.
    Edges,
    /// What a context holds: orders after the lock that does not fit are not seen until it is
    /// released.
    Held,
}

/// Something wrong that the validator saw.
///
/// Wrong is what *could* deadlock: no deadlock happened, and none need ever have. What is distinct
/// about a violation is its kind and its classes. [`Validator::report`](super::Validator::report)
/// makes a text of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong.
    pub kind: Kind,
    /// The acquisition or release at which it was seen. `None` for a class that could not be registered.
    pub wanted: Option<Acquisition>,
    /// What the context held that speaks against it, if that is what does.
    pub held: Option<Acquisition>,
    /// How often it was seen, this time included.
    pub seen: u32,
}

impl Violation {
    pub(super) fn new(kind: Kind, wanted: Option<Acquisition>, held: Option<Acquisition>) -> Self {
        Self { kind, wanted, held, seen: 1 }
    }

    /// Tells whether `other` is the same again.
    pub(super) fn again(&self, other: &Self) -> bool {
        let classes = |v: &Self| [v.wanted, v.held].map(|lock| lock.map(|lock| lock.class));
        self.kind == other.kind && (matches!(self.kind, Kind::Full(_)) || classes(self) == classes(other))
    }
}
