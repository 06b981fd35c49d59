//! The designs as columns of the matrix.

use crate::scenario::Scenario;
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
    /// Most preemptions of three threads and more, whatever the scenario's own bound; those of a design
    /// that is broken need not be known to the last interleaving.
    pub bound: Option<u8>,
}

impl Column {
    /// Tells whether the design is for use, and not for history.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self.design, Design::Abort | Design::Linux | Design::Requeue | Design::Handover)
    }

    /// Returns the most preemptions in a scenario whose own bound is `bound`.
    #[must_use]
    pub fn bound(&self, scenario: &Scenario, bound: Option<u8>) -> Option<u8> {
        let own = self.bound.filter(|_| scenario.threads.len() > 2);
        own.into_iter().chain(bound).min()
    }
}

const fn shown(name: &'static str, title: &'static str, design: Design) -> Column {
    Column { name, title, design, in_matrix: true, bound: None }
}

const fn posted(name: &'static str, title: &'static str, design: Design) -> Column {
    Column { bound: None, ..shown(name, title, design) }
}

const fn aside(name: &'static str, title: &'static str, design: Design) -> Column {
    Column { in_matrix: false, ..posted(name, title, design) }
}

const fn clone_with(fixes: CloneFixes) -> Design {
    Design::Clone(fixes)
}

const FIXED: CloneFixes = CloneFixes::AS_FIXED;

/// Every design, and the merged one with each of its fixes taken out.
pub const COLUMNS: &[Column] = &[
    shown("abort", "Linux 5.10: abort", Design::Abort),
    posted("splice", "v1 patch: splice", Design::Splice),
    posted("splice-tfo", "v1, with its fast-open patch", Design::SpliceTfo),
    posted("in-place", "v1, half-open: in place", Design::InPlace),
    posted("splice-nested", "v2: locks in order", Design::SpliceNested),
    posted("relabel", "the seven steps: relabel", Design::Relabel),
    posted("requeue-naive", "prototype: one by one", Design::RequeueNaive),
    posted("clone-5.14", "merged 5.14: clone", clone_with(CloneFixes::AS_MERGED)),
    aside(
        "clone-naive-wake",
        "clone, first posted fix of A1",
        clone_with(CloneFixes { wakeup: Wakeup::ThroughRequest, ..FIXED }),
    ),
    aside(
        "clone-without-A2",
        "clone without A2",
        clone_with(CloneFixes { fastopen_charged: false, ..FIXED }),
    ),
    aside(
        "clone-without-A3",
        "clone without A3",
        clone_with(CloneFixes { handler_waited_for: false, ..FIXED }),
    ),
    aside("clone-without-A4", "clone without A4", clone_with(CloneFixes { original_put: false, ..FIXED })),
    aside(
        "clone-without-A5",
        "clone without A5",
        clone_with(CloneFixes { dropped_from_owner: false, ..FIXED }),
    ),
    aside(
        "clone-without-A6",
        "clone without A6",
        clone_with(CloneFixes { clone_timer_cancelled: false, ..FIXED }),
    ),
    aside(
        "clone-without-A7",
        "clone without A7",
        clone_with(CloneFixes { unhashed_rejected: false, ..FIXED }),
    ),
    aside(
        "clone-without-B6",
        "clone without B6",
        clone_with(CloneFixes { replaced_in_place: false, ..FIXED }),
    ),
    shown("clone", "clone with its fixes", clone_with(FIXED)),
    shown("linux", "ours: Linux's rules", Design::Linux),
    shown("requeue", "ours: requeue", Design::Requeue),
    shown("handover", "ours: handover", Design::Handover),
];

/// Returns the design of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<Column> {
    COLUMNS.iter().copied().find(|c| c.name == name)
}
