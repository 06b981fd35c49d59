//! A second checker, and a finer grain, find nothing that the exhaustive runs did not.
//!
//! An exhaustive run that leaves interleavings out looks like any other. What is left out shows in the
//! endings: each set of fates that a random schedule of shuttle reaches, with every reference count, every
//! slab lock and every place of a group a scheduling point, has to be among those that loom found; and so
//! have the properties that it breaks.

use super::{Choice, Found, Plan, SEED, column, run};
use loom_tests::designs::Column;
use loom_tests::explore::{Settings, explore, explore_as};
use loom_tests::property::Property;
use loom_tests::scenario::{self, SCENARIOS, Scenario};
use rskq::sync::model::{Coarse, Finding, Fine};
use std::collections::BTreeSet;

const SCHEDULES: usize = 300;

/// Races of two threads that take a minute to exhaust. They are compared at a bound that takes seconds:
/// fewer preemptions than the matrix has, so that this says something of the matrix, too.
const LONG: [&str; 3] = ["ring", "target_listens_again", "heir_closes_in_transit"];
const LONG_BOUND: u8 = 4;

fn random(scenario: Scenario, column: Column) -> Found {
    let plan = Plan { tolerates: |_| true, ..Plan::new(scenario, column) };
    let mut fine = run::<Fine>(plan, Choice::Random(SEED), SCHEDULES);
    fine.endings.extend(run::<Coarse>(plan, Choice::Pct(SEED, 3), SCHEDULES).endings);
    fine
}

/// Compares every race of two threads, and returns how many endings random schedules reached.
fn compare(design: &str) -> usize {
    let column = column(design);
    let mut reached = 0;
    let mut missed = Vec::new();
    for &scenario in SCENARIOS.iter().filter(|scenario| scenario.threads.len() == 2) {
        let bound = LONG.contains(&scenario.name).then_some(LONG_BOUND);
        let exhaustive = explore(column, scenario, Settings { bound, ..Settings::default() });
        let random = random(scenario, column);
        let known = &exhaustive.outcomes;
        missed.extend(random.endings.difference(known).map(|e| format!("{}: {e}", scenario.name)));
        for (property, verdict) in &exhaustive.verdicts {
            if random.broken.contains_key(property.name()) && !verdict.is_broken() {
                missed.push(format!("{}: {} breaks", scenario.name, property.name()));
            }
        }
        println!(
            "{} under {design}: {} interleavings, {:.2} s, {} endings, random schedules reach {}",
            scenario.name,
            exhaustive.interleavings,
            exhaustive.elapsed.as_secs_f64(),
            known.len(),
            random.endings.len()
        );
        reached += random.endings.len();
    }
    missed.retain(|missed| !is_known(design, missed));
    assert!(missed.is_empty(), "loom left out, under {design}: {missed:#?}");
    reached
}

/// What the coarse grain is known to leave out under designs of the discussion, by race. Their request protocol
/// takes and drops references without a lock, and which of two holders drops one last decides what a third
/// finds; the coarse grain does not try both. Ours takes them under a lock, and nothing is left out.
const KNOWN: [(&str, &str); 3] = [
    ("splice", "ack_timer ack_full_queue_accept timer_twice_ack"),
    (
        "clone-5.14",
        "ack_ack ack_timer ack_reset ack_ack_of_closed ack_full_queue_accept timer_twice_ack timer_close_of_target",
    ),
    ("clone", "ack_full_queue_accept timer_close_of_target"),
];

fn is_known(design: &str, missed: &str) -> bool {
    let races = KNOWN.iter().filter(|(of, _)| *of == design).flat_map(|(_, races)| races.split_whitespace());
    races.into_iter().any(|race| missed.split(':').next() == Some(race))
}

#[test]
fn nothing_is_known_to_be_left_out_of_ours() {
    for design in ["abort", "requeue", "handover"] {
        assert!(!KNOWN.iter().any(|(of, _)| *of == design), "{design}");
    }
}

#[test]
fn abort_ends_as_exhausted() {
    compare("abort");
}

#[test]
fn splice_ends_as_exhausted() {
    compare("splice");
}

#[test]
fn merged_clone_ends_as_exhausted() {
    compare("clone-5.14");
}

#[test]
fn clone_ends_as_exhausted() {
    compare("clone");
}

#[test]
fn requeue_ends_as_exhausted() {
    assert!(compare("requeue") > SCENARIOS.len(), "too few endings to compare");
}

#[test]
fn handover_ends_as_exhausted() {
    assert!(compare("handover") > SCENARIOS.len(), "too few endings to compare");
}

/// Larger races, most of which a test run cannot exhaust at once: ours hold in random schedules, too.
fn ours_hold(design: &str, tolerates: fn(&Finding) -> bool) {
    for &scenario in SCENARIOS.iter().filter(|scenario| scenario.threads.len() > 2) {
        let plan = Plan { tolerates, ..Plan::new(scenario, column(design)) };
        run::<Fine>(plan, Choice::Random(SEED), SCHEDULES);
        run::<Fine>(plan, Choice::Pct(SEED, 4), SCHEDULES);
    }
}

#[test]
fn requeue_holds() {
    ours_hold("requeue", |finding| finding.property == Property::H1.name());
}

#[test]
fn handover_holds() {
    ours_hold("handover", |_| false);
}

/// The control: an exploration that does leave interleavings out, by a bound, is found out.
#[test]
fn an_exploration_that_leaves_interleavings_out_is_noticed() {
    let (column, scenario) = (column("abort"), scenario::by_name("closer_accept").unwrap());
    let settings = Settings { bound: Some(0), ..Settings::default() };
    let bounded = explore(column, scenario, settings).outcomes;
    assert!(random(scenario, column).endings.difference(&bounded).next().is_some());
}

/// The control of what is tolerated: the v1 patch leaves requests that name the dead listener, and random
/// schedules see it.
#[test]
fn what_is_broken_is_seen() {
    let scenario = scenario::by_name("closer_accept_on_target").unwrap();
    assert!(random(scenario, column("splice")).broken.contains_key(Property::I5.name()));
}

/// The same with loom itself: two threads, every count, every slab lock and every place of a group
/// visible, at most two preemptions.
#[test]
fn the_fine_grain_ends_as_the_coarse_one_does() {
    for name in ["closer_accept", "closer_late_arrival", "last_member_arrival", "ack_closer"] {
        for column in ["abort", "clone", "requeue", "handover"].map(column) {
            let scenario = scenario::by_name(name).unwrap();
            let coarse = explore(column, scenario, Settings::default());
            let fine = Settings { bound: Some(2), ..Settings::default() };
            let fine = explore_as::<Fine>(column, scenario, fine);
            let missed: BTreeSet<_> = fine.outcomes.difference(&coarse.outcomes).collect();
            let design = column.name;
            assert!(missed.is_empty(), "the coarse grain left out, of {name} under {design}: {missed:#?}");
            for (property, verdict) in &fine.verdicts {
                let (found, known) = (verdict.is_broken(), coarse.verdict(*property).is_broken());
                assert!(known || !found, "{} is broken at the fine grain only, {name}", property.name());
            }
            println!("{name} under {design}: {} interleavings, bound 2", fine.interleavings);
        }
    }
}
