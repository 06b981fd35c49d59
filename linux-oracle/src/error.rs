//! Why a trace cannot be replayed.

use crate::trace::{Conn, FORMATS, ListenerNumber};
use std::io;
use thiserror::Error;

/// A trace that cannot be replayed, and the line where that showed.
#[derive(Debug, Error)]
#[error("{line}: {why}")]
pub struct TraceError {
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: Malformed,
}

/// What is wrong with a line, or with a trace that ends there.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The input ended within the compressed stream, is damaged, or cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// No newline for longer than any line is.
    #[error("the line is longer than {0} bytes")]
    TooLong(u64),
    /// Not a JSON object.
    #[error("not a JSON object, from column {column} on")]
    Json {
        /// Where in the line, counted from 1; 0 where it does not apply.
        column: usize,
        /// What the parser says; it counts lines from this one.
        #[source]
        error: serde_json::Error,
    },
    /// An unknown operation or field, a missing field, a wrong type, a number out of range.
    #[error(transparent)]
    Fields(serde_json::Error),
    /// Neither header nor episode nor operation.
    #[error("neither `format` nor `episode` nor `op` is there")]
    Kind,
    /// A header of some other format.
    #[error("the format is {0:?} and none of {FORMATS:?}")]
    Format(String),
    /// The first line is not a header.
    #[error("the first line is not a header")]
    NoHeader,
    /// Another header.
    #[error("a second header")]
    SecondHeader,
    /// An operation outside of any episode.
    #[error("an operation before the first episode")]
    NoEpisode,
    /// `open` of a number that is open already.
    #[error("listener {0} is open already")]
    ListenerOpen(ListenerNumber),
    /// An operation on a descriptor that is not open.
    #[error("listener {0} is not open")]
    NoListener(ListenerNumber),
    /// `connect` from a port whose connection is open.
    #[error("the client {0} is connected already")]
    ClientConnected(Conn),
    /// `fin` or `reset` of a client that is not connected.
    #[error("the client {0} is not connected")]
    NoClient(Conn),
    /// `data` for a half-open handshake, and there never was a `hold` that would have made one.
    #[error("the handshake of client {0} is not half-open")]
    NotHalfOpen(Conn),
    /// The trace ended without an episode.
    #[error("the trace has no episode")]
    Empty,
    /// The trace ended, and not one operation was in scope.
    #[error("no operation could be replayed, of {0}")]
    NothingReplayed(u64),
}
