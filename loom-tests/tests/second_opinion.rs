//! A second checker, and a finer grain, find no ending that the exhaustive runs did not.
//!
//! An exhaustive run that leaves interleavings out looks like any other. What is left out shows in
//! the endings: each set of fates that a random schedule of shuttle reaches, with every reference
//! count and every slab lock a scheduling point, has to be among those that loom found.

use loom_tests::designs::{self, COLUMNS, Column};
use loom_tests::explore::{Settings, explore, explore_as};
use loom_tests::observer;
use loom_tests::scenario::{self, SCENARIOS, Scenario};
use loom_tests::world::World;
use rskq::sync::model::{self, Fine};
use rskq::sync::shuttle::Shuttle;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

const SCHEDULES: usize = 400;

fn endings_under_shuttle(column: Column, scenario: Scenario) -> BTreeSet<String> {
    let endings = Arc::new(Mutex::new(BTreeSet::new()));
    let reached = Arc::clone(&endings);
    let execution = move || {
        model::begin(&[]);
        let world = World::<Shuttle<Fine>>::staged(scenario, column.design);
        let threads: Vec<_> = (0..scenario.threads.len())
            .map(|thread| {
                let world = Arc::clone(&world);
                shuttle::thread::spawn(move || {
                    model::enter(thread as u8 + 1);
                    world.run(thread);
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
            model::enter(model::MAIN);
        }
        observer::end(&world);
        reached.lock().unwrap().insert(world.outcome());
        model::take(|_, _| ());
    };
    shuttle::check_random(execution, SCHEDULES);
    std::mem::take(&mut endings.lock().unwrap())
}

/// The scenarios that are exhausted within seconds; the others' endings are compared with what a
/// bounded run finds, which has to be as many.
fn endings_under_loom(column: Column, scenario: Scenario) -> BTreeSet<String> {
    explore(column, scenario, Settings { bound: scenario.quick_bound, ..Settings::default() }).outcomes
}

#[test]
fn random_schedules_end_as_exhaustive_ones_do() {
    let mut reached = 0;
    for &column in COLUMNS.iter().filter(|c| c.in_matrix) {
        for &scenario in SCENARIOS {
            let exhaustive = endings_under_loom(column, scenario);
            let random = endings_under_shuttle(column, scenario);
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
    let column = designs::by_name("abort").unwrap();
    let scenario = scenario::by_name("closer_accept").unwrap();
    let settings = Settings { bound: Some(0), ..Settings::default() };
    let bounded = explore(column, scenario, settings).outcomes;
    assert!(endings_under_shuttle(column, scenario).difference(&bounded).next().is_some());
}

/// The same with loom itself: two threads, every count and every slab lock visible, at most two
/// preemptions.
#[test]
fn the_fine_grain_ends_as_the_coarse_one_does() {
    for name in ["closer_accept", "closer_late_arrival", "closer_accept_on_target", "last_member_arrival"] {
        for design in ["abort", "splice", "clone"] {
            let column = designs::by_name(design).unwrap();
            let scenario = scenario::by_name(name).unwrap();
            let coarse = explore(column, scenario, Settings::default());
            let fine =
                explore_as::<Fine>(column, scenario, Settings { bound: Some(2), ..Settings::default() });
            let missed: Vec<_> = fine.outcomes.difference(&coarse.outcomes).collect();
            assert!(missed.is_empty(), "the coarse grain left out, of {name} under {design}: {missed:#?}");
            for (property, verdict) in &fine.verdicts {
                let (found, known) = (verdict.is_broken(), coarse.verdict(*property).is_broken());
                assert!(known || !found, "{} is broken at the fine grain only, {name}", property.name());
            }
            println!("{name} under {design}: {} interleavings, at most 2 preemptions", fine.interleavings);
        }
    }
}
