//! What criterion measured, read back from where it writes it.

use crate::everything;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// How often everything is measured.
pub const RUNS: usize = 10;

/// The name of what a run measured.
#[must_use]
pub fn baseline(run: usize) -> String {
    format!("run{run}")
}

/// What one contender took in one case: nanoseconds for an operation, in each run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// The item of the table.
    pub item: String,
    /// The case.
    pub case: String,
    /// Whose it is.
    pub who: String,
    /// A run's fastest sample: what disturbs makes nothing faster.
    pub ns: Vec<f64>,
}

/// A median, and between what the runs are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The median of the runs.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of the runs' figures; `None` if there are none.
    #[must_use]
    pub fn of(runs: &[f64]) -> Option<Self> {
        let mut sorted = runs.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let half = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 };
        Some(Self { median, min, max })
    }
}

impl Figure {
    /// Over all runs.
    #[must_use]
    pub fn spread(&self) -> Option<Spread> {
        Spread::of(&self.ns)
    }

    /// How many times as long as `other` it takes, run by run.
    #[must_use]
    pub fn over(&self, other: &Figure) -> Option<Spread> {
        let ratios: Vec<f64> = self.ns.iter().zip(&other.ns).map(|(mine, others)| mine / others).collect();
        Spread::of(&ratios)
    }
}

#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: String,
    value_str: String,
}

#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns the directories below `at` that have run 0.
fn measured_below(at: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    for entry in fs::read_dir(at).map_err(|error| format!("{}: {error}", at.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.join(baseline(0)).is_dir() {
            found.push(path);
        } else if path.is_dir() {
            measured_below(&path, found)?;
        }
    }
    Ok(())
}

/// Reads everything that was measured, in no order.
///
/// # Errors
///
/// What cannot be read, or was cut short.
pub fn read_all(criterion: &Path) -> Result<Vec<Figure>, String> {
    let mut directories = Vec::new();
    measured_below(criterion, &mut directories)?;
    let mut figures = Vec::new();
    for directory in directories {
        let first = directory.join(baseline(0));
        let Benchmark { group_id: item, function_id: who, value_str: case } =
            read(&first.join("benchmark.json"))?;
        let mut ns = Vec::new();
        for run in 0..RUNS {
            let Sample { iters, times } = read(&directory.join(baseline(run)).join("sample.json"))?;
            let fastest = iters.iter().zip(&times).map(|(iters, time)| time / iters).reduce(f64::min);
            ns.push(fastest.ok_or("a sample without figures")?);
        }
        figures.push(Figure { item, case, who, ns });
    }
    Ok(figures)
}

/// Returns the number that a text begins with, or something after all of them.
pub fn leading(text: &str) -> u64 {
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(u64::MAX)
}

/// Sorts: items and cases by the numbers that they begin with, contenders as they are measured.
pub fn sort(figures: &mut [Figure]) {
    let all = everything();
    let place = |who: &str| all.iter().position(|measured| measured.who == who);
    figures.sort_by_key(|Figure { item, case, who, .. }| {
        (leading(item), item.clone(), leading(case), case.clone(), place(who))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_of_two_figures_of_one_run() {
        let figure =
            |ns: &[f64]| Figure { item: "1".into(), case: "2".into(), who: "3".into(), ns: ns.into() };
        // The machine was twice as slow in the second run, which no ratio shows.
        let ratio = figure(&[10.0, 20.0, 11.0]).over(&figure(&[5.0, 10.0, 5.0]));
        assert_eq!(ratio, Some(Spread { median: 2.0, min: 2.0, max: 2.2 }));
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[4.0, 1.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
    }
}
