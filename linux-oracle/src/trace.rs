//! The trace format: what a line can say.
//!
//! Strict on purpose: a field or a word that is not known here would be one that nobody compares.

use crate::error::Malformed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The only value of a header's `format` that is understood.
pub const FORMAT: &str = "rskq-linux-trace/1";

/// Names a listening descriptor within an episode.
pub type ListenerNumber = u32;
/// Names a client: its source port.
pub type Conn = u16;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// How the trace was recorded: the first line, and only that.
    Header(Header),
    /// An episode begins, with nothing left of the one before.
    Episode(EpisodeStart),
    /// Something was done, and this is what it showed.
    Operation(Operation, Observation),
}

/// How the trace was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// The kernel's version.
    pub kernel: String,
    /// The address that the listeners share.
    pub address: IpAddr,
    /// The port that the listeners share.
    pub port: u16,
    /// The CPU that everything ran on.
    pub cpu: u32,
    /// `net.ipv4.tcp_syncookies`.
    pub syncookies: u8,
    /// Where the random operations came from.
    pub seed: u64,
}

/// What an episode begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpisodeStart {
    /// `net.ipv4.tcp_migrate_req`.
    pub migrate_req: bool,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)] // the fields: `listener` and `conn` name, the others are the argument
pub enum Operation {
    /// A new socket listens.
    Open { listener: ListenerNumber, backlog: u32 },
    /// A socket listens again, or with another backlog.
    Listen { listener: ListenerNumber, backlog: u32 },
    /// A socket stops listening and stays open.
    Shutdown { listener: ListenerNumber },
    /// A socket is closed.
    Close { listener: ListenerNumber },
    /// A connection is taken, without waiting, and aborted at once.
    Accept { listener: ListenerNumber },
    /// A client connects.
    Connect { conn: Conn, syn_hash: u32, sk_hash: u32 },
    /// A listener drops bare ACKs from now on, or no longer.
    Hold { listener: ListenerNumber, on: bool },
    /// The client of a half-open handshake completes it with a byte of data.
    Data { conn: Conn },
    /// The same, and then the client aborts.
    DataThenReset { conn: Conn },
    /// A client aborts.
    Reset { conn: Conn },
    /// A client closes its sending side.
    Fin { conn: Conn },
    /// `net.ipv4.tcp_migrate_req` is set.
    MigrateReq { on: bool },
    /// A listener asks for the connections of one CPU; -1 takes that back.
    IncomingCpu { listener: ListenerNumber, cpu: i32 },
    /// A group gets a selection program.
    Program { listener: ListenerNumber, kind: ProgramKind },
}

/// Which program a group gets. None of them ever selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgramKind {
    /// One that is asked for new connections only.
    Select,
    /// One that is asked for migrations too, which makes them happen whatever the sysctl says.
    SelectOrMigrate,
    /// None any more.
    None,
}

/// What an operation showed: expected from the trace, got from the stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// What the operation itself returned.
    pub result: Shown,
    /// The increments of the counters that grew.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u32>,
    /// Every open descriptor.
    pub listeners: BTreeMap<ListenerNumber, Descriptor>,
    /// The clients that saw a RST, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reset: Vec<Conn>,
}

/// The result of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Shown {
    /// All that there is to say is one word.
    Word(Word),
    /// A connection was accepted.
    Accepted {
        /// Whose.
        accepted: Conn,
        /// In which state it was.
        child: ChildState,
    },
    /// The stack refused an operation in a way that no kernel can: never in a trace.
    #[serde(skip_deserializing)]
    Failed {
        /// The stack's error.
        error: String,
    },
}

/// A result of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// It was done.
    Ok,
    /// The client is connected.
    Established,
    /// The client got no answer.
    Dropped,
    /// The client was reset: nobody listens.
    Refused,
    /// Nothing waits to be accepted.
    Again,
    /// The socket does not listen.
    Invalid,
    /// The client was reset instead of getting a connection.
    Reset,
    /// The client aborted before it could tell which.
    OverflowOrEstablished,
}

/// In which state an accepted connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildState {
    /// Both sides may send.
    Established,
    /// The client closed its sending side.
    PeerClosed,
    /// The client aborted.
    Reset,
}

/// An open descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Descriptor {
    /// It listens: how many connections wait, and its backlog.
    Listening(u32, u32),
    /// It was shut down.
    Shut(Shut),
}

/// The word for a descriptor that was shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shut {
    /// It was shut down.
    Shut,
}

impl Line {
    /// Reads one line.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the line by itself. Whether it makes sense where it stands is for
    /// others to judge.
    pub fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let mut fields: Map<String, Value> = serde_json::from_slice(text)
            .map_err(|error| Malformed::Json { column: error.column(), error })?;
        if fields.contains_key("op") {
            let observed = ["result", "counters", "listeners", "reset"];
            let observed: Map<_, _> =
                observed.into_iter().filter_map(|name| fields.remove_entry(name)).collect();
            return Ok(Line::Operation(typed(fields)?, typed(observed)?));
        }
        if fields.contains_key("episode") {
            let EpisodeLine { episode } = typed(fields)?;
            return Ok(Line::Episode(episode));
        }
        match fields.get("format").map(|format| format.as_str().unwrap_or_default()) {
            Some(FORMAT) => Ok(Line::Header(typed(fields)?)),
            Some(other) => Err(Malformed::Format(other.chars().take(64).collect())),
            None => Err(Malformed::Kind),
        }
    }
}

/// An episode's line, with its one field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EpisodeLine {
    episode: EpisodeStart,
}

fn typed<T: for<'de> Deserialize<'de>>(fields: Map<String, Value>) -> Result<T, Malformed> {
    T::deserialize(Value::Object(fields)).map_err(Malformed::Fields)
}
