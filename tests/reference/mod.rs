//! A plain reference of the stack: what each operation ought to answer, told with the collections of the
//! standard library, and which of them there are.
//!
//! Shared by who makes up operations: `tests/random` and the fuzz targets. Each has a module `common`.

mod closing;
mod fast;
mod groups;
mod handshakes;
pub(crate) mod places;
mod sockets;
mod world;

pub(crate) use groups::PROGRAMS;
pub(crate) use world::World;

use places::Bound;
use rskq::{Design, MapFlag, Syncookies};

/// Sockets that an operation can name; more than there is memory for.
pub(crate) const SOCKETS: usize = 6;
/// Where they are bound.
pub(crate) const SPOTS: [Bound; 5] = [
    Bound { place: 0, port: 80, v6only: false },
    Bound { place: 2, port: 80, v6only: false },
    Bound { place: 5, port: 80, v6only: false },
    Bound { place: 1, port: 80, v6only: false },
    Bound { place: 0, port: 81, v6only: false },
];
/// Where each client connects to: which destination, and which port. A client has a tuple of its own and at
/// most one half-open request.
pub(crate) const CLIENTS: [(usize, u16); 8] =
    [(0, 80), (0, 80), (0, 80), (0, 80), (0, 80), (1, 80), (2, 80), (0, 81)];
/// How many requests and handshakes back an operation may name one.
pub(crate) const NAMED: usize = 8;
/// Entries of the map that programs select from.
pub(crate) const ENTRIES: u32 = 2;
/// CPUs.
pub(crate) const CPUS: u32 = 2;

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Listen { which: usize, spot: usize, shares: bool, backlog: u32 },
    ListenAgain { which: usize, backlog: u32 },
    Stop { which: usize, close: bool, steps: usize },
    Deliver { client: u32, hash: u32 },
    Accept { which: usize },
    Syn { client: u32, hash: u32 },
    Ack { client: u32, data: bool },
    CookieAck { client: u32, hash: u32, genuine: bool },
    SetDefer { which: usize, timeouts: u32 },
    MigrateReq { on: bool },
    SetSyncookies { to: Syncookies },
    AbortOnOverflow { on: bool },
    Poll { after: u64 },
    Timer { back: usize, retries: u32 },
    Reset { client: u32 },
    SetFastOpen { which: usize, limit: u32 },
    SynFastOpen { client: u32, hash: u32 },
    EndHandshake { back: usize, reset: bool },
    EvictReset { which: usize },
    Attach { which: usize, program: u32 },
    Detach { which: usize },
    MapUpdate { index: u32, which: usize, flag: MapFlag },
    MapDelete { index: u32 },
    SetIncomingCpu { which: usize, cpu: Option<u32> },
    RunOn { cpu: u32 },
}

/// Does every operation and checks after each.
pub(crate) fn run(design: Design, ops: &[Op]) {
    let mut world = World::new(design);
    for &op in ops {
        world.step(op);
        world.check();
    }
    world.finish();
}
