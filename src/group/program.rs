//! Selection programs: an embedder's own choice among the members of a group.

use crate::request::Tuple;

/// What a program is asked about. (Linux: its expected attach type.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachType {
    /// New connections only. (Linux: `BPF_SK_REUSEPORT_SELECT`.)
    Select,
    /// Migrations too, which happen then whatever `tcp_migrate_req` says. (Linux:
    /// `BPF_SK_REUSEPORT_SELECT_OR_MIGRATE`.)
    SelectOrMigrate,
}

/// What a program returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Whoever it selected; if it selected nobody, the hash decides. (Linux: `SK_PASS`.)
    Pass,
    /// Nobody: a new connection is refused, a migration is cancelled. (Linux: `SK_DROP`.)
    Drop,
}

/// Why a connection looks for a listener. (Linux's programs tell by `migrating_sk`, its state, and `len`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It is new: a SYN, a cookie, or a handshake that the embedder did.
    Syn,
    /// It is half open, its listener has left, and its SYN-ACK timer went off.
    Timer,
    /// It is half open, its listener has left, and a segment arrived.
    Ack,
    /// It waits to be accepted, and its listener stops.
    Close,
    /// The same, and its fast-open handshake has not ended.
    CloseFastOpen,
}

impl Occasion {
    /// Tells whether a connection migrates.
    #[must_use]
    pub fn migrates(self) -> bool {
        self != Occasion::Syn
    }
}

/// Why a member cannot be selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectError {
    /// The map has no such entry, nothing is in it, or what is in it does not listen any more. (Linux:
    /// ENOENT.)
    NoEntry,
    /// The listener in the entry is of another group. (Linux: EBADFD.)
    OtherGroup,
}

/// What a program gets to see. (Linux: `struct sk_reuseport_md`.)
pub struct SkReuseportMd<'a> {
    /// The connection.
    pub tuple: Tuple,
    /// Its hash: of the SYN for a new one, of the connection for one that migrates.
    pub hash: u32,
    /// The CPU that asks.
    pub cpu: u32,
    /// Why.
    pub occasion: Occasion,
    /// The slot of the listener that it leaves, if it migrates: the index of its id.
    pub from: Option<u32>,
    pub(crate) select: &'a mut dyn FnMut(u32) -> Result<(), SelectError>,
}

impl SkReuseportMd<'_> {
    /// Selects the listener in an entry of the map; of several the last one counts. (Linux:
    /// `bpf_sk_select_reuseport()`.)
    ///
    /// # Errors
    ///
    /// [`SelectError`]; who was selected before stays selected.
    pub fn select(&mut self, index: u32) -> Result<(), SelectError> {
        (self.select)(index)
    }
}

/// A selection program. It is run with no lock held, by any number of contexts at a time.
pub trait Program: Sync {
    /// Returns what it is asked about. Always the same.
    fn attach_type(&self) -> AttachType;
    /// Selects, or not.
    fn run(&self, md: &mut SkReuseportMd<'_>) -> Verdict;
}

/// Names a program: its place in the table that was handed over with
/// [`with_programs`](crate::Stack::with_programs).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramId(pub u32);

/// Why a program cannot be attached or detached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttachError {
    /// The id is stale: the socket was closed.
    Stale,
    /// The socket does not share its address. (Linux: EINVAL.)
    Invalid,
    /// No such program was handed over; or, to be detached, none is attached. (Linux: ENOENT.)
    NotFound,
    /// The socket is being shut down; take the steps of that first.
    Stopping,
    /// The socket needs a group of its own, and there is no slot or no memory for it. (Linux: ENOMEM.)
    NoGroupRoom,
}
