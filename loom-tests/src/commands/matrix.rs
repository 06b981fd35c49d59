//! `matrix`: the verdicts, as a table or as lines of JSON.

use super::Outcome;
use clap::Args;
use loom_tests::designs::Column;
use loom_tests::matrix::{self, Depth, Run, Selection, State};
use loom_tests::progress::tell_when_interrupted;
use loom_tests::readme::Total;
use loom_tests::scenario::SCENARIOS;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Which models, how deep, and for how long.
#[derive(Args)]
pub(crate) struct Arguments {
    /// One JSON object a line instead of a table.
    #[arg(long)]
    json: bool,
    /// How much of each design was explored, one JSON object a line.
    #[arg(long, conflicts_with = "json")]
    totals: bool,
    /// Explore without a bound also what takes minutes.
    #[arg(long)]
    full: bool,
    /// Only models whose name, as `design::scenario`, contains this; may be given several times.
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,
    /// Only this design; may be given several times.
    #[arg(long)]
    design: Vec<String>,
    /// Only this scenario; may be given several times.
    #[arg(long)]
    scenario: Vec<String>,
    /// At most so many preemptions, in place of the scenarios' own bounds.
    #[arg(long, value_name = "PREEMPTIONS", conflicts_with = "full")]
    bound: Option<u8>,
    /// Stop the run after so many seconds; what was not explored to the end is told as missing.
    #[arg(long, value_name = "SECONDS")]
    max_time: Option<u64>,
    /// Take from the state file what an earlier run of this build found, and add to it.
    #[arg(long)]
    resume: bool,
    /// The state file, in place of `target/matrix/DEPTH.jsonl`.
    #[arg(long, value_name = "FILE", requires = "resume")]
    state: Option<PathBuf>,
}

impl Arguments {
    fn selection(&self) -> Result<Selection, String> {
        let depth = match (self.full, self.bound) {
            (_, Some(bound)) => Depth::Bounded(bound),
            (true, None) => Depth::Full,
            (false, None) => Depth::Quick,
        };
        let mut selection = Selection::whole(depth);
        if !self.design.is_empty() {
            // Also those that the matrix does not show.
            let columns = self.design.iter().map(|name| super::design(name));
            let columns = columns.collect::<Result<Vec<Column>, _>>()?;
            let of = |&column: &Column| SCENARIOS.iter().map(move |&scenario| (column, scenario));
            selection.models = columns.iter().flat_map(of).collect();
        }
        for name in &self.scenario {
            super::scenario(name)?;
        }
        selection.models.retain(|(column, scenario)| {
            let name = matrix::model(column.name, scenario.name);
            (self.scenario.is_empty() || self.scenario.iter().any(|s| s == scenario.name))
                && (self.only.is_empty() || self.only.iter().any(|pattern| name.contains(pattern)))
        });
        if selection.models.is_empty() {
            return Err("no model is selected; see `list`".to_owned());
        }
        selection.max_time = self.max_time.map(Duration::from_secs);
        Ok(selection)
    }
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let selection = arguments.selection()?;
    tell_when_interrupted()?;
    let mut state = None;
    if arguments.resume {
        let opened = match &arguments.state {
            Some(path) => State::open(path, matrix::fingerprint()?)?,
            None => state_of(selection.depth)?,
        };
        state = Some(opened);
    }
    let run = matrix::run(&selection, state.as_mut())?;
    if let Some(state) = &state {
        tell_reused(state, &run);
    }
    if arguments.totals {
        for column in selection.columns() {
            println!("{}", serde_json::to_string(&Total::of(&run.reports, &column))?);
        }
    } else if arguments.json {
        for line in run.reports.iter().flat_map(|report| report.lines()) {
            println!("{}", serde_json::to_string(&line)?);
        }
    } else {
        print(&run, &selection);
    }
    Ok(as_expected(&run))
}

/// Opens the state file of a depth.
pub(crate) fn state_of(depth: Depth) -> io::Result<State> {
    State::open(&PathBuf::from(format!("target/matrix/{depth}.jsonl")), matrix::fingerprint()?)
}

pub(crate) fn tell_reused(state: &State, run: &Run) {
    for note in &state.notes {
        eprintln!("{note}");
    }
    let (all, now) = (run.reports.len(), run.explorations.len());
    eprintln!("{} of {all} models were explored before and are read back", all - now);
}

pub(crate) fn print(run: &Run, selection: &Selection) {
    println!("{}", matrix::table(&run.reports, &selection.columns()));
    for note in matrix::footnotes(&run.reports) {
        println!("{note}");
    }
    println!("Reference counts and slab free lists run as single steps: they have models of their own.");
}

/// Says what is unexpected, and what is missing: a run that is cut short is no pass.
pub(crate) fn as_expected(run: &Run) -> ExitCode {
    let differences: Vec<String> = run.reports.iter().flat_map(|report| report.differences()).collect();
    for missing in &run.missing {
        eprintln!("missing: {missing}");
    }
    for difference in &differences {
        eprintln!("unexpected: {difference}");
    }
    match (differences.is_empty(), run.missing.is_empty()) {
        (true, true) => ExitCode::SUCCESS,
        (true, false) => ExitCode::from(3),
        (false, _) => ExitCode::FAILURE,
    }
}
