//! `run`: everything that the README quotes, in one go.

use super::Outcome;
use super::matrix::{as_expected, print, state_of};
use loom_tests::explore::Exploration;
use loom_tests::faults::CONTROLS;
use loom_tests::matrix::{self, Depth, Run, Selection};
use loom_tests::property::Property;
use loom_tests::scenario::SCENARIOS;
use loom_tests::{example, story};
use std::process::ExitCode;
use std::time::Instant;

pub(crate) fn run() -> Outcome {
    let selection = Selection::whole(Depth::Quick);
    println!("\nFour listeners of one group, two connections waiting on each, closed by turns\n");
    println!("{}", example::table(&selection.columns()));

    let begin = Instant::now();
    let explored = matrix::run(&selection, None)?;
    let control = CONTROLS.iter().find(|c| c.breaks == Property::Deadlock);
    let control = control.ok_or("there is no control of the deadlock check")?.planted();

    println!("\nThe verdict matrix over {} scenarios\n", SCENARIOS.len());
    print(&explored, &selection);
    let total: u64 = explored.reports.iter().map(|report| report.interleavings).sum();
    println!("{total} interleavings in {:.1} s\n", begin.elapsed().as_secs_f64());
    remember(&explored)?;

    println!("\nFor each property that does not hold, the interleaving that is easiest to read\n");
    for column in &selection.columns() {
        for property in Property::ALL.iter().copied() {
            if let Some(exploration) = explored.counterexample(column.name, property) {
                print_story(exploration, property);
            }
        }
    }
    println!("And with what protects the splice taken away, as a negative control:\n");
    print_story(&control, Property::Deadlock);

    let replayed = linux_oracle::embedded::replay_all().map_err(|error| error.to_string())?;
    let totals: linux_oracle::Totals = replayed.iter().map(|(_, summary)| summary.totals()).sum();
    println!("trace replay: {totals}");
    let replay_agrees = totals.divergences == 0;
    let code = as_expected(&explored);
    Ok(if replay_agrees && control.verdict(Property::Deadlock).is_broken() {
        code
    } else {
        ExitCode::FAILURE
    })
}

/// Leaves the verdicts in the state file: `readme --resume` need not find them again.
fn remember(explored: &Run) -> std::io::Result<()> {
    let mut state = state_of(Depth::Quick)?;
    let known: Vec<String> = state.reports.iter().map(|report| report.model()).collect();
    let new = explored.reports.iter().filter(|report| !known.contains(&report.model()));
    new.into_iter().try_for_each(|report| state.append(report))
}

/// Prints the most readable interleaving that breaks a property in an exploration, if one does.
pub(crate) fn print_story(exploration: &Exploration, property: Property) {
    if let Some(interleaving) = exploration.verdict(property).interleaving() {
        println!(
            "{}: {} ({}), {}",
            exploration.column.title,
            property.title(),
            property.name(),
            exploration.scenario.name
        );
        println!("{}\n", story::tell(&exploration.scenario, interleaving));
    }
}
