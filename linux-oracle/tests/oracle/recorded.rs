//! The recorded traces agree.

use super::RECORDED;
use linux_oracle::embedded::{TRACES, replay_all};
use linux_oracle::summary::LeftOut;
use linux_oracle::{Summary, Totals, replay};

#[test]
fn every_operation_in_scope_agrees() {
    let [seed7, seed11] = TRACES.map(|trace| replay(trace.bytes).expect("readable"));
    let expected = Summary {
        episodes: 334,
        operations: 20_040,
        replayed: 5_653,
        left_out: LeftOut { hold: 6_721, program: 3_294, incoming_cpu: 4_372, not_yet: 0, divergence: 0 },
        divergences: vec![],
    };
    assert_eq!(seed7, expected);
    let expected = Summary {
        episodes: 334,
        operations: 20_040,
        replayed: 5_723,
        left_out: LeftOut { hold: 7_411, program: 3_508, incoming_cpu: 3_398, not_yet: 0, divergence: 0 },
        divergences: vec![],
    };
    assert_eq!(seed11, expected);
}

#[test]
fn the_figures_of_both_traces_are_one_line() {
    let totals: Totals = replay_all().expect("readable").iter().map(|(_, summary)| summary.totals()).sum();
    assert_eq!(totals.to_string(), "11376 of 40080 operations, 0 divergences");
}

#[test]
fn what_is_replayed_is_each_episode_up_to_its_first_out_of_scope_operation() {
    for (trace, text) in TRACES.iter().zip(&*RECORDED) {
        let in_scope: usize = text.in_scope.iter().map(Vec::len).sum();
        assert_eq!(replay(trace.bytes).expect("readable").replayed, in_scope as u64, "{}", trace.name);
    }
}

#[test]
fn a_trace_may_be_uncompressed() {
    let trace = TRACES[0];
    assert_eq!(replay(&*RECORDED[0].bytes()).expect("readable"), replay(trace.bytes).expect("readable"));
}
