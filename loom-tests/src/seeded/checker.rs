//! One run of one checker, with a fault or without.

use super::process::{self, Ended};
use super::tools::Tools;
use crate::designs::Column;
use crate::expected;
use crate::matrix::{self, Report, apart};
use crate::property::Property;
use crate::scenario::Scenario;
use rskq::sync::Fault;
use serde::{Deserialize, Serialize};
use std::io::{Error, Result};
use std::ops::ControlFlow;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a program of tests may take, which without a fault takes a second or two.
const TESTS_LIMIT: Duration = Duration::from_secs(60);

/// How long the replay may take, which without a fault takes less than one.
const REPLAY_LIMIT: Duration = Duration::from_secs(20);

/// How long a model may take. One that takes longer has found nothing.
const MODEL_LIMIT: Duration = Duration::from_secs(30);

/// A checker, narrowed to one of the things that it runs.
#[derive(Clone, Debug)]
pub enum Checker {
    /// The replay of what a Linux kernel did.
    Replay,
    /// The tests of a program, or the one of that name.
    Tests(&'static str, Option<String>),
    /// A scenario under a design, in every interleaving.
    Model(Column, Scenario),
}

/// What a checker has found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Which checker.
    pub checker: &'static str,
    /// Which of the things that it runs, and what it says.
    pub by: String,
    /// After how much work.
    pub work: u64,
    /// Of what.
    pub unit: &'static str,
    /// After how long.
    pub seconds: f64,
    /// The checker, narrowed to what found it.
    #[serde(skip)]
    pub again: Checker,
}

impl Finding {
    /// Returns after how much work, if that is known.
    #[must_use]
    pub fn after(&self) -> String {
        let Self { work, unit, .. } = self;
        if *work == 0 { String::new() } else { format!("{work} {unit}") }
    }
}

impl Checker {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// If its program cannot be run, or says what cannot be understood.
    pub fn run(&self, tools: &Tools, planted: Option<Fault>) -> Result<Option<Finding>> {
        let begin = Instant::now();
        let found = match self {
            Self::Replay => replay(tools, planted),
            Self::Tests(program, name) => tests(tools, program, name.as_deref(), planted),
            Self::Model(column, scenario) => model(*column, scenario, planted),
        };
        let seconds = (begin.elapsed().as_secs_f64() * 1e3).round() / 1e3;
        Ok(found?.map(|finding| Finding { seconds, ..finding }))
    }
}

fn plant(command: &mut Command, planted: Option<Fault>) {
    match planted {
        Some(fault) => command.env(Fault::VARIABLE, fault.name()),
        None => command.env_remove(Fault::VARIABLE),
    };
}

/// What the replay says of a trace.
#[derive(Deserialize)]
struct Replayed {
    operations: u64,
    divergences: Vec<Diverged>,
}

#[derive(Deserialize)]
struct Diverged {
    line: u64,
    episode: u64,
    fields: Vec<Differs>,
}

#[derive(Deserialize)]
struct Differs {
    field: String,
}

fn replay(tools: &Tools, planted: Option<Fault>) -> Result<Option<Finding>> {
    let found = |by, work| {
        Some(Finding {
            checker: "oracle",
            by,
            work,
            unit: "operations",
            seconds: 0.0,
            again: Checker::Replay,
        })
    };
    let mut command = tools.replay();
    plant(&mut command, planted);
    let mut said = String::new();
    let ended = process::run(command, REPLAY_LIMIT, |text| {
        text.clone_into(&mut said);
        ControlFlow::Continue(())
    })?;
    match ended {
        Ended::Exited(status) if matches!(status.code(), Some(0 | 1)) => {}
        Ended::Exited(status) => return Ok(found(format!("the replay ends with {status}"), 0)),
        Ended::TooLong | Ended::Stopped => return Ok(found("the replay does not end".to_owned(), 0)),
    }
    let mut before = 0;
    for line in said.lines() {
        let trace: Replayed = serde_json::from_str(line)?;
        if let Some(first) = trace.divergences.first() {
            let differs = first.fields.iter().map(|differs| &*differs.field).collect::<Vec<_>>().join(", ");
            // Lines that begin an episode, and the header, are no operations.
            return Ok(found(differs, before + first.line - 1 - first.episode));
        }
        before += trace.operations;
    }
    if before == 0 {
        return Err(Error::other("the replay replayed nothing"));
    }
    Ok(None)
}

fn tests(
    tools: &Tools,
    program: &'static str,
    name: Option<&str>,
    planted: Option<Fault>,
) -> Result<Option<Finding>> {
    let mut command = tools.test(program);
    command.arg("--test-threads=1");
    command.args(name.map(|name| ["--exact", name]).into_iter().flatten());
    plant(&mut command, planted);
    let mut ran = Ran::default();
    let ended = process::run(command, TESTS_LIMIT, |text| {
        ran = Ran::of(text);
        if ran.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let how = match (&ran.failed, ended) {
        (Some(failed), _) => Some(failed.clone()),
        (None, Ended::Exited(status)) if status.success() => None,
        (None, Ended::Exited(status)) => Some(format!("{} ends with {status}", ran.last)),
        (None, Ended::TooLong | Ended::Stopped) => Some(format!("{} does not end", ran.last)),
    };
    if how.is_none() && ran.done == 0 {
        return Err(Error::other(format!("{program} ran no test")));
    }
    Ok(how.map(|by| Finding {
        checker: program,
        by,
        work: ran.done,
        unit: "tests",
        seconds: 0.0,
        again: Checker::Tests(program, Some(ran.last)),
    }))
}

/// What a program of tests has said so far.
#[derive(Debug, Default, PartialEq)]
struct Ran {
    /// How many tests have ended.
    done: u64,
    /// The last one that began.
    last: String,
    /// The one that failed.
    failed: Option<String>,
}

impl Ran {
    fn of(text: &str) -> Self {
        let mut ran = Self::default();
        for line in text.lines() {
            let Some((name, how)) = line.strip_prefix("test ").and_then(|line| line.split_once(" ... "))
            else {
                continue;
            };
            // A test that has to panic says so behind its name.
            name.trim_end_matches(" - should panic").clone_into(&mut ran.last);
            match how {
                "FAILED" => {
                    ran.done += 1;
                    ran.failed = Some(ran.last.clone());
                    break;
                }
                "ok" => ran.done += 1,
                _ => {}
            }
        }
        ran
    }
}

/// What a model says that ends with a panic, such as of an execution that is too long.
#[derive(Debug, Serialize, Deserialize)]
pub struct Panicked {
    /// The first line of what it said.
    pub panicked: String,
    /// In which interleaving.
    pub interleavings: u64,
}

/// Explores with at most as many preemptions as the small matrix.
fn model(column: Column, scenario: &Scenario, planted: Option<Fault>) -> Result<Option<Finding>> {
    let name = matrix::model(column.name, scenario.name);
    let bound = column.bound(scenario, scenario.quick_bound);
    let mut command = apart::command(column.name, scenario.name, bound, Some(MODEL_LIMIT))?;
    command.args(planted.map(|fault| ["--planted", fault.name()]).into_iter().flatten());
    let mut said = String::new();
    let ended = process::run(command, 2 * MODEL_LIMIT, |text| {
        text.clone_into(&mut said);
        ControlFlow::Continue(())
    })?;
    let found = |by, work| {
        let again = Checker::Model(column, *scenario);
        Some(Finding { checker: "loom", by, work, unit: "interleavings", seconds: 0.0, again })
    };
    match ended {
        Ended::Exited(status) if status.success() => {}
        Ended::Exited(status) => return Ok(found(format!("{name}: ends with {status}"), 0)),
        Ended::TooLong | Ended::Stopped => return Ok(None),
    }
    if let Ok(Panicked { panicked, interleavings }) = serde_json::from_str(&said) {
        return Ok(found(format!("{name}: panics: {panicked}"), interleavings));
    }
    let report: Report = serde_json::from_str(&said)?;
    let known = expected::broken(column.name, scenario.name);
    let broken = report.verdicts.iter().filter(|said| said.verdict.is_broken());
    let new = broken.filter(|said| !known.iter().any(|property| property.name() == said.property));
    let new = new.map(|said| &*said.property).collect::<Vec<_>>();
    Ok(if new.is_empty() { None } else { found(format!("{name}: {}", new.join(" ")), report.interleavings) })
}

/// Explores a design of the discussion, which is broken by what it is; tells whether `property` is.
///
/// # Errors
///
/// As [`Checker::run`].
pub fn is_broken(column: Column, scenario: &Scenario, property: Property) -> Result<Option<Finding>> {
    let begin = Instant::now();
    let bound = column.bound(scenario, scenario.quick_bound);
    let output = apart::command(column.name, scenario.name, bound, Some(MODEL_LIMIT))?.output()?;
    let report: Report = serde_json::from_slice(&output.stdout)?;
    let said = report.verdict(property).filter(|said| said.verdict.is_broken());
    Ok(said.map(|_| Finding {
        checker: "loom",
        by: format!("{}: {}", matrix::model(column.name, scenario.name), property.name()),
        work: report.interleavings,
        unit: "interleavings",
        seconds: (begin.elapsed().as_secs_f64() * 1e3).round() / 1e3,
        again: Checker::Model(column, *scenario),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tests_say_is_understood() {
        let text = "\nrunning 3 tests\ntest a::b ... ok\ntest c - should panic ... ok\ntest d ... ";
        assert_eq!(Ran::of(text), Ran { done: 2, last: "d".to_owned(), failed: None });
        let failed = format!("{text}FAILED\n");
        let d = || "d".to_owned();
        assert_eq!(Ran::of(&failed), Ran { done: 3, last: d(), failed: Some(d()) });
        assert_eq!(Ran::of("no test at all"), Ran::default());
    }
}
