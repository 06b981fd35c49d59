//! The recorded traces agree.

use super::RECORDED;
use linux_oracle::embedded::{TRACES, replay_all};
use linux_oracle::{Summary, Totals, replay};

#[test]
fn every_operation_agrees() {
    let expected = Summary { episodes: 334, operations: 20_040, replayed: 20_040, divergences: vec![] };
    assert_eq!(TRACES.map(|trace| replay(trace.bytes).expect("readable")), [expected.clone(), expected]);
}

#[test]
fn the_figures_of_all_traces_are_one_line() {
    let totals: Totals = replay_all().expect("readable").iter().map(|(_, summary)| summary.totals()).sum();
    assert_eq!(totals.to_string(), "70089 of 70089 operations, 0 divergences");
}

#[test]
fn a_trace_may_be_uncompressed() {
    let trace = TRACES[0];
    assert_eq!(replay(&*RECORDED[0].bytes()).expect("readable"), replay(trace.bytes).expect("readable"));
}
