//! The verdict matrix: designs by properties, over all scenarios.

use crate::designs::Column;
use crate::explore::{Exploration, Settings, explore};
use crate::property::Property;
use crate::scenario::Scenario;
use crate::verdict::Verdict;
use comfy_table::{Table, presets};
use indicatif::{ParallelProgressIterator, ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

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
    fn bound(self, scenario: &Scenario) -> Option<u8> {
        match self {
            Depth::Quick => scenario.quick_bound,
            Depth::Full => scenario.bound,
            Depth::Bounded(bound) => Some(bound),
        }
    }
}

/// What to explore.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The designs.
    pub columns: Vec<Column>,
    /// The scenarios.
    pub scenarios: Vec<Scenario>,
    /// How deep.
    pub depth: Depth,
    /// When an exploration is stopped.
    pub max_time: Option<Duration>,
}

/// Explores everything, as many explorations at a time as there are processors.
#[must_use]
pub fn run(selection: &Selection) -> Vec<Exploration> {
    let mut jobs: Vec<_> = selection
        .columns
        .iter()
        .flat_map(|&column| selection.scenarios.iter().map(move |&scenario| (column, scenario)))
        .collect();
    // The long ones first, so that no processor is left alone with one at the end.
    jobs.sort_by_key(|(_, scenario)| std::cmp::Reverse(scenario.threads.len()));
    let bar = ProgressBar::new(jobs.len() as u64).with_style(
        ProgressStyle::with_template("exploring {bar:40} {pos}/{len} models, {elapsed}")
            .expect("the template is well formed"),
    );
    let mut explorations: Vec<_> = jobs
        .par_iter()
        .with_max_len(1)
        .progress_with(bar)
        .map(|&(column, scenario)| {
            let settings = Settings {
                bound: selection.depth.bound(&scenario),
                max_time: selection.max_time,
                ..Settings::default()
            };
            explore(column, scenario, settings)
        })
        .collect();
    let place = |e: &Exploration| {
        let column = selection.columns.iter().position(|c| c.name == e.column.name);
        (column, selection.scenarios.iter().position(|s| s.name == e.scenario.name))
    };
    explorations.sort_by_key(place);
    explorations
}

/// A cell of the matrix: one design, one property, every scenario.
pub struct Cell<'a> {
    /// The explorations, with their verdicts on the property.
    pub verdicts: Vec<(&'a Exploration, &'a Verdict)>,
}

impl<'a> Cell<'a> {
    /// Collects the verdicts of a design on a property.
    #[must_use]
    pub fn of(explorations: &'a [Exploration], column: &str, property: Property) -> Self {
        let of_column = explorations.iter().filter(|e| e.column.name == column);
        Self { verdicts: of_column.map(|e| (e, e.verdict(property))).collect() }
    }

    /// Returns the most readable counterexample of all scenarios.
    #[must_use]
    pub fn counterexample(&self) -> Option<(&'a Exploration, &'a Verdict)> {
        let broken = self.verdicts.iter().copied().filter(|(_, verdict)| verdict.is_broken());
        broken.min_by_key(|(_, verdict)| verdict.interleaving().map(|i| i.length()))
    }

    /// Returns the cell's text: what is known, of how many interleavings, and what limits it.
    #[must_use]
    pub fn text(&self) -> String {
        let broken: u64 = self.verdicts.iter().map(|(_, verdict)| verdict.broken()).sum();
        let all = self.verdicts.iter();
        let limited = |(_, verdict): &&(_, &Verdict)| !matches!(verdict, Verdict::Exhausted { .. });
        if broken > 0 {
            let explored: u64 = all.map(|(_, verdict)| verdict.interleavings()).sum();
            return format!("x {broken} of {explored}");
        }
        let (limited, exhausted): (Vec<_>, Vec<_>) = all.partition(limited);
        let count =
            |of: &[&(_, &Verdict)]| of.iter().map(|(_, verdict)| verdict.interleavings()).sum::<u64>();
        if limited.is_empty() {
            format!("ok {}", count(&exhausted))
        } else if limited.iter().all(|(_, verdict)| verdict.holds()) {
            format!("ok {} + {}*", count(&exhausted), count(&limited))
        } else {
            format!("?? {} + {}*", count(&exhausted), count(&limited))
        }
    }
}

/// Returns the matrix as a table.
#[must_use]
pub fn table(explorations: &[Exploration], columns: &[Column]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header([String::new()].into_iter().chain(columns.iter().map(|c| c.title.to_owned())));
    for property in Property::ALL {
        let cells = columns.iter().map(|c| Cell::of(explorations, c.name, property).text());
        let title = match property {
            Property::Deadlock => property.title().to_owned(),
            _ => format!("{} {}", property.name(), property.title()),
        };
        table.add_row([title].into_iter().chain(cells));
    }
    table.to_string()
}

/// Returns what the limits in the table mean: the scenarios that were not exhausted, and why.
#[must_use]
pub fn footnotes(explorations: &[Exploration]) -> Vec<String> {
    let mut limits: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for exploration in explorations {
        let bounded = exploration.bound.map(|bound| format!("at most {bound} preemptions"));
        let cut = exploration.verdicts.iter().find_map(|(_, verdict)| match *verdict {
            Verdict::TimedOut { after, .. } => Some(format!("STOPPED after {} s", after.as_secs())),
            Verdict::CutShort { .. } => Some("CUT SHORT by a deadlock".to_owned()),
            _ => None,
        });
        for limit in bounded.into_iter().chain(cut) {
            let names = limits.entry(limit).or_default();
            names.insert(exploration.scenario.name.to_owned());
        }
    }
    let note = |(limit, names): (String, BTreeSet<String>)| {
        format!("* {limit}: {}", names.into_iter().collect::<Vec<_>>().join(", "))
    };
    limits.into_iter().map(note).collect()
}

/// One verdict as a line of JSON.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    design: &'a str,
    scenario: &'a str,
    property: &'a str,
    verdict: &'a str,
    interleavings: u64,
    /// In how many of them the property does not hold.
    broken: u64,
    preemption_bound: Option<u8>,
    seconds: f64,
    /// The pieces that ran as single steps, each proved by models of its own.
    relies_on: [&'static str; 2],
}

/// Returns the verdicts of an exploration as lines of JSON.
pub fn lines(exploration: &Exploration) -> impl Iterator<Item = Line<'_>> {
    exploration.verdicts.iter().map(|(property, verdict)| Line {
        design: exploration.column.name,
        scenario: exploration.scenario.name,
        property: property.name(),
        verdict: verdict.name(),
        interleavings: verdict.interleavings(),
        broken: verdict.broken(),
        preemption_bound: exploration.bound,
        seconds: (exploration.elapsed.as_secs_f64() * 1e3).round() / 1e3,
        relies_on: ["reference counts", "slab free lists"],
    })
}
