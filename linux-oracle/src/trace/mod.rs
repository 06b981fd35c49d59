//! The trace format: what a line can say.
//!
//! Strict on purpose: a field or a word that is not known here would be one that nobody compares.

mod operation;

pub use operation::{Connect, Open, Operation, ProgramKind, Verdict};

use crate::error::Malformed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// The value of a header's `format` in what is recorded now.
pub const FORMAT: &str = "rskq-linux-trace/2";
/// The values that are understood. What is new in the second is optional there, with what it was in the
/// first as its default.
pub const FORMATS: [&str; 2] = ["rskq-linux-trace/1", FORMAT];

/// The statistics that traces show, by Linux's names; the first format has the first
/// [`FIRST_COUNTERS`].
///
/// Left out is what depends on how segments are sent rather than on what is decided about them; and
/// `PassiveOpens`, which costs another file for what the queues show.
pub const COUNTERS: [&str; 13] = [
    "ListenOverflows",
    "ListenDrops",
    "TCPMigrateReqSuccess",
    "TCPMigrateReqFailure",
    "TCPReqQFullDoCookies",
    "SyncookiesSent",
    "SyncookiesRecv",
    "EmbryonicRsts",
    "TCPReqQFullDrop",
    "TCPDeferAcceptDrop",
    "TCPFastOpenPassive",
    "TCPFastOpenPassiveFail",
    "TCPFastOpenListenOverflow",
];
/// How many of [`COUNTERS`] the first format has.
pub const FIRST_COUNTERS: usize = 8;

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// One of [`FORMATS`].
    pub format: String,
    /// The kernel's version.
    pub kernel: String,
    /// The address of every operation that names none.
    pub address: IpAddr,
    /// The port of every operation that names none.
    pub port: u16,
    /// The CPU that an episode begins on.
    pub cpu: u32,
    /// `net.ipv4.tcp_syncookies` at the begin of an episode.
    pub syncookies: u8,
    /// Where the random operations came from.
    pub seed: u64,
    /// How many CPUs there are to run on.
    #[serde(default = "defaults::cpus")]
    pub cpus: u32,
    /// `net.core.somaxconn`.
    #[serde(default = "defaults::somaxconn")]
    pub somaxconn: u32,
    /// `net.ipv4.tcp_synack_retries`.
    #[serde(default = "defaults::synack_retries")]
    pub synack_retries: u8,
    /// Whether a half-open Fast Open connection that migrates counts in its new listener's
    /// `fastopenq.qlen`; kernels differ.
    #[serde(default = "defaults::yes")]
    pub fastopen_charged: bool,
}

/// What an episode begins with. `net.ipv4.tcp_abort_on_overflow` is 0, the sockarray empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpisodeStart {
    /// `net.ipv4.tcp_migrate_req`.
    pub migrate_req: bool,
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
    /// `EINVAL`; of `accept`, the socket does not listen.
    Invalid,
    /// The client was reset instead of getting a connection.
    Reset,
    /// The client aborted before it could tell which.
    OverflowOrEstablished,
    /// `EADDRINUSE`.
    AddrInUse,
    /// `ENOENT`.
    NotFound,
    /// `EBADF`.
    BadFd,
    /// `EBUSY`.
    Busy,
    /// `EEXIST`.
    Exists,
    /// `ENOTCONN`: of `shutdown`, the socket does not listen.
    NotConnected,
    /// `E2BIG`: the sockarray is not that long.
    TooBig,
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
    /// Its handshake is not done yet: Fast Open's `SYN_RECV`.
    SynRecv,
}

/// An open descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Descriptor {
    /// It listens: how many connections wait, and its backlog.
    Listening(u32, u32),
    /// It does not listen.
    Shut(Shut),
}

/// The word for a descriptor that does not listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shut {
    /// It was shut down, or never listened.
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
            Some(format) if FORMATS.contains(&format) => Ok(Line::Header(typed(fields)?)),
            Some(other) => Err(Malformed::Format(other.chars().take(64).collect())),
            None => Err(Malformed::Kind),
        }
    }
}

impl fmt::Display for Line {
    /// The line as [`Line::parse`] reads it, without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[derive(Serialize)]
        struct Done<'a> {
            #[serde(flatten)]
            operation: &'a Operation,
            #[serde(flatten)]
            observation: &'a Observation,
        }
        let text = match self {
            Line::Header(header) => serde_json::to_string(header),
            Line::Episode(episode) => serde_json::to_string(&EpisodeLine { episode: *episode }),
            Line::Operation(operation, observation) => {
                serde_json::to_string(&Done { operation, observation })
            }
        };
        f.write_str(&text.map_err(|_| fmt::Error)?)
    }
}

/// What an absent field means.
mod defaults {
    pub(super) fn yes() -> bool {
        true
    }

    pub(super) fn is_yes(value: &bool) -> bool {
        *value
    }

    pub(super) fn is_no(value: &bool) -> bool {
        !*value
    }

    pub(super) fn cpus() -> u32 {
        1
    }

    /// Linux's own default, as the next.
    pub(super) fn somaxconn() -> u32 {
        4096
    }

    pub(super) fn synack_retries() -> u8 {
        5
    }
}

/// An episode's line, with its one field.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EpisodeLine {
    episode: EpisodeStart,
}

fn typed<T: for<'de> Deserialize<'de>>(fields: Map<String, Value>) -> Result<T, Malformed> {
    T::deserialize(Value::Object(fields)).map_err(Malformed::Fields)
}
