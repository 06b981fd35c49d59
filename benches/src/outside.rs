//! What other programs measure: this machine's kernel, the models, whole servers. Each writes lines of JSON, or,
//! where the system does not allow it, why not.

use crate::figures::Figure;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::path::Path;
use std::{fmt, fs};

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// What is measured.
    Says {
        /// In a sentence.
        says: String,
    },
    /// One figure of one run.
    Took {
        /// The case.
        case: String,
        /// Whose it is.
        who: String,
        /// Nanoseconds for an operation.
        ns: f64,
    },
}

/// One item.
#[derive(Clone, Debug)]
pub struct Outside {
    /// The item.
    pub item: &'static str,
    /// What was measured, or why nothing was.
    pub says: String,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// Whose lines are read, and of which item they are.
pub const OUTSIDE: [(&str, &str); 3] =
    [("linux", "3 close, Linux itself"), ("models", MODELS), ("unikernel", UNIKERNEL)];

/// Interleavings.
pub const MODELS: &str = "9 model checking";
/// A web server without an operating system.
pub const UNIKERNEL: &str = "10 unikernel";

/// Why something was not measured.
#[derive(Debug)]
pub enum Failed {
    /// The system does not allow it.
    NotAllowed(String),
    /// It did not do the work.
    Wrong(String),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed(why) => write!(f, "the system does not allow it: {why}"),
            Self::Wrong(why) => write!(f, "it does not do the work: {why}"),
        }
    }
}

impl Error for Failed {}

/// Reads what was written under a name: `NAME.json`, or the last line of `NAME.why`.
///
/// # Errors
///
/// Why there is nothing.
pub fn text(at: &Path, name: &str) -> Result<String, String> {
    fs::read_to_string(at.join(name).with_extension("json")).map_err(|_| {
        let why = fs::read_to_string(at.join(name).with_extension("why")).unwrap_or_default();
        why.lines().last().unwrap_or("nobody tried").to_owned()
    })
}

impl Outside {
    /// Reads lines.
    ///
    /// # Errors
    ///
    /// What is no such line.
    fn of(item: &'static str, lines: &str) -> Result<Self, String> {
        let mut found = Self { item, says: String::new(), figures: Vec::new() };
        for line in lines.lines() {
            match serde_json::from_str(line).map_err(|error| format!("{item}: {error}: {line}"))? {
                Line::Says { says } => found.says = says,
                Line::Took { case, who, ns } => found.add(case, who, ns),
            }
        }
        Ok(found)
    }

    fn add(&mut self, case: String, who: String, ns: f64) {
        match self.figures.iter_mut().find(|figure| (&figure.case, &figure.who) == (&case, &who)) {
            Some(figure) => figure.ns.push(ns),
            None => self.figures.push(Figure { item: self.item.into(), case, who, ns: vec![ns] }),
        }
    }
}

/// Reads everything that other programs measured.
///
/// # Errors
///
/// What is there and cannot be read.
pub fn read_all(at: &Path) -> Result<Vec<Outside>, String> {
    let read = |(name, item)| match text(at, name) {
        Ok(lines) => Outside::of(item, &lines),
        Err(why) => Ok(Outside { item, says: format!("Not measured here: {why}."), figures: vec![] }),
    };
    OUTSIDE.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_figures_of_runs() {
        let took = |case: &str, ns| Line::Took { case: case.into(), who: "Linux".into(), ns };
        let lines = [Line::Says { says: "This.".into() }, took("1", 5.0), took("16", 80.0), took("1", 6.0)];
        let text: String = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        let found = Outside::of("3", &text).unwrap();
        assert_eq!(found.says, "This.");
        let ns: Vec<_> = found.figures.iter().map(|figure| &figure.ns[..]).collect();
        assert_eq!(ns, [&[5.0, 6.0][..], &[80.0]]);
        assert!(Outside::of("3", &text.replace("ns", "seconds")).is_err());
    }

    #[test]
    fn what_is_not_there_is_told() {
        let nowhere = std::env::temp_dir().join("rskq-bench-nowhere");
        let found = read_all(&nowhere).unwrap();
        assert!(found.iter().all(|item| item.says == "Not measured here: nobody tried."));
    }
}
