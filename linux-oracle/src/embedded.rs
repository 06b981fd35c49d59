//! The recorded traces, inside the library.

use crate::engine::replay;
use crate::error::TraceError;
use crate::summary::Summary;
use thiserror::Error;

/// A recorded trace, compressed as it is in `traces/`.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    /// The name of its file.
    pub name: &'static str,
    /// What is in its file.
    pub bytes: &'static [u8],
}

/// The recorded trace of the second format: addresses, ports, fast open, programs, timers.
pub const SECOND: Trace = Trace {
    name: "linux-6.18-second-seed78.jsonl.gz",
    bytes: include_bytes!("../traces/linux-6.18-second-seed78.jsonl.gz"),
};

/// The recorded traces of the first format: one address, one CPU.
pub const TRACES: [Trace; 2] = [
    Trace { name: "linux-6.18-seed7.jsonl.gz", bytes: include_bytes!("../traces/linux-6.18-seed7.jsonl.gz") },
    Trace {
        name: "linux-6.18-seed11.jsonl.gz",
        bytes: include_bytes!("../traces/linux-6.18-seed11.jsonl.gz"),
    },
];

/// A recorded trace that cannot be replayed.
#[derive(Debug, Error)]
#[error("{name}:{error}")]
pub struct EmbeddedError {
    /// The name of its file.
    pub name: &'static str,
    /// The line, and what is wrong with it.
    pub error: TraceError,
}

/// Replays the recorded traces; returns what each gave, with its name.
///
/// The figures of all: `replay_all()?.iter().map(|(_, summary)| summary.totals()).sum::<Totals>()`.
///
/// # Errors
///
/// If one of them cannot be replayed, or the scope of the replay is so small that nothing is.
pub fn replay_all() -> Result<Vec<(&'static str, Summary)>, EmbeddedError> {
    let replayed = |Trace { name, bytes }| {
        replay(bytes).map(|summary| (name, summary)).map_err(|error| EmbeddedError { name, error })
    };
    TRACES.into_iter().chain([SECOND]).map(replayed).collect()
}
