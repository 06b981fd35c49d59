//! What can be done.

use super::{Conn, ListenerNumber, defaults};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)] // the fields: `listener` and `conn` name, the others are the argument
pub enum Operation {
    /// A new socket is bound and listens.
    Open(Open),
    /// A socket listens again, for the first time, or with another backlog.
    Listen {
        listener: ListenerNumber,
        backlog: u32,
        /// The port that the kernel picked, where the socket had lost its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        picked: Option<u16>,
    },
    /// A socket stops listening and stays open.
    Shutdown { listener: ListenerNumber },
    /// A socket is closed.
    Close { listener: ListenerNumber },
    /// A connection is taken, without waiting, and aborted at once.
    Accept { listener: ListenerNumber },
    /// A client connects.
    Connect(Connect),
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
    /// `net.ipv4.tcp_syncookies` is set: 0 never, 1 when the SYN queue is full, 2 always.
    Syncookies { value: u8 },
    /// `net.ipv4.tcp_abort_on_overflow` is set.
    AbortOnOverflow { on: bool },
    /// A listener asks for the connections of one CPU; -1 takes that back.
    IncomingCpu { listener: ListenerNumber, cpu: i32 },
    /// Everything runs on this CPU from now on.
    Cpu { cpu: u32 },
    /// `TCP_FASTOPEN`: how many half-open Fast Open connections a listener may have.
    Fastopen { listener: ListenerNumber, max_qlen: u32 },
    /// `TCP_DEFER_ACCEPT`.
    DeferAccept { listener: ListenerNumber, seconds: u32 },
    /// A group gets a selection program.
    Program {
        listener: ListenerNumber,
        kind: ProgramKind,
        #[serde(default, skip_serializing_if = "Verdict::is_pass")]
        verdict: Verdict,
    },
    /// A group loses its selection program: `SO_DETACH_REUSEPORT_BPF`.
    Detach { listener: ListenerNumber },
    /// A listener is put in the sockarray; without one, the entry is deleted.
    Map {
        index: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        listener: Option<ListenerNumber>,
    },
    /// Time passes until the SYN-ACK timer of every half-open request has gone off once.
    Timer {},
}

/// A new socket is bound and, unless told otherwise, listens. If any of that fails it is closed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Its name from now on.
    pub listener: ListenerNumber,
    /// What `listen()` is told.
    pub backlog: u32,
    /// Where it is bound: the header's address if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The header's port if it is not said; 0 lets the kernel pick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The port that the kernel picked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picked: Option<u16>,
    /// `IPV6_V6ONLY`.
    #[serde(default, skip_serializing_if = "defaults::is_no")]
    pub v6only: bool,
    /// `SO_REUSEPORT`.
    #[serde(default = "defaults::yes", skip_serializing_if = "defaults::is_yes")]
    pub shared: bool,
    /// Whether it listens.
    #[serde(default = "defaults::yes", skip_serializing_if = "defaults::is_yes")]
    pub listen: bool,
    /// `TCP_FASTOPEN`, set before it listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fastopen: Option<u32>,
}

/// A client connects, from the loopback address of the destination's family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Its name from now on, which is its source port.
    pub conn: Conn,
    /// Steers its SYN.
    pub syn_hash: u32,
    /// Steers its migration.
    pub sk_hash: u32,
    /// The destination: the header's address if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The header's port if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Whether its SYN asks for Fast Open, with a byte of data.
    #[serde(default, skip_serializing_if = "defaults::is_no")]
    pub fast: bool,
}

/// Which program a group gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgramKind {
    /// One that is asked for new connections only.
    Select,
    /// One that is asked for migrations too, which makes them happen whatever the sysctl says.
    SelectOrMigrate,
    /// None any more.
    None,
}

/// What a program answers, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// `SK_PASS`, and selects nobody.
    #[default]
    Pass,
    /// `SK_DROP`.
    Drop,
    /// Selects this entry of the sockarray, and passes even if that fails.
    Select(u32),
    /// Selects this entry of the sockarray, and drops if that fails.
    SelectOrDrop(u32),
}

impl Open {
    /// A listener at the header's address that is shared, as all were in the first format.
    #[must_use]
    pub fn new(listener: ListenerNumber, backlog: u32) -> Self {
        Self {
            listener,
            backlog,
            address: None,
            port: None,
            picked: None,
            v6only: false,
            shared: true,
            listen: true,
            fastopen: None,
        }
    }
}

impl Connect {
    /// A client of the header's address whose hashes are 0.
    #[must_use]
    pub fn new(conn: Conn) -> Self {
        Self { conn, syn_hash: 0, sk_hash: 0, address: None, port: None, fast: false }
    }
}

impl Verdict {
    fn is_pass(&self) -> bool {
        *self == Self::Pass
    }
}
