//! Interrupts: which classes handlers take, and which are held while handlers may come.

use super::class::{ClassId, ClassSet};
use super::graph::Graph;
use super::violation::Kind;
use crate::sync::Backend;

/// A kind of interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Irq {
    /// A software interrupt, a bottom half: runs on the way back from a hardware interrupt.
    Soft,
    /// A hardware interrupt.
    Hard,
}

impl Irq {
    /// Both kinds.
    pub(super) const ALL: [Irq; 2] = [Irq::Soft, Irq::Hard];

    /// Its place among the levels of a context; 0 is what no interrupt brought.
    pub(super) const fn level(self) -> usize {
        match self {
            Irq::Soft => 1,
            Irq::Hard => 2,
        }
    }

    /// The word for reports.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Irq::Soft => "softirq",
            Irq::Hard => "hardirq",
        }
    }
}

/// How a class is used with regard to one kind of interrupt.
///
/// A class with both usages deadlocks one CPU: a handler waits for a lock that what it interrupted
/// holds. So does an order, over any number of classes, from one that is `InHandler` to one that is
/// `Exposed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// A handler waits for it.
    InHandler(Irq),
    /// It is held while such an interrupt may come.
    Exposed(Irq),
}

impl Usage {
    /// How many there are.
    pub(super) const COUNT: usize = 4;

    /// Its bit in a set, and its place in the table of sites.
    pub(super) const fn index(self) -> usize {
        match self {
            Usage::InHandler(Irq::Soft) => 0,
            Usage::Exposed(Irq::Soft) => 1,
            Usage::InHandler(Irq::Hard) => 2,
            Usage::Exposed(Irq::Hard) => 3,
        }
    }

    const fn opposite(self) -> Self {
        match self {
            Usage::InHandler(irq) => Usage::Exposed(irq),
            Usage::Exposed(irq) => Usage::InHandler(irq),
        }
    }
}

/// A set of usages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usages(pub(super) u32);

impl Usages {
    /// What a lock gets that is taken where any interrupt may come.
    pub(super) const EXPOSED: Self = Self::with_on(true, true);

    /// What any lock gets: that its class is one that somebody registered.
    pub(super) const TAKEN: Self = Self(1 << Usage::COUNT);

    pub(super) const fn of(usage: Usage) -> Self {
        Self(1 << usage.index())
    }

    /// What running at `level` says.
    pub(super) const fn within(level: usize) -> Self {
        match level {
            1 => Self::of(Usage::InHandler(Irq::Soft)),
            2 => Self::of(Usage::InHandler(Irq::Hard)),
            _ => Self(0),
        }
    }

    /// What it says that interrupts are on.
    pub(super) const fn with_on(hard: bool, soft: bool) -> Self {
        let hard = if hard { Self::of(Usage::Exposed(Irq::Hard)).0 } else { 0 };
        let soft = if soft { Self::of(Usage::Exposed(Irq::Soft)).0 } else { 0 };
        Self(hard | soft)
    }

    /// Those that come from holding a lock rather than from waiting for it.
    #[inline(always)]
    pub(super) const fn of_holding(self) -> Self {
        Self(self.0 & Self::EXPOSED.0)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, usage: Usage) -> bool {
        self.0 & Self::of(usage).0 != 0
    }

    /// Those of `self` that are not in `other`.
    pub(super) fn besides(self, other: Self) -> impl Iterator<Item = Usage> {
        let all = Irq::ALL.into_iter().flat_map(|irq| [Usage::InHandler(irq), Usage::Exposed(irq)]);
        all.filter(move |&usage| self.has(usage) && !other.has(usage))
    }
}

impl<B: Backend> Graph<B> {
    /// What speaks against `class` being used so. Under the validator's lock, O(classes²).
    pub(super) fn against_usage(&self, class: ClassId, usage: Usage) -> Option<Kind> {
        if self.usages(class).has(usage.opposite()) {
            let (Usage::InHandler(irq) | Usage::Exposed(irq)) = usage;
            return Some(Kind::IrqState(irq));
        }
        // Who must not be on which side of it in the order.
        match usage {
            Usage::InHandler(irq) => {
                let exposed = self.first_with(self.after(class), Usage::Exposed(irq))?;
                Some(Kind::IrqOrder { irq, in_handler: class, exposed })
            }
            Usage::Exposed(irq) => {
                let in_handler = self.first_with(self.before(class), Usage::InHandler(irq))?;
                Some(Kind::IrqOrder { irq, in_handler, exposed: class })
            }
        }
    }

    /// What speaks, for the sake of interrupts, against the new order `held` before `wanted`. Under
    /// the validator's lock, O(classes²).
    pub(super) fn against_irq_order(&self, held: ClassId, wanted: ClassId) -> Option<Kind> {
        let before = self.before(held).and(ClassSet::of(held));
        let after = self.after(wanted).and(ClassSet::of(wanted));
        Irq::ALL.into_iter().find_map(|irq| {
            let in_handler = self.first_with(before, Usage::InHandler(irq))?;
            let exposed = self.first_with(after, Usage::Exposed(irq))?;
            Some(Kind::IrqOrder { irq, in_handler, exposed })
        })
    }

    fn first_with(&self, classes: ClassSet, usage: Usage) -> Option<ClassId> {
        classes.iter().find(|&class| self.usages(class).has(usage))
    }
}
