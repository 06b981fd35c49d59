//! What the commands print, as far as the blocks tell of it.

use serde::Deserialize;
use std::collections::BTreeMap;

/// A row of the seeded bugs.
#[derive(Debug, Deserialize)]
pub(super) struct Seeded {
    pub(super) stands: String,
    pub(super) verdict: String,
    pub(super) found: Vec<Found>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub(super) checker: String,
}

/// A trace that was replayed.
#[derive(Debug, Deserialize)]
pub(super) struct Replayed {
    pub(super) file: String,
    pub(super) operations: u64,
    pub(super) replayed: u64,
    pub(super) divergences: Vec<serde_json::Value>,
}

/// A live run.
#[derive(Debug, Deserialize)]
pub(super) struct Live {
    pub(super) counts: LiveCounts,
    pub(super) header: LiveHeader,
}

#[derive(Debug, Deserialize)]
pub(super) struct LiveCounts {
    pub(super) operations: u64,
    pub(super) episodes: u64,
    pub(super) divergences: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct LiveHeader {
    pub(super) kernel: String,
}

/// What coverage there is.
#[derive(Debug, Deserialize)]
pub(super) struct Coverage {
    pub(super) lines: u64,
    pub(super) run: u64,
    pub(super) unsafe_blocks: u64,
}

/// Where branches lead.
#[derive(Debug, Deserialize)]
pub(super) struct Branches {
    pub(super) ways: u64,
    pub(super) taken: u64,
}

/// A sanitizer, or an attack, which the one before it watched.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Attacked {
    By { sanitizer: String, finds: Vec<String> },
    Attack { name: String, figures: BTreeMap<String, u64>, broken: Vec<String> },
}

/// A line of the table of fuzz runs.
#[derive(Debug)]
pub(super) struct Fuzzed<'a> {
    pub(super) day: &'a str,
    pub(super) target: &'a str,
    pub(super) sanitizer: &'a str,
    pub(super) executions: u64,
}

impl<'a> Fuzzed<'a> {
    /// Reads `day,target,sanitizer,seconds,executions`.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(',');
        let mut next = || fields.next();
        let (day, target, sanitizer, _seconds) = (next()?, next()?, next()?, next()?);
        Some(Self { day, target, sanitizer, executions: next()?.parse().ok()? })
    }
}

/// How the mutants fared.
#[derive(Debug, Deserialize)]
pub(super) struct Mutants {
    pub(super) all: Counts,
    pub(super) rooms: BTreeMap<String, Counts>,
    pub(super) survived: Vec<Survivor>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Counts {
    pub(super) mutants: u64,
    pub(super) unviable: u64,
    pub(super) caught_first: u64,
    pub(super) caught_second: u64,
    pub(super) timed_out: u64,
    pub(super) survived: u64,
    pub(super) not_judged: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Survivor {
    pub(super) why: Option<String>,
}
