//! What was found, kept from one run to the next, and what may survive.

use crate::mutant::{Mutant, Verdict, lasting};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Who has judged: the crate's own tests, then what those let live the models and the oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stage {
    First,
    Second,
}

/// What is known of one mutant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) verdict: Verdict,
    /// The check that noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    stage: Stage,
}

impl Line {
    pub(crate) fn new(verdict: Verdict, by: Option<&str>, stage: Stage) -> Self {
        Self { verdict, by: by.map(str::to_owned), stage }
    }

    /// Tells whether nobody has to judge it any more.
    fn is_final(&self) -> bool {
        self.verdict.is_noticed() || self.stage == Stage::Second
    }
}

/// A line as it is written.
#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    /// The state of the code and its checks that was judged.
    of: u64,
    #[serde(flatten)]
    line: Line,
}

/// All lines, in a file that only grows: a run that is cut short has lost nothing.
pub(crate) struct Ledger {
    file: File,
    of: u64,
    lines: BTreeMap<String, Line>,
    /// Who noticed a mutant last, by its lasting name, in whatever state of the code.
    noticed: BTreeMap<String, String>,
}

impl Ledger {
    /// Reads what is known of the code in `root`. When the code or a check is another, all is judged again: what
    /// was noticed, by who noticed it first.
    pub(crate) fn open(path: &Path, root: &Path) -> Result<Self, String> {
        let mut state = DefaultHasher::new();
        for below in ["src", "tests", "loom-tests", "linux-oracle/src"] {
            hash(&root.join(below), &mut state).map_err(|error| format!("{below}: {error}"))?;
        }
        let of = state.finish();
        let (mut lines, mut noticed) = (BTreeMap::new(), BTreeMap::new());
        for line in fs::read_to_string(path).unwrap_or_default().lines() {
            // The last line may have been cut short.
            let Ok(entry) = serde_json::from_str::<Entry>(line) else { continue };
            if let Some(by) = &entry.line.by {
                noticed.insert(lasting(&entry.name), by.clone());
            }
            if entry.of == of {
                lines.insert(entry.name, entry.line);
            }
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        Ok(Self { file: file.map_err(|error| format!("{}: {error}", path.display()))?, of, lines, noticed })
    }

    pub(crate) fn find(&self, mutant: &Mutant) -> Option<&Line> {
        self.lines.get(&mutant.name)
    }

    /// The check that noticed a mutant last.
    pub(crate) fn noticed(&self, mutant: &Mutant) -> Option<&str> {
        self.noticed.get(&mutant.lasting_name()).map(String::as_str)
    }

    /// Tells whether the judges of a stage have nothing to say any more.
    pub(crate) fn has_passed(&self, mutant: &Mutant, stage: Stage) -> bool {
        self.find(mutant).is_some_and(|line| line.is_final() || line.stage >= stage)
    }

    pub(crate) fn add(&mut self, mutant: &Mutant, line: Line) -> Result<(), String> {
        let entry = Entry { name: mutant.name.clone(), of: self.of, line };
        let text = serde_json::to_string(&entry).map_err(|error| error.to_string())?;
        writeln!(self.file, "{text}").map_err(|error| format!("the ledger: {error}"))?;
        self.lines.insert(entry.name, entry.line);
        Ok(())
    }
}

fn hash(path: &Path, state: &mut DefaultHasher) -> std::io::Result<()> {
    if !path.is_dir() {
        fs::read(path)?.hash(state);
        return Ok(());
    }
    let entries: Result<Vec<PathBuf>, _> = fs::read_dir(path)?.map(|entry| entry.map(|e| e.path())).collect();
    let mut entries = entries?;
    entries.sort();
    for entry in entries.iter().filter(|entry| !entry.ends_with("proptest-regressions")) {
        entry.file_name().hash(state);
        hash(entry, state)?;
    }
    Ok(())
}

/// Why some may survive.
#[derive(Deserialize)]
pub(crate) struct Reasons {
    #[serde(default)]
    reason: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    why: String,
    mutants: Vec<String>,
}

impl Reasons {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let reasons: Self = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        match reasons.reason.iter().find(|reason| reason.why.len() < 20) {
            Some(reason) => Err(format!("{}: no reason: {:?}", path.display(), reason.why)),
            None => Ok(reasons),
        }
    }

    fn names(&self) -> BTreeSet<&str> {
        self.reason.iter().flat_map(|reason| &reason.mutants).map(String::as_str).collect()
    }
}

/// The state of things, as a table, and what is wrong with it.
pub(crate) struct Report {
    pub(crate) table: String,
    pub(crate) wrong: Vec<String>,
}

/// Compares what is known of the mutants with the reasons.
pub(crate) fn report(mutants: &[Mutant], ledger: &Ledger, reasons: &Reasons) -> Report {
    let listed = reasons.names();
    let mut rooms: BTreeMap<&str, [usize; 6]> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut lives = BTreeSet::new();
    for mutant in mutants {
        let name = mutant.lasting_name();
        let excused = listed.contains(name.as_str());
        let column = match ledger.find(mutant).filter(|line| line.is_final()).map(|line| line.verdict) {
            Some(Verdict::Unviable) => 1,
            Some(Verdict::Caught) => 2,
            Some(Verdict::TimedOut) => 3,
            Some(verdict @ (Verdict::Survived | Verdict::Unreached | Verdict::Alone)) => {
                if !excused {
                    wrong.push(format!("{verdict:?} without a reason: {}", mutant.name));
                }
                lives.insert(name);
                4
            }
            None => {
                wrong.push(format!("not judged: {}", mutant.name));
                lives.insert(name);
                5
            }
        };
        let counts = rooms.entry(mutant.room()).or_default();
        counts[0] += 1;
        counts[column] += 1;
    }
    let gone = listed.iter().filter(|name| !lives.contains(**name));
    wrong.extend(gone.map(|name| format!("has a reason, but does not survive: {name}")));
    Report { table: table(&rooms), wrong }
}

fn table(rooms: &BTreeMap<&str, [usize; 6]>) -> String {
    let mut text = format!(
        "{:<12}{:>9}{:>10}{:>8}{:>11}{:>10}{:>12}\n",
        "room", "mutants", "unviable", "caught", "timed out", "survived", "not judged"
    );
    let mut total = [0; 6];
    for (room, counts) in rooms {
        row(&mut text, room, counts);
        total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    row(&mut text, "all", &total);
    text
}

fn row(text: &mut String, name: &str, [all, unviable, caught, timed, survived, unjudged]: &[usize; 6]) {
    let row = format!("{name:<12}{all:>9}{unviable:>10}{caught:>8}{timed:>11}{survived:>10}{unjudged:>12}");
    writeln!(text, "{row}").expect("a string takes everything");
}
