//! How all mutants fared, for people and for programs, and what is wrong with it.

use crate::ledger::{Ledger, Stage, State};
use crate::mutant::{Mutant, Verdict};
use crate::reasons::Reasons;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

/// How the mutants of a room fared, each counted in `mutants` and once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    mutants: usize,
    /// Those that do not compile.
    unviable: usize,
    /// By the crate's own tests.
    caught_first: usize,
    /// By the models and the oracle, which judge what is left.
    caught_second: usize,
    /// A check did not end within ten times its time, and five seconds more.
    timed_out: usize,
    survived: usize,
    not_judged: usize,
}

/// One that nobody noticed.
#[derive(Debug, Serialize)]
struct Survivor {
    mutant: String,
    /// Who judged last: what has a reason after the first is not shown to the second.
    stage: Stage,
    /// Of the checks there that reach it, how many there was time for, and all.
    asked: [usize; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// How all fared.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    of: State,
    all: Counts,
    rooms: BTreeMap<String, Counts>,
    /// How many each judge noticed: a file of tests, the models of the matrix, or a recorded trace. Who is
    /// asked first notices most: the one that took longest to judge is not the weakest.
    noticed_by: BTreeMap<String, usize>,
    timed_out: Vec<String>,
    survived: Vec<Survivor>,
    not_judged: Vec<String>,
    /// Why it does not pass.
    pub(crate) wrong: Vec<String>,
}

impl Summary {
    /// Compares what is known of the mutants with the reasons.
    pub(crate) fn new(mutants: &[Mutant], ledger: &Ledger, reasons: &Reasons) -> Self {
        let reasons = reasons.all();
        let mut summary = Self {
            of: ledger.of().clone(),
            all: Counts::default(),
            rooms: BTreeMap::new(),
            noticed_by: BTreeMap::new(),
            timed_out: Vec::new(),
            survived: Vec::new(),
            not_judged: Vec::new(),
            wrong: Vec::new(),
        };
        let mut lives = BTreeSet::new();
        for mutant in mutants {
            let name = mutant.lasting_name();
            let why = reasons.get(name.as_str()).map(|&why| why.to_owned());
            let line = ledger.find(mutant).filter(|line| line.is_final() || why.is_some());
            let counts = summary.rooms.entry(mutant.room().to_owned()).or_default();
            counts.mutants += 1;
            let Some(line) = line else {
                counts.not_judged += 1;
                summary.not_judged.push(mutant.name.clone());
                lives.insert(name);
                continue;
            };
            match (line.verdict, line.stage) {
                (Verdict::Unviable, _) => counts.unviable += 1,
                (Verdict::Caught, Stage::First) => counts.caught_first += 1,
                (Verdict::Caught, Stage::Second) => counts.caught_second += 1,
                (Verdict::TimedOut, _) => {
                    counts.timed_out += 1;
                    summary.timed_out.push(mutant.name.clone());
                }
                (verdict @ (Verdict::Survived | Verdict::Unreached), stage) => {
                    counts.survived += 1;
                    if why.is_none() {
                        summary.wrong.push(format!("{verdict:?} without a reason: {}", mutant.name));
                    }
                    summary.survived.push(Survivor {
                        mutant: mutant.name.clone(),
                        stage,
                        asked: line.asked,
                        why,
                    });
                    lives.insert(name);
                }
            }
            if let Some(by) = &line.by {
                *summary.noticed_by.entry(judge(by)).or_default() += 1;
            }
        }
        let gone = reasons.keys().filter(|name| !lives.contains(**name));
        summary.wrong.extend(gone.map(|name| format!("has a reason, but does not survive: {name}")));
        summary.rooms.values().for_each(|room| summary.all.add(room));
        summary
    }

    /// 1 if something is wrong, 3 if some were not judged.
    pub(crate) fn code(&self) -> u8 {
        match (self.wrong.is_empty(), self.not_judged.is_empty()) {
            (false, _) => 1,
            (true, false) => 3,
            (true, true) => 0,
        }
    }

    /// How many nobody has judged.
    pub(crate) fn not_judged(&self) -> usize {
        self.not_judged.len()
    }
}

/// The judge that a check belongs to.
fn judge(check: &str) -> String {
    match check.split_once("::").map_or(check, |(of, _)| of) {
        "rskq" => "src".to_owned(),
        "matrix" => "loom-tests matrix".to_owned(),
        of @ ("pieces" | "validator" | "shuttle") => format!("loom-tests/tests/{of}"),
        of if of.contains('/') => format!("linux-oracle/{of}"),
        of => format!("tests/{of}"),
    }
}

impl Counts {
    fn columns(&mut self) -> [(&'static str, &mut usize); 7] {
        [
            ("mutants", &mut self.mutants),
            ("unviable", &mut self.unviable),
            ("caught first", &mut self.caught_first),
            ("caught second", &mut self.caught_second),
            ("timed out", &mut self.timed_out),
            ("survived", &mut self.survived),
            ("not judged", &mut self.not_judged),
        ]
    }

    fn add(&mut self, other: &Self) {
        let mut other = *other;
        self.columns().into_iter().zip(other.columns()).for_each(|((_, sum), (_, count))| *sum += *count);
    }

    fn row(&self, f: &mut Formatter<'_>, name: &str) -> fmt::Result {
        let mut counts = *self;
        write!(f, "{name:<10}")?;
        for (column, count) in counts.columns() {
            write!(f, "  {count:>0$}", column.len())?;
        }
        writeln!(f)
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:<10}", "room")?;
        for (column, _) in Counts::default().columns() {
            write!(f, "  {column}")?;
        }
        writeln!(f)?;
        for (name, room) in &self.rooms {
            room.row(f, name)?;
        }
        self.all.row(f, "all")?;
        self.wrong.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
