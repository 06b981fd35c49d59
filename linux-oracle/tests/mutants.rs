//! Each rule that can be broken is missed, black box, within so many operations.

use linux_oracle::embedded::{SECOND, TRACES};
use linux_oracle::replay;
use rskq::sync::Fault;
use rskq::sync::seeded::plant;

/// Within how many operations.
const WITHIN: u64 = 50_000;

/// One rule each.
const MUTANTS: [Fault; 28] = [
    Fault::SwapsWithFirst,
    Fault::JoinsFirst,
    Fault::AlwaysInClosedSection,
    Fault::NeverInClosedSection,
    Fault::AcceptQueueOneLess,
    Fault::SynQueueOneLess,
    Fault::MigratesBySynHash,
    Fault::MigrationNotCounted,
    Fault::MigrationFailureNotCounted,
    Fault::GuardLookedAtOnce,
    Fault::TargetBacklogMinded,
    Fault::ProgramKept,
    Fault::CookiesKept,
    Fault::CookieNotBelieved,
    Fault::AckNotMigrated,
    Fault::IncomingCpuIgnored,
    Fault::SelectProgramMigrates,
    Fault::DropPasses,
    Fault::EmbryonicNotCounted,
    Fault::MapEntryKept,
    Fault::FastLimitOneMore,
    Fault::DeferIgnored,
    Fault::OverflowEndsRequest,
    Fault::OverlapIgnored,
    Fault::PickedPortKept,
    Fault::PushToHead,
    Fault::WildcardFirst,
    Fault::TupleNotCompared,
];

/// Replays the recorded traces, those of the second format first; returns after how many operations the first
/// difference shows.
fn noticed_after(fault: Option<Fault>) -> Option<u64> {
    plant(fault);
    let mut before = 0;
    for trace in [SECOND].iter().chain(&TRACES) {
        let summary = replay(trace.bytes).expect("a trace");
        if let Some(first) = summary.divergences.first() {
            // Lines that begin an episode, and the header, are no operations.
            return Some(before + first.line - 1 - first.episode);
        }
        before += summary.operations;
    }
    None
}

#[test]
fn each_broken_rule_is_noticed() {
    let mut missed = Vec::new();
    for fault in MUTANTS {
        match noticed_after(Some(fault)) {
            Some(after) if after <= WITHIN => println!("{fault:?}: after {after} operations"),
            late => missed.push((fault, late)),
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

/// The control: without one, nothing is noticed.
#[test]
fn no_broken_rule_is_noticed_where_there_is_none() {
    assert_eq!(noticed_after(None), None);
}
