//! The designs as columns of the matrix.

use rskq::Design;
use rskq::migrate::{CloneFixes, Wakeup};

/// A design with the name that it goes by.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name on the command line and in JSON.
    pub name: &'static str,
    /// What it stands for.
    pub title: &'static str,
    /// How the stack is configured for it.
    pub design: Design,
    /// Whether the matrix shows it; the others are asked for by name.
    pub in_matrix: bool,
}

/// Every design.
pub const COLUMNS: &[Column] = &[
    Column { name: "abort", title: "Linux 5.10: abort", design: Design::Abort, in_matrix: true },
    Column { name: "splice", title: "v1 patch: splice", design: Design::Splice, in_matrix: true },
    Column {
        name: "clone-5.14",
        title: "merged 5.14: clone",
        design: Design::Clone(CloneFixes::AS_MERGED),
        in_matrix: true,
    },
    Column {
        name: "clone-naive-wake",
        title: "clone, first posted fix of A1",
        design: Design::Clone(CloneFixes { wakeup: Wakeup::ThroughRequest }),
        in_matrix: false,
    },
    Column {
        name: "clone",
        title: "clone with its fixes",
        design: Design::Clone(CloneFixes::AS_FIXED),
        in_matrix: true,
    },
    Column { name: "requeue", title: "ours: requeue", design: Design::Requeue, in_matrix: true },
    Column { name: "handover", title: "ours: handover", design: Design::Handover, in_matrix: true },
];

/// Returns the design of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<Column> {
    COLUMNS.iter().copied().find(|c| c.name == name)
}
