//! Where to look first: what takes a race is found in the race that has it.
//!
//! Nothing but the order of a search depends on it. The controls of the models are hints as well.

use super::checker::Checker;
use super::tools::PIECES;
use crate::faults::CONTROLS;
use crate::{designs, scenario};
use rskq::sync::Fault;

/// A fault, a design, a scenario.
const MODELS: &[(Fault, &str, &str)] = &[
    (Fault::StateLookedAtBeforeLock, "requeue", "closer_late_arrival"),
    (Fault::AcceptNotSaid, "handover", "fast_accept_reset"),
    (Fault::HandshakeUnlocked, "handover", "fast_last_member_done"),
    (Fault::UnhashedTimedOut, "linux", "poll_ack"),
    (Fault::ArmedLate, "linux", "poll_ack"),
    (Fault::SynAtClosed, "requeue", "syn_closer"),
    (Fault::SpliceUnguarded, "splice", "two_closers"),
    (Fault::ClosedBeforeLeaving, "requeue", "closer_late_arrival"),
    (Fault::LoserDropped, "linux", "timer_ack_of_closed"),
];

/// A fault, a program, and a test: of the pieces, or where the replay would go on for ever.
const TESTS: &[(Fault, &str, &str)] = &[
    (Fault::FirstLeaves, "conformance", "migrate_reuseport::m1_m2_established_connections_migrate_at_close"),
    (
        Fault::GroupNotNamed,
        "conformance",
        "migrate_reuseport::m1_m2_established_connections_migrate_at_close",
    ),
    (Fault::SlotNotOwner, PIECES, "chains::walk_against_an_owner_whose_slot_has_another"),
    (Fault::RootBeforeChild, PIECES, "groups::pick_against_growth"),
    (Fault::MemberNotChecked, PIECES, "groups::select_against_a_slot_that_moves"),
    (Fault::ProgramLoadedTwice, PIECES, "programs::migrate_against_a_program_for_new_ones"),
    (Fault::MapNotChecked, PIECES, "programs::select_against_a_slot_of_the_map_that_moves"),
];

/// Returns the models to try first: a fault, a design and a scenario each.
fn models() -> impl Iterator<Item = (Fault, &'static str, &'static str)> {
    let controls = CONTROLS.iter().map(|control| (control.fault, control.design, control.scenario));
    MODELS.iter().copied().chain(controls)
}

/// Returns what to try first.
pub fn of(fault: Fault) -> impl Iterator<Item = Checker> {
    let model = |(_, design, scenario): (Fault, &str, &str)| {
        Some(Checker::Model(designs::by_name(design)?, scenario::by_name(scenario)?))
    };
    let test =
        |&(_, program, test): &(Fault, &'static str, &str)| Checker::Tests(program, Some(test.to_owned()));
    let models = models().filter(move |(of, ..)| *of == fault).filter_map(model);
    models.chain(TESTS.iter().filter(move |(of, ..)| *of == fault).map(test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_names_what_there_is() {
        for (fault, ..) in models() {
            let named = models().filter(|(of, ..)| *of == fault).count();
            let models = of(fault).filter(|checker| matches!(checker, Checker::Model(..))).count();
            assert_eq!(models, named, "{fault:?}");
        }
    }
}
