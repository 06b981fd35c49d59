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
    (Fault::AcceptSaidLate, "handover", "fast_accept_reset"),
    (Fault::HandshakeUnlocked, "handover", "fast_last_member_done"),
    (Fault::UnhashedTimedOut, "linux", "poll_ack"),
    (Fault::ArmedLate, "linux", "syn_ack_armed"),
    (Fault::SynAtClosed, "requeue", "syn_closer"),
    (Fault::SpliceUnguarded, "splice", "two_closers"),
    (Fault::ClosedBeforeLeaving, "requeue", "closer_late_arrival"),
    (Fault::LoserDropped, "linux", "timer_ack_of_closed"),
];

/// A fault, and a test of the pieces.
const PIECE: &[(Fault, &str)] = &[];

/// Returns what to try first.
pub fn of(fault: Fault) -> impl Iterator<Item = Checker> {
    let controls = CONTROLS.iter().map(|control| (control.fault, control.design, control.scenario));
    let models = MODELS.iter().copied().chain(controls).filter(move |(of, ..)| *of == fault);
    let model = |(_, design, scenario): (Fault, &str, &str)| {
        Some(Checker::Model(designs::by_name(design)?, scenario::by_name(scenario)?))
    };
    let piece = |(_, test): &(Fault, &str)| Checker::Tests(PIECES, Some((*test).to_owned()));
    models.filter_map(model).chain(PIECE.iter().filter(move |(of, _)| *of == fault).map(piece))
}
