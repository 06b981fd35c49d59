//! What people derived by reading, beside what the machine found.
//!
//! The cells are of the table that was put together from the patches and their discussion before there was
//! a model. A test holds each against [`expected`]: what was read as broken is found broken
//! in some race, and what was read as holding is found to hold in all, or it is one of the [`DIFFERENCES`],
//! with the reason.

use crate::expected;
use crate::property::Property::{self, *};
use Read::{Broken, Claimless, Holds, Inapplicable, Partly};

/// What was read of one property under one design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// It holds.
    Holds,
    /// It holds in part, or for a time.
    Partly,
    /// It does not hold.
    Broken,
    /// The design does not have what it speaks of.
    Inapplicable,
    /// Nothing that is compared here.
    Claimless,
}

/// The designs, in the order of each row's cells.
pub const DESIGNS: [&str; 8] =
    ["splice", "splice-tfo", "in-place", "splice-nested", "relabel", "requeue-naive", "clone-5.14", "clone"];

/// A row: the invariant's name in the table, the properties here that say the same, a cell for each design.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The invariant.
    pub invariant: &'static str,
    /// The properties. The models cannot tell a reference on a listener from one on a request.
    pub properties: &'static [Property],
    /// The cells.
    pub read: [Read; 8],
}

const fn row(invariant: &'static str, properties: &'static [Property], read: [Read; 8]) -> Row {
    Row { invariant, properties, read }
}

/// The table.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("I2", &[I2], [Holds, Holds, Inapplicable, Holds, Holds, Holds, Holds, Holds]),
    row("I3", &[I3], [Holds, Holds, Broken, Broken, Holds, Broken, Claimless, Claimless]),
    row("I4", &[I4], [Broken, Broken, Inapplicable, Broken, Broken, Broken, Broken, Claimless]),
    row("I5", &[I5], [Broken, Partly, Holds, Partly, Holds, Holds, Holds, Holds]),
    row("I6", &[I6I7], [Partly, Broken, Broken, Broken, Broken, Broken, Holds, Holds]),
    row("I7/I8", &[I6I7, I8], [Broken, Broken, Broken, Broken, Broken, Broken, Holds, Holds]),
    row("I9", &[I9], [Holds, Holds, Inapplicable, Holds, Broken, Holds, Holds, Claimless]),
    row("I10", &[I10], [Broken, Broken, Holds, Broken, Broken, Broken, Broken, Holds]),
    row("I11", &[I11], [Broken, Broken, Partly, Broken, Broken, Holds, Partly, Partly]),
    row("I12", &[I12], [Broken, Broken, Inapplicable, Broken, Partly, Holds, Holds, Holds]),
    row("I13", &[I13], [Broken, Broken, Broken, Broken, Broken, Broken, Broken, Holds]),
    row("I14", &[I14], [Holds, Holds, Holds, Holds, Holds, Holds, Holds, Holds]),
    row("I15", &[I15], [Holds, Holds, Holds, Holds, Holds, Holds, Holds, Holds]),
    row("I22", &[I22], [Broken, Broken, Holds, Holds, Holds, Holds, Holds, Holds]),
    row("I23", &[], [Broken, Broken, Partly, Broken, Broken, Broken, Broken, Broken]),
];

/// A cell that the machine does not confirm.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The invariant.
    pub invariant: &'static str,
    /// The designs.
    pub designs: &'static [&'static str],
    /// Who is wrong, and why.
    pub why: &'static str,
}

/// Every difference.
pub const DIFFERENCES: &[Difference] = &[
    Difference {
        invariant: "I3",
        designs: &["splice", "splice-tfo", "relabel"],
        why: "Read as holding, since these patches leave half-open requests alone. Found broken without any \
              of their doing: the timer's handler counts `young` while the final ACK or a reset takes the \
              charge, because who takes a request off the table does not wait for a handler that runs. \
              That is what A3 fixed later, and it holds from then on.",
    },
    Difference {
        invariant: "I4",
        designs: &["splice"],
        why: "Read as broken together with I5. Found to hold: without the fast-open patch the charge stays \
              where the request's name is, with the dead listener, and the end of the handshake takes it \
              from there. Only the patch that moves the charges breaks it.",
    },
    Difference {
        invariant: "I5",
        designs: &["in-place", "requeue-naive"],
        why: "Read as holding, since the name is rewritten before the request is queued. Found broken where \
              two come at once: the final ACK adds the request to the queue of the listener that it looked \
              up, and a timer that came a moment before rewrites its name after that.",
    },
    Difference {
        invariant: "I5",
        designs: &["relabel"],
        why: "Read as restored by the fourth step. Found broken where the target is closed and gone by the \
              sixth: the request is queued there and names nobody.",
    },
    Difference {
        invariant: "I11",
        designs: &["requeue-naive"],
        why: "Read as holding but for the single try. The single try is enough: the target closes between \
              the choice and the addition, and the connection is reset although another listens. In the \
              same way an ACK that found its listener in LISTEN loses to the closer.",
    },
    Difference {
        invariant: "I15",
        designs: &["clone-5.14"],
        why: "Read as holding until 6.12. Found broken as merged, by what A3 fixed: a handler that runs is \
              not pending, nobody cancels it, and it arms the timer of a request that has left the table.",
    },
    Difference {
        invariant: "I23",
        designs: &[
            "splice",
            "splice-tfo",
            "splice-nested",
            "relabel",
            "requeue-naive",
            "clone-5.14",
            "clone",
        ],
        why: "Not a property here. A connection that migrates may exceed the backlog by policy, in Linux as \
              in ours: to refuse it would lose it, against I11.",
    },
];

impl Row {
    /// Tells whether a property of the row is expected to be broken in some race under the design.
    #[must_use]
    pub fn is_found_broken(&self, design: &str) -> bool {
        self.properties.iter().any(|&property| expected::races(design, property).next().is_some())
    }

    /// Returns the reason of the difference in a cell, if there is one.
    #[must_use]
    pub fn difference(&self, design: &str) -> Option<&'static str> {
        let here = |d: &&Difference| d.invariant == self.invariant && d.designs.contains(&design);
        DIFFERENCES.iter().find(here).map(|difference| difference.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_found_or_the_difference_has_a_reason() {
        for row in ROWS {
            for (design, read) in DESIGNS.into_iter().zip(row.read) {
                let found = row.is_found_broken(design);
                let differs = match read {
                    Holds => found,
                    Broken => !found,
                    Partly | Inapplicable | Claimless => false,
                };
                let name = (row.invariant, design);
                assert_eq!(
                    row.difference(design).is_some(),
                    differs,
                    "{name:?}: read {read:?}, found {found}"
                );
            }
        }
    }

    #[test]
    fn every_difference_is_of_a_cell() {
        for difference in DIFFERENCES {
            assert!(ROWS.iter().any(|row| row.invariant == difference.invariant), "{difference:?}");
            assert!(difference.designs.iter().all(|design| DESIGNS.contains(design)), "{difference:?}");
        }
    }
}
