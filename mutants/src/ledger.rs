//! What was found, kept from one run to the next.

use crate::mutant::{Mutant, Verdict, lasting};
use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::hash::Hasher;
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
    pub(crate) by: Option<String>,
    pub(crate) stage: Stage,
    /// Of the checks of the last stage that reach one that survived, how many there was time for, and all.
    #[serde(default)]
    pub(crate) asked: [usize; 2],
}

impl Line {
    pub(crate) fn new(verdict: Verdict, by: Option<&str>, stage: Stage) -> Self {
        Self { verdict, by: by.map(str::to_owned), stage, asked: [0; 2] }
    }

    /// Tells whether nobody has to judge it any more.
    pub(crate) fn is_final(&self) -> bool {
        self.verdict.is_noticed() || self.stage == Stage::Second
    }
}

/// The state of the crate and of its checks, as a number each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    #[serde(rename = "src")]
    source: String,
    checks: String,
}

impl State {
    /// What a file about this state is called.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.source, self.checks)
    }

    /// Of what is in `root`.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let of = |all: &[&str]| {
            let mut state = SipHasher13::new();
            let mut each = all.iter().map(|below| (below, hash(&root.join(below), &mut state)));
            match each.find_map(|(below, done)| Some((below, done.err()?))) {
                Some((below, error)) => Err(format!("{below}: {error}")),
                None => Ok(format!("{:032x}", state.finish128().as_u128())),
            }
        };
        Ok(Self { source: of(&["src"])?, checks: of(&["tests", "loom-tests", "linux-oracle"])? })
    }
}

/// A line as it is written.
#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    /// What was judged.
    of: State,
    #[serde(flatten)]
    line: Line,
}

/// All lines, in a file that only grows: a run that is cut short has lost nothing.
pub(crate) struct Ledger {
    file: File,
    of: State,
    lines: BTreeMap<String, Line>,
    /// Who noticed a mutant last, by its lasting name, in whatever state of the code.
    noticed: BTreeMap<String, String>,
}

impl Ledger {
    /// Reads what is known of a state. When the code or a check is another, all is judged again: what
    /// was noticed, by who noticed it first.
    pub(crate) fn open(path: &Path, of: State) -> Result<Self, String> {
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

    pub(crate) fn of(&self) -> &State {
        &self.of
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
        let entry = Entry { name: mutant.name.clone(), of: self.of.clone(), line };
        let text = serde_json::to_string(&entry).map_err(|error| error.to_string())?;
        writeln!(self.file, "{text}").map_err(|error| format!("the ledger: {error}"))?;
        self.lines.insert(entry.name, entry.line);
        Ok(())
    }
}

fn hash(path: &Path, state: &mut SipHasher13) -> std::io::Result<()> {
    if !path.is_dir() {
        let text = fs::read(path)?;
        state.write(&text.len().to_le_bytes());
        state.write(&text);
        return Ok(());
    }
    let entries: Result<Vec<PathBuf>, _> = fs::read_dir(path)?.map(|entry| entry.map(|e| e.path())).collect();
    let mut entries = entries?;
    entries.sort();
    for entry in entries.iter().filter(|entry| !entry.ends_with("proptest-regressions")) {
        state.write(entry.file_name().expect("an entry has a name").as_encoded_bytes());
        hash(entry, state)?;
    }
    Ok(())
}
