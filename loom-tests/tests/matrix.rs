//! Every scenario under every design, one test each: `cargo test --release -p loom-tests --test matrix
//! -- clone::two_closers`. The designs of the matrix are explored as the full matrix is, without a
//! bound but for what a scenario itself says; the others as the small matrix is.

use libtest_mimic::{Arguments, Failed, Trial};
use loom_tests::designs::{COLUMNS, Column};
use loom_tests::expected;
use loom_tests::explore::{Settings, explore};
use loom_tests::scenario::{SCENARIOS, Scenario};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let models = COLUMNS.iter().flat_map(|&column| {
        SCENARIOS.iter().map(move |&scenario| {
            Trial::test(format!("{}::{}", column.name, scenario.name), move || model(column, scenario))
        })
    });
    libtest_mimic::run(&arguments, models.collect()).exit_code()
}

fn model(column: Column, scenario: Scenario) -> Result<(), Failed> {
    let bound = if column.in_matrix { scenario.bound } else { scenario.quick_bound };
    let bound = column.bound(&scenario, bound);
    let exploration = explore(column, scenario, Settings { bound, ..Settings::default() });
    let bound = exploration.bound.map_or("no bound".to_owned(), |b| format!("at most {b} preemptions"));
    println!("{}: {} interleavings, {bound}", scenario.name, exploration.interleavings);
    let differences = expected::differences(&[exploration]);
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n").into()) }
}
