//! Drives a real kernel in a network namespace of its own, operation by operation, and says what it
//! showed.
//!
//! Everything runs on loopback and on one CPU at a time, so a handshake that succeeds is over when
//! `connect()` returns: nothing waits but [`Timer`](crate::trace::Operation::Timer).
//!
//! | what | how it shows |
//! |---|---|
//! | a listener | `TCP_INFO`: the length of its accept queue, its backlog |
//! | a client | the state in `TCP_INFO`; that it was reset, by epoll |
//! | counters | `/proc/thread-self/net/netstat` |
//!
//! | module | what it is for |
//! |---|---|
//! | `namespace`, `sysctl` | where everything happens |
//! | `listener`, `hold`, `client` | the sockets |
//! | `loopback` | what is on its way |
//! | `bpf`, `program` | selection programs and their sockarray |
//! | `counters`, `option` | observing |
//! | `hashes`, `probe` | what is measured rather than asked |

mod bpf;
mod client;
mod counters;
mod error;
mod hashes;
mod hold;
mod listener;
mod loopback;
mod namespace;
mod option;
mod probe;
mod program;
mod step;
mod sysctl;

pub use error::{NotAllowed, StepError};
pub use hashes::{Bound, Hashes, MEMBERS_WITHOUT_PROGRAMS};
pub use program::MAP_ENTRIES;
pub use step::TIMER;

use crate::trace::{Conn, EpisodeStart, FORMAT, Header, ListenerNumber};
use client::Clients;
use counters::Counters;
use listener::Listener;
use loopback::Loopback;
use program::Programs;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::{fs, io};
use sysctl::Sysctls;

/// What a run begins with.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The address of every operation that names none.
    pub address: IpAddr,
    /// The port of every operation that names none.
    pub port: u16,
    /// The CPU that an episode begins on.
    pub cpu: u32,
    /// `net.ipv4.tcp_syncookies` at the begin of an episode.
    pub syncookies: u8,
    /// Goes to the header as it is.
    pub seed: u64,
    /// Whether selection programs are loaded where that is allowed.
    pub programs: bool,
}

/// A kernel, seen from a namespace that this process has entered and does not leave.
///
/// Three things it cannot observe truly, so they are not to be asked of it: a `fin` that the listener
/// drops is repeated 200 ms later; a timer that would go off while operations are done, if an episode
/// takes more than a second without [`Operation::Timer`](crate::trace::Operation::Timer); and the order
/// in which the requests of one `Timer` go, if they are for the same listener. Clients have source ports
/// below 32768, where the kernel picks none.
pub struct Kernel {
    header: Header,
    sysctls: Sysctls,
    /// Where everything runs now.
    cpu: u32,
    listeners: BTreeMap<ListenerNumber, Listener>,
    clients: Clients,
    loopback: Loopback,
    counters: Counters,
    /// Absent where loading is not allowed.
    programs: Option<Programs>,
    hashes: hashes::Cache,
}

impl Kernel {
    /// Enters a new network namespace. The process must have one thread, or be root.
    ///
    /// # Errors
    ///
    /// If the system does not allow it, or its kernel has no `net.ipv4.tcp_migrate_req`.
    pub fn start(setup: Setup) -> Result<Self, NotAllowed> {
        let not = |doing| move |error: io::Error| NotAllowed { doing, error };
        namespace::enter()?;
        let cpus = namespace::cpus().map_err(not("asking for the CPUs"))?;
        namespace::pin(setup.cpu).map_err(not("running on one CPU"))?;
        let kernel =
            fs::read_to_string("/proc/sys/kernel/osrelease").map_err(not("asking for the version"))?;
        let header = Header {
            format: FORMAT.to_owned(),
            // Without what whoever built it called it.
            kernel: kernel
                .split(|c: char| c != '.' && !c.is_ascii_digit())
                .next()
                .unwrap_or_default()
                .to_owned(),
            address: setup.address,
            port: setup.port,
            cpu: setup.cpu,
            syncookies: setup.syncookies,
            seed: setup.seed,
            cpus,
            somaxconn: 4096,
            synack_retries: 5,
            fastopen_charged: true,
        };
        let mut sysctls = Sysctls::default();
        let fixed = [
            (sysctl::SOMAXCONN, header.somaxconn),
            (sysctl::SYNACK_RETRIES, u32::from(header.synack_retries)),
            // More requests than any listener's SYN queue takes.
            (sysctl::MAX_SYN_BACKLOG, 2 * header.somaxconn),
            // Client and server, both without a cookie.
            (sysctl::FASTOPEN, 0x207),
            (sysctl::MIGRATE_REQ, 0),
        ];
        for (name, value) in fixed {
            sysctls.set(name, value).map_err(not("setting the namespace's sysctls"))?;
        }
        let programs = if setup.programs { Programs::new().ok() } else { None };
        let hashes = hashes::Cache::new(programs.is_some()).map_err(not("loading a program to measure"))?;
        let mut kernel = Self {
            header,
            sysctls,
            cpu: setup.cpu,
            listeners: BTreeMap::new(),
            clients: Clients::new().map_err(not("watching clients"))?,
            loopback: Loopback::new().map_err(not("sending over loopback"))?,
            counters: Counters::open().map_err(not("reading the statistics"))?,
            programs,
            hashes,
        };
        kernel.header.fastopen_charged = kernel.probe_fastopen_charged().map_err(|error| NotAllowed {
            doing: "finding out which kernel it is",
            error: io::Error::other(error),
        })?;
        Ok(kernel)
    }

    /// The first line of what is recorded.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether there are selection programs, and with them exact hashes. Without, a group may have
    /// [`MEMBERS_WITHOUT_PROGRAMS`] members for its hashes to be true.
    #[must_use]
    pub fn programs(&self) -> bool {
        self.programs.is_some()
    }

    /// Begins an episode: nothing is left of the one before.
    ///
    /// # Errors
    ///
    /// If the system fails.
    pub fn episode(&mut self, start: EpisodeStart) -> Result<(), StepError> {
        // While their listeners are there, so that resets find the half-open requests.
        self.clients.abort_all();
        self.drain()?;
        self.listeners.clear();
        self.drain()?;
        let sysctls = [
            (sysctl::MIGRATE_REQ, u32::from(start.migrate_req)),
            (sysctl::SYNCOOKIES, u32::from(self.header.syncookies)),
            (sysctl::ABORT_ON_OVERFLOW, 0),
        ];
        for (name, value) in sysctls {
            self.sysctls.set(name, value).map_err(StepError::at("setting a sysctl"))?;
        }
        self.run_on(self.header.cpu)?;
        self.settle()
    }

    /// Returns the hashes of a connection of `conn` to `to`, where the listeners that its SYN is steered
    /// among are `bound`; measures them the first time. `None`: they cannot be told, so `conn` is not
    /// to be used.
    ///
    /// Measuring is best done before anybody listens: without programs it takes milliseconds.
    ///
    /// # Errors
    ///
    /// If they cannot be measured now, since somebody listens at that port who does not share it, or at
    /// any IPv6 address where `to` is one; or if the system fails.
    pub fn hashes(&mut self, to: SocketAddr, bound: Bound, conn: Conn) -> Result<Option<Hashes>, StepError> {
        if let Some(hashes) = self.hashes.get(to, bound, conn) {
            return Ok(hashes);
        }
        self.measure(to, bound, &[conn])?;
        Ok(self.hashes.get(to, bound, conn).flatten())
    }

    /// Measures the hashes of several connections at once, which is cheaper.
    ///
    /// # Errors
    ///
    /// As [`Kernel::hashes`].
    pub fn measure(&mut self, to: SocketAddr, bound: Bound, conns: &[Conn]) -> Result<(), StepError> {
        let before = |it: &Listener| it.address.is_ipv6() && it.port().is_ok_and(|port| port == to.port());
        if to.is_ipv6() && self.listeners.values().any(before) {
            return Err(StepError::NotMeasured(to));
        }
        let (cpu, loopback) = (self.cpu, &self.loopback);
        let specific = self.hashes.measure(to, Bound::Specific, conns, cpu, loopback);
        let measured = specific.and_then(|()| self.hashes.measure(to, bound, conns, cpu, loopback));
        // What the measurement counted is nobody's, also where it failed.
        self.settle()?;
        measured
    }

    /// Waits until everything that was sent has arrived.
    fn drain(&self) -> Result<(), StepError> {
        self.loopback.drain().map_err(StepError::at("waiting for loopback"))
    }

    fn run_on(&mut self, cpu: u32) -> Result<(), StepError> {
        if self.cpu != cpu {
            namespace::pin(cpu).map_err(StepError::at("changing the CPU"))?;
            self.cpu = cpu;
        }
        Ok(())
    }

    /// Forgets what happened until now.
    fn settle(&mut self) -> Result<(), StepError> {
        self.drain()?;
        self.counters.grown().map_err(StepError::at("reading the statistics"))?;
        Ok(())
    }
}
