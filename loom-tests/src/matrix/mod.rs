//! The verdict matrix: designs by properties, over all scenarios.

pub mod apart;
mod report;
mod state;
mod table;

pub use report::{Line, Report, Said, model};
pub use state::{State, fingerprint};
pub use table::{Cell, LEGEND, footnotes, letters, table, title};

use crate::designs::{COLUMNS, Column};
use crate::explore::{Exploration, Settings, explore};
use crate::progress::Progress;
use crate::property::Property;
use crate::scenario::{SCENARIOS, Scenario};
use rayon::prelude::*;
use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How deep to explore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// By each scenario's bound for the small matrix.
    Quick,
    /// By each scenario's bound for the full matrix.
    Full,
    /// By one bound for all.
    Bounded(u8),
}

impl Depth {
    fn bound(self, column: &Column, scenario: &Scenario) -> Option<u8> {
        match self {
            Depth::Quick => column.bound(scenario, scenario.quick_bound),
            Depth::Full => column.bound(scenario, scenario.bound),
            Depth::Bounded(bound) => Some(bound),
        }
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Depth::Quick => f.write_str("quick"),
            Depth::Full => f.write_str("full"),
            Depth::Bounded(bound) => write!(f, "bound-{bound}"),
        }
    }
}

/// What to explore.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The models: each a scenario under a design.
    pub models: Vec<(Column, Scenario)>,
    /// How deep.
    pub depth: Depth,
    /// How long the whole run may take.
    pub max_time: Option<Duration>,
}

impl Selection {
    /// Every design of the matrix in every scenario.
    #[must_use]
    pub fn whole(depth: Depth) -> Self {
        let columns = COLUMNS.iter().filter(|column| column.in_matrix);
        let of = |&column: &Column| SCENARIOS.iter().map(move |&scenario| (column, scenario));
        Self { models: columns.flat_map(of).collect(), depth, max_time: None }
    }

    /// Returns the designs, each once.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        let mut columns: Vec<Column> = Vec::new();
        for (column, _) in &self.models {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(*column);
            }
        }
        columns
    }
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Run {
    /// What is known of each model, in the order of the selection.
    pub reports: Vec<Report>,
    /// The explorations of this run, with their interleavings; those read back have none.
    pub explorations: Vec<Exploration>,
    /// What is missing, a sentence each: models that were not begun, or stopped.
    pub missing: Vec<String>,
}

impl Run {
    /// Returns the exploration with the most readable counterexample to a property under a design.
    #[must_use]
    pub fn counterexample(&self, column: &str, property: Property) -> Option<&Exploration> {
        let of_column = self.explorations.iter().filter(|e| e.column.name == column);
        let broken = of_column.filter(|e| e.verdict(property).is_broken());
        broken.min_by_key(|e| e.verdict(property).interleaving().map(|i| i.length()))
    }
}

/// Explores everything that `state` does not have yet, as many models at a time as there are
/// processors, and adds to it what was found.
///
/// # Errors
///
/// If the state file cannot be written.
pub fn run(selection: &Selection, state: Option<&mut State>) -> io::Result<Run> {
    let known = |column: &Column, scenario: &Scenario| {
        let reports = state.as_ref().map_or(&[][..], |state| &state.reports);
        let bound = selection.depth.bound(column, scenario);
        let same = |r: &&Report| (&*r.design, &*r.scenario) == (column.name, scenario.name);
        reports.iter().find(|r| same(r) && r.preemption_bound == bound).cloned()
    };
    let mut run = Run::default();
    let mut jobs = Vec::new();
    for &(column, scenario) in &selection.models {
        match known(&column, &scenario) {
            Some(report) => run.reports.push(report),
            None => jobs.push((column, scenario)),
        }
    }
    explore_all(jobs, selection, state, &mut run)?;
    let place = |design: &str, scenario: &str| {
        selection.models.iter().position(|(c, s)| (c.name, s.name) == (design, scenario))
    };
    run.reports.sort_by_key(|r| place(&r.design, &r.scenario));
    run.explorations.sort_by_key(|e| place(e.column.name, e.scenario.name));
    run.missing = run.reports.iter().filter_map(Report::missing).collect();
    Ok(run)
}

fn explore_all(
    mut jobs: Vec<(Column, Scenario)>,
    selection: &Selection,
    state: Option<&mut State>,
    run: &mut Run,
) -> io::Result<()> {
    // The long ones first, so that no processor is left alone with one at the end.
    jobs.sort_by_key(|(_, scenario)| std::cmp::Reverse(scenario.threads.len()));
    let deadline = selection.max_time.map(|max| Instant::now() + max);
    let names = jobs.iter().map(|(column, scenario)| model(column.name, scenario.name));
    let progress = Progress::new(names.collect());
    let state = Mutex::new(state);
    let one = |(column, scenario): (Column, Scenario)| {
        let bound = selection.depth.bound(&column, &scenario);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok((Report::not_begun(column, &scenario, bound), None));
        }
        let name = model(column.name, scenario.name);
        let count = progress.begin(&name);
        let (report, exploration) = if selection.depth == Depth::Full {
            let report = apart::explore(column.name, scenario.name, bound, left)?;
            count.store(report.interleavings, Ordering::Relaxed);
            (report, None)
        } else {
            let settings = Settings { bound, max_time: left, count, ..Settings::default() };
            let exploration = explore(column, scenario, settings);
            (Report::from(&exploration), Some(exploration))
        };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = state.as_mut().filter(|_| report.is_finished()) {
            state.append(&report)?;
        }
        progress.done(&name);
        Ok((report, exploration))
    };
    let outcomes: io::Result<Vec<_>> =
        progress.shown_while(|| jobs.into_iter().par_bridge().map(one).collect());
    for (report, exploration) in outcomes? {
        run.reports.push(report);
        run.explorations.extend(exploration);
    }
    Ok(())
}
