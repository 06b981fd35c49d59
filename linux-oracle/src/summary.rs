//! What a replay found.

use crate::trace::Observation;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::fmt;
use std::iter::Sum;

/// What replaying one trace found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Episodes in the trace.
    pub episodes: u64,
    /// Operations in the trace.
    pub operations: u64,
    /// Operations that were done and compared, each diverging one included.
    pub replayed: u64,
    /// Operations that were not, by the reason why their episode ended early. With `replayed`
    /// Where the stack and the trace differ; at most one an episode.
    pub divergences: Vec<Divergence>,
}
/// An operation after which the stack and the trace differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// Its line.
    pub line: u64,
    /// The number of its episode, counted from 1.
    pub episode: u64,
    /// Its line's text.
    pub text: String,
    /// The last lines of its episode before it, with their numbers, oldest first.
    pub before: Vec<(u64, String)>,
    /// What differs.
    pub fields: Vec<Difference>,
}

/// A field of an observation that is not what the trace says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which.
    pub field: Field,
    /// What the trace says.
    #[serde(serialize_with = "as_json")]
    pub expected: String,
    /// What the stack showed.
    #[serde(serialize_with = "as_json")]
    pub got: String,
}

/// A field of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// What the operation returned.
    Result,
    /// Which counters grew.
    Counters,
    /// What every open descriptor shows.
    Listeners,
    /// Which clients were reset.
    Reset,
}

/// The figures of one trace or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Operations in the traces.
    pub operations: u64,
    /// Operations that were done and compared.
    pub replayed: u64,
    /// Operations after which the stack and the trace differ.
    pub divergences: u64,
}

impl Summary {
    /// The figures.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            operations: self.operations,
            replayed: self.replayed,
            divergences: self.divergences.len() as u64,
        }
    }
}

/// Compares every field; an empty answer means that nothing differs.
#[must_use]
pub fn differences(expected: &Observation, got: &Observation) -> Vec<Difference> {
    // By pattern: a new field is either compared here or does not compile.
    let Observation { result, counters, listeners, reset } = expected;
    [
        difference(Field::Result, result, &got.result),
        difference(Field::Counters, counters, &got.counters),
        difference(Field::Listeners, listeners, &got.listeners),
        difference(Field::Reset, reset, &got.reset),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn difference<T: PartialEq + Serialize>(field: Field, expected: &T, got: &T) -> Option<Difference> {
    let json = |value: &T| serde_json::to_string(value).unwrap_or_else(|error| error.to_string());
    (expected != got).then(|| Difference { field, expected: json(expected), got: json(got) })
}

/// Puts JSON text in a JSON object as what it is.
fn as_json<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)).serialize(serializer)
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::default(), |a, b| Self {
            operations: a.operations + b.operations,
            replayed: a.replayed + b.replayed,
            divergences: a.divergences + b.divergences,
        })
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operations, replayed, divergences } = self;
        write!(f, "{replayed} of {operations} operations, {divergences} divergences")
    }
}

impl fmt::Display for Divergence {
    /// Everything but the line's number: the trace's name goes before that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, episode, text, before, fields } = self;
        writeln!(f, "the stack and the trace differ (episode {episode})")?;
        for (line, text) in before {
            writeln!(f, "  {line:>7}  {text}")?;
        }
        writeln!(f, "> {line:>7}  {text}")?;
        for Difference { field, expected, got } in fields {
            writeln!(f, "  {field}: expected {expected}, got {got}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Result => "result",
            Field::Counters => "counters",
            Field::Listeners => "listeners",
            Field::Reset => "reset",
        })
    }
}
