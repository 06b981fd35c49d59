//! What cargo-mutants would alter.

use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Command;

/// One alteration.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Mutant {
    pub(crate) file: String,
    /// What is altered and where, with line and column.
    pub(crate) name: String,
    pub(crate) replacement: String,
    pub(crate) span: Span,
}

/// From a character, counted from 1, to before another.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Span {
    pub(crate) start: Position,
    pub(crate) end: Position,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Position {
    line: usize,
    column: usize,
}

impl Position {
    /// The byte of `source` that is there.
    pub(crate) fn byte(&self, source: &str) -> usize {
        let before: usize = source.split_inclusive('\n').take(self.line - 1).map(str::len).sum();
        let line = &source[before..];
        before + line.char_indices().nth(self.column - 1).map_or(line.len(), |(at, _)| at)
    }
}

impl Mutant {
    pub(crate) fn lasting_name(&self) -> String {
        lasting(&self.name)
    }

    /// The room of the crate that it is in.
    pub(crate) fn room(&self) -> &str {
        let inside = self.file.strip_prefix("src/").unwrap_or(&self.file);
        inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
    }

    /// A source with nothing else altered.
    pub(crate) fn altered(&self, source: &str) -> String {
        let (start, end) = (self.span.start.byte(source), self.span.end.byte(source));
        format!("{}{}{}", &source[..start], self.replacement, &source[end..])
    }

    /// When it is judged: the lowest first.
    pub(crate) fn turn(&self) -> usize {
        FIRST.iter().position(|room| *room == self.room()).unwrap_or(FIRST.len())
    }
}

/// A mutant's name without line and column, which every change of the file moves.
pub(crate) fn lasting(name: &str) -> String {
    let (place, what) = name.split_once(": ").unwrap_or((name, ""));
    let (file, _) = place.split_once(':').unwrap_or((place, ""));
    format!("{file}: {what}")
}

/// The rooms that are judged first, the most important first of all.
const FIRST: [&str; 9] =
    ["sync", "lockdep", "slab", "queue", "reuseport", "group", "hash", "migrate", "stack"];

/// How a mutant fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// A check failed.
    Caught,
    /// A check did not end.
    TimedOut,
    /// Every check that reaches it passed.
    Survived,
    /// No check reaches it.
    Unreached,
    /// It does not compile.
    Unviable,
}

impl Verdict {
    /// Tells whether a check noticed.
    pub(crate) fn is_noticed(self) -> bool {
        matches!(self, Self::Caught | Self::TimedOut)
    }
}

/// All mutants of the crate in `root` but those that `.cargo/mutants.toml` leaves out.
pub(crate) fn all(root: &Path) -> Result<Vec<Mutant>, String> {
    let listed = Command::new("cargo")
        .args(["mutants", "--list", "--json", "--package", "rskq", "--dir"])
        .arg(root)
        .output()
        .map_err(|error| format!("cargo mutants: {error}"))?;
    if !listed.status.success() {
        return Err(format!("cargo mutants: {}", String::from_utf8_lossy(&listed.stderr)));
    }
    serde_json::from_slice(&listed.stdout).map_err(|error| format!("cargo mutants' list: {error}"))
}
