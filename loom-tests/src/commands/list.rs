//! `list`: what there is to name on the command line.

use loom_tests::designs::COLUMNS;
use loom_tests::scenario::SCENARIOS;
use std::process::ExitCode;

pub(crate) fn run() -> ExitCode {
    for column in COLUMNS {
        println!("{:18} {}", column.name, column.title);
    }
    for scenario in SCENARIOS.iter() {
        println!("\n{}{}", scenario.name, scenario.schedule);
    }
    ExitCode::SUCCESS
}
