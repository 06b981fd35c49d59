//! A second checker, and a finer grain, find no ending that the exhaustive runs did not.
//!
//! An exhaustive run that leaves interleavings out looks like any other. What is left out shows in
//! the endings: each set of fates that a random schedule of shuttle reaches, with every reference
//! count and every slab lock a scheduling point, has to be among those that loom found.

use super::{SCHEDULES, column, run};
use loom_tests::designs::{COLUMNS, Column};
use loom_tests::explore::{Settings, explore, explore_as};
use loom_tests::scenario::{self, SCENARIOS, Scenario};
use rskq::sync::model::Fine;
use std::collections::BTreeSet;

fn random_endings(column: Column, scenario: Scenario) -> BTreeSet<String> {
    run::<Fine>(scenario, column, SCHEDULES).endings
}

#[test]
fn random_schedules_end_as_exhaustive_ones_do() {
    let mut reached = 0;
    for &column in COLUMNS.iter().filter(|c| c.in_matrix) {
        for &scenario in SCENARIOS {
            // What the full matrix bounds is compared at a bound that takes seconds: fewer
            // preemptions than the full matrix has, so that this says something of that, too.
            let settings = Settings { bound: scenario.bound.map(|_| 3), ..Settings::default() };
            let exhaustive = explore(column, scenario, settings).outcomes;
            let random = random_endings(column, scenario);
            let missed: Vec<_> = random.difference(&exhaustive).collect();
            let name = (column.name, scenario.name);
            assert!(missed.is_empty(), "loom left out, of {name:?}: {missed:#?}");
            println!("{name:?}: {} endings, random schedules reach {}", exhaustive.len(), random.len());
            reached += random.len();
        }
    }
    assert!(reached > 2 * SCENARIOS.len(), "random schedules reach {reached} endings: too few to compare");
}

/// The control: an exploration that does leave interleavings out, by a bound, is found out.
#[test]
fn an_exploration_that_leaves_interleavings_out_is_noticed() {
    let (column, scenario) = (column("abort"), scenario::by_name("closer_accept").unwrap());
    let settings = Settings { bound: Some(0), ..Settings::default() };
    let bounded = explore(column, scenario, settings).outcomes;
    assert!(random_endings(column, scenario).difference(&bounded).next().is_some());
}

/// The same with loom itself: two threads, every count and every slab lock visible, at most two
/// preemptions.
#[test]
fn the_fine_grain_ends_as_the_coarse_one_does() {
    for name in ["closer_accept", "closer_late_arrival", "closer_accept_on_target", "last_member_arrival"] {
        for column in ["abort", "splice", "clone"].map(column) {
            let scenario = scenario::by_name(name).unwrap();
            let coarse = explore(column, scenario, Settings::default());
            let fine = Settings { bound: Some(2), ..Settings::default() };
            let fine = explore_as::<Fine>(column, scenario, fine);
            let missed: Vec<_> = fine.outcomes.difference(&coarse.outcomes).collect();
            assert!(
                missed.is_empty(),
                "the coarse grain left out, of {name} under {}: {missed:#?}",
                column.name
            );
            for (property, verdict) in &fine.verdicts {
                let (found, known) = (verdict.is_broken(), coarse.verdict(*property).is_broken());
                assert!(known || !found, "{} is broken at the fine grain only, {name}", property.name());
            }
            println!("{name} under {}: {} interleavings, bound 2", column.name, fine.interleavings);
        }
    }
}
