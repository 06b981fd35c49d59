//! One checker after the other, until one finds it; and the same once more, without the fault.

use super::checker::{Checker, Finding, is_broken};
use super::hints;
use super::rows::Stands;
use super::tools::{TESTS, Tools};
use crate::designs::{self, Column};
use crate::expected;
use crate::property::Property;
use crate::scenario::{self, SCENARIOS};
use rskq::sync::Fault;
use std::collections::HashMap;
use std::fmt;
use std::io::{Error, Result};
use std::sync::Mutex;

/// What came of a search.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Who found it; all that did, if all were asked.
    Found(Vec<Finding>),
    /// Nobody did.
    Missed,
    /// Somebody finds something without the fault, too.
    FalseAlarm(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(found) => {
                let by = found.iter().map(|finding| format!("{}, {:.1} s", finding.checker, finding.seconds));
                f.write_str(&by.collect::<Vec<_>>().join("; "))
            }
            Self::Missed => f.write_str("nobody finds it"),
            Self::FalseAlarm(alarm) => write!(f, "found without it, too: {alarm}"),
        }
    }
}

/// Searches, and remembers what finds nothing without a fault.
pub struct Search<'a> {
    tools: &'a Tools,
    /// Whether to go on when one checker has found it.
    all: bool,
    /// What the checkers found without a fault, by what they ran.
    quiet: Mutex<HashMap<String, Option<String>>>,
}

impl<'a> Search<'a> {
    /// With these programs.
    #[must_use]
    pub fn new(tools: &'a Tools, all: bool) -> Self {
        Self { tools, all, quiet: Mutex::default() }
    }

    /// Looks for what stands for a bug; `None` where nothing does.
    ///
    /// # Errors
    ///
    /// If a checker cannot be run.
    pub fn look_for(&self, stands: Stands) -> Result<Option<Outcome>> {
        match stands {
            Stands::Switch(fault) => self.fault(fault).map(Some),
            Stands::Column(design, property) => design_of(design, property).map(Some),
            Stands::Excluded(_) => Ok(None),
        }
    }

    fn fault(&self, fault: Fault) -> Result<Outcome> {
        let mut found = Vec::new();
        for checker in order(fault) {
            let Some(finding) = checker.run(self.tools, Some(fault))? else { continue };
            if let Some(alarm) = self.without(&finding.again)? {
                return Ok(Outcome::FalseAlarm(alarm));
            }
            found.push(finding);
            if !self.all {
                break;
            }
        }
        Ok(if found.is_empty() { Outcome::Missed } else { Outcome::Found(found) })
    }

    /// Returns what a checker finds where there is nothing.
    fn without(&self, checker: &Checker) -> Result<Option<String>> {
        let name = format!("{checker:?}");
        let open = || self.quiet.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(known) = open().get(&name) {
            return Ok(known.clone());
        }
        let alarm = checker.run(self.tools, None)?.map(|finding| finding.by);
        open().insert(name, alarm.clone());
        Ok(alarm)
    }
}

/// Returns the checkers: those that a hint names, then those that are quick, then the models of ours.
fn order(fault: Fault) -> impl Iterator<Item = Checker> {
    let quick = [Checker::Replay].into_iter().chain(TESTS.iter().map(|&name| Checker::Tests(name, None)));
    let ours = |name| designs::by_name(name).expect("it is a column");
    let models = ["linux", "handover", "requeue", "abort"].map(ours).into_iter();
    let races = || SCENARIOS.iter().copied().filter(|scenario| scenario.threads.len() == 2);
    let models = models.flat_map(move |column| races().map(move |scenario| Checker::Model(column, scenario)));
    hints::of(fault).chain(quick).chain(models)
}

/// Looks for a design's bug in the races that are known to show it; and without the bug, in the same race.
fn design_of(design: &str, property: Property) -> Result<Outcome> {
    let column = |name: &str| designs::by_name(name).ok_or_else(|| Error::other(format!("no design {name}")));
    let with = column(design)?;
    let without = column(if design.starts_with("clone") { "clone" } else { "handover" })?;
    for race in expected::races(design, property) {
        let scenario = scenario::by_name(race).ok_or_else(|| Error::other(format!("no race {race}")))?;
        if holds(&without, race, property)
            && let Some(finding) = is_broken(with, &scenario, property)?
        {
            return Ok(match is_broken(without, &scenario, property)? {
                None => Outcome::Found(vec![finding]),
                Some(alarm) => Outcome::FalseAlarm(alarm.by),
            });
        }
    }
    Ok(Outcome::Missed)
}

fn holds(column: &Column, race: &str, property: Property) -> bool {
    !expected::broken(column.name, race).contains(&property)
}
