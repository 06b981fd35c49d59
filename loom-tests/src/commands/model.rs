//! One model, for a matrix that explores it in a process of its own.

use super::Outcome;
use clap::Args;
use loom_tests::expected;
use loom_tests::explore::{Settings, explore};
use loom_tests::matrix::Report;
use loom_tests::seeded::checker::Panicked;
use rskq::sync::Fault;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The design, as in `list`.
    design: String,
    /// The scenario, as in `list`.
    scenario: String,
    /// At most so many preemptions.
    #[arg(long, value_name = "PREEMPTIONS")]
    bound: Option<u8>,
    /// Stop after so many seconds; the verdicts say so.
    #[arg(long, value_name = "SECONDS")]
    max_time: Option<u64>,
    /// With this fault; stops once it shows.
    #[arg(long, value_name = "FAULT")]
    planted: Option<String>,
}

/// Prints the verdicts as one JSON object.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let (column, scenario) = (super::design(&arguments.design)?, super::scenario(&arguments.scenario)?);
    let max_time = arguments.max_time.map(Duration::from_secs);
    let faults = match &arguments.planted {
        Some(name) => vec![Fault::by_name(name).ok_or_else(|| format!("there is no fault {name}"))?],
        None => vec![],
    };
    let broken = expected::broken(column.name, scenario.name);
    let known = arguments.planted.is_some().then_some(&broken[..]);
    let settings =
        Settings { bound: arguments.bound, max_time, faults: &faults, known, ..Settings::default() };
    let count = Arc::clone(&settings.count);
    match catch_unwind(AssertUnwindSafe(|| explore(column, scenario, settings))) {
        Ok(exploration) => println!("{}", serde_json::to_string(&Report::from(&exploration))?),
        // With a fault that is a finding.
        Err(payload) if arguments.planted.is_some() => {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
            let panicked = text.lines().next().unwrap_or_default().to_owned();
            let interleavings = count.load(Ordering::Relaxed);
            println!("{}", serde_json::to_string(&Panicked { panicked, interleavings })?);
        }
        Err(payload) => resume_unwind(payload),
    }
    Ok(ExitCode::SUCCESS)
}
