//! The selection programs of an episode.

use crate::trace::{ProgramKind, Verdict as Answer};
use rskq::{AttachType, Program, ProgramId, SkReuseportMd, Verdict};

/// Most entries of the map that a program may name.
pub(super) const ENTRIES: u32 = 64;

/// A program that always answers the same.
struct Constant {
    attach_type: AttachType,
    answer: Answer,
}

impl Program for Constant {
    fn attach_type(&self) -> AttachType {
        self.attach_type
    }

    fn run(&self, md: &mut SkReuseportMd<'_>) -> Verdict {
        match self.answer {
            Answer::Pass => Verdict::Pass,
            Answer::Drop => Verdict::Drop,
            Answer::Select(index) => {
                // Whoever the hash falls on, if nobody is there.
                let _ = md.select(index);
                Verdict::Pass
            }
            Answer::SelectOrDrop(index) => match md.select(index) {
                Ok(()) => Verdict::Pass,
                Err(_) => Verdict::Drop,
            },
        }
    }
}

/// Every answer of one kind, in the order of [`id`].
const fn constants<const N: usize>(attach_type: AttachType) -> [Constant; N] {
    let mut all = [const { Constant { attach_type: AttachType::Select, answer: Answer::Pass } }; N];
    let mut at = 0;
    while at < N {
        let index = (at as u32).saturating_sub(2);
        let answer = match at {
            0 => Answer::Pass,
            1 => Answer::Drop,
            _ if index < ENTRIES => Answer::Select(index),
            _ => Answer::SelectOrDrop(index - ENTRIES),
        };
        all[at] = Constant { attach_type, answer };
        at += 1;
    }
    all
}

const EACH: usize = 2 + 2 * ENTRIES as usize;
static SELECT: [Constant; EACH] = constants(AttachType::Select);
static SELECT_OR_MIGRATE: [Constant; EACH] = constants(AttachType::SelectOrMigrate);

/// All of them: those that are asked for new connections only come first.
pub(super) static PROGRAMS: [&dyn Program; 2 * EACH] = {
    let mut all: [&dyn Program; 2 * EACH] = [&SELECT[0]; 2 * EACH];
    let mut at = 0;
    while at < EACH {
        all[at] = &SELECT[at];
        all[EACH + at] = &SELECT_OR_MIGRATE[at];
        at += 1;
    }
    all
};

/// Returns the program with this answer. `None` for no program.
pub(super) fn id(kind: ProgramKind, answer: Answer) -> Option<ProgramId> {
    let place = match answer {
        Answer::Pass => 0,
        Answer::Drop => 1,
        Answer::Select(index) => 2 + index,
        Answer::SelectOrDrop(index) => 2 + ENTRIES + index,
    };
    match kind {
        ProgramKind::Select => Some(ProgramId(place)),
        ProgramKind::SelectOrMigrate => Some(ProgramId(EACH as u32 + place)),
        ProgramKind::None => None,
    }
}
