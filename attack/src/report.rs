//! What an attack found.

use crate::tally::Tally;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What an attack found, and what it did for that.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The attack, and which of its kinds.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// What was counted.
    pub figures: BTreeMap<String, u64>,
    /// What does not hold; nothing, if the stack withstood.
    pub broken: Vec<String>,
}

impl Report {
    /// Tells whether the stack withstood.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }

    /// Says that something does not hold, unless it does.
    pub(crate) fn expect(&mut self, holds: bool, text: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(text());
        }
    }

    pub(crate) fn figure(&mut self, name: &str, value: u64) {
        self.figures.insert(name.to_owned(), value);
    }

    pub(crate) fn deeds(&mut self, tally: &Tally) {
        for (deed, times) in tally.iter() {
            self.figure(&format!("{deed:?}"), times);
        }
    }
}

/// How many things that do not hold are told to a reader.
const TOLD: usize = 8;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds() { "withstood" } else { "BROKEN" };
        write!(f, "{}: {verdict}, {:.1} s", self.name, self.seconds)?;
        for broken in self.broken.iter().take(TOLD) {
            write!(f, "\n  broken: {broken}")?;
        }
        if self.broken.len() > TOLD {
            write!(f, "\n  and {} more", self.broken.len() - TOLD)?;
        }
        let mut line = String::new();
        for (name, value) in &self.figures {
            let figure = format!(" {name} {value}");
            if line.len() + figure.len() > 106 {
                write!(f, "\n {line}")?;
                line.clear();
            }
            line += &figure;
        }
        if line.is_empty() { Ok(()) } else { write!(f, "\n {line}") }
    }
}
