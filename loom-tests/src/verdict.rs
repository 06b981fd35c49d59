//! What a model says of a property.

use crate::property::Property;
use rskq::sync::model::{Deadlock, Record, What};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// An interleaving in which something was seen.
#[derive(Clone, Debug)]
pub struct Interleaving {
    /// What was seen.
    pub text: String,
    /// Whether it was seen when all threads were done, or at the last step.
    pub at_end: bool,
    /// What the threads did until then.
    pub records: Vec<Record>,
}

impl Interleaving {
    /// Orders interleavings by how easily they are read: few changes of thread, then few steps.
    #[must_use]
    pub fn length(&self) -> (usize, usize) {
        length(&self.records)
    }
}

/// Returns the changes of thread and the steps in `records`; what the observer adds is no step.
#[must_use]
pub fn length(records: &[Record]) -> (usize, usize) {
    let steps = || records.iter().filter(|r| !matches!(r.what, What::Waiting(..)));
    let changes = steps().zip(steps().skip(1)).filter(|(one, next)| one.thread != next.thread);
    (changes.count(), steps().count())
}

/// What kind of verdict: all of it that outlives the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It holds in every interleaving.
    Exhausted,
    /// It holds in every interleaving with at most so many preemptions.
    Bounded,
    /// It held as far as the exploration got.
    TimedOut,
    /// It does not hold.
    Broken,
    /// Threads wait for each other.
    Deadlock,
    /// It held until a deadlock ended the exploration.
    CutShort,
}

impl Kind {
    /// Tells whether the property holds in every interleaving, or in every one within the bound.
    #[must_use]
    pub fn holds(self) -> bool {
        matches!(self, Self::Exhausted | Self::Bounded)
    }

    /// Tells whether a counterexample was found.
    #[must_use]
    pub fn is_broken(self) -> bool {
        matches!(self, Self::Broken | Self::Deadlock)
    }

    /// Returns the name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Bounded => "bounded",
            Self::TimedOut => "timed_out",
            Self::Broken => "broken",
            Self::Deadlock => "deadlock",
            Self::CutShort => "cut_short",
        }
    }
}

/// The verdict on one property, of one scenario under one design.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It holds in every interleaving.
    Exhausted {
        /// How many there are.
        interleavings: u64,
    },
    /// It holds in every interleaving with at most so many preemptions.
    Bounded {
        /// How many there are.
        interleavings: u64,
        /// The bound.
        preemptions: u8,
    },
    /// It held as far as the exploration got.
    TimedOut {
        /// How many interleavings were explored.
        interleavings: u64,
        /// After how long the exploration was stopped.
        after: Duration,
    },
    /// It does not hold.
    Broken {
        /// The property.
        property: Property,
        /// The interleaving that is easiest to read, of those found.
        interleaving: Interleaving,
        /// In how many interleavings it does not hold.
        broken: u64,
        /// How many were explored.
        interleavings: u64,
    },
    /// Threads wait for each other; the exploration ends with that.
    Deadlock {
        /// Who waits for whom.
        cycle: Deadlock,
        /// How it came about.
        interleaving: Interleaving,
        /// How many interleavings were explored, this one included.
        interleavings: u64,
    },
    /// It held as far as the exploration got, which ended with a deadlock.
    CutShort {
        /// How many interleavings were explored.
        interleavings: u64,
    },
}

impl Verdict {
    /// Returns what kind of verdict it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Exhausted { .. } => Kind::Exhausted,
            Self::Bounded { .. } => Kind::Bounded,
            Self::TimedOut { .. } => Kind::TimedOut,
            Self::Broken { .. } => Kind::Broken,
            Self::Deadlock { .. } => Kind::Deadlock,
            Self::CutShort { .. } => Kind::CutShort,
        }
    }

    /// Tells whether the property holds in every interleaving, or in every one within the bound.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.kind().holds()
    }

    /// Tells whether a counterexample was found.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.kind().is_broken()
    }

    /// Returns how many interleavings were explored.
    #[must_use]
    pub fn interleavings(&self) -> u64 {
        match *self {
            Self::Exhausted { interleavings }
            | Self::Bounded { interleavings, .. }
            | Self::TimedOut { interleavings, .. }
            | Self::Broken { interleavings, .. }
            | Self::Deadlock { interleavings, .. }
            | Self::CutShort { interleavings } => interleavings,
        }
    }

    /// Returns in how many of them the property does not hold.
    #[must_use]
    pub fn broken(&self) -> u64 {
        match *self {
            Self::Broken { broken, .. } => broken,
            Self::Deadlock { .. } => 1,
            _ => 0,
        }
    }

    /// Returns the counterexample, if there is one.
    #[must_use]
    pub fn interleaving(&self) -> Option<&Interleaving> {
        match self {
            Self::Broken { interleaving, .. } | Self::Deadlock { interleaving, .. } => Some(interleaving),
            _ => None,
        }
    }
}
