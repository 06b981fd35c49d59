//! Random operations that make sense where they stand: which those are shows in the stack's side of the episode
//! and in what the operation before showed. What is left out is in `scope`.

use super::book::Book;
use super::kernel::{Bound, Kernel, StepError};
use super::scope::State;
use crate::episode::{Episode, Handshake};
use crate::trace::{
    Conn, Connect, EpisodeStart, Header, ListenerNumber, Observation, Open, Operation, ProgramKind, Verdict,
};
use fastrand::Rng;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

/// The clients' ports.
const CONNS: RangeInclusive<Conn> = 20_000..=20_047;
/// The second port that listeners are bound to.
const OTHER_PORT: u16 = 7001;
/// Entries of the map that are used.
const ENTRIES: u32 = 4;

const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const FIRST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const ANY6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
const FIRST6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// What an episode is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Theme {
    /// One address, as in the first format.
    Group,
    /// Addresses, families, ports, and who shares.
    Addresses,
    /// Hundreds of listeners.
    Crowd,
    /// Programs and the map.
    Programs,
}

/// Makes operations from a seed.
pub struct Generator {
    rng: Rng,
    local: SocketAddr,
    cpus: u32,
    programs: bool,
    theme: Theme,
    v6only: bool,
    book: Book,
    next: ListenerNumber,
    /// Operations left of the episode.
    left: u32,
    timers: bool,
}

impl Generator {
    /// Makes the same operations for the same seed, as long as they show the same.
    #[must_use]
    pub fn new(header: &Header, programs: bool, seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            local: (header.address, header.port).into(),
            cpus: header.cpus,
            programs,
            theme: Theme::Group,
            v6only: false,
            book: Book::new((header.address, header.port).into()),
            next: 1,
            left: 0,
            timers: false,
        }
    }

    /// Begins another episode.
    pub fn episode(&mut self) -> EpisodeStart {
        self.theme = match self.rng.u32(0..100) {
            0 => Theme::Crowd,
            1..=34 => Theme::Addresses,
            35..=54 if self.programs => Theme::Programs,
            _ => Theme::Group,
        };
        self.v6only = self.rng.bool();
        self.book = Book::new(self.local);
        self.next = 1;
        self.left = if self.theme == Theme::Crowd { 500 } else { self.rng.u32(30..90) };
        // They take a second each.
        self.timers = self.rng.u32(0..150) == 0;
        EpisodeStart { migrate_req: self.rng.bool() }
    }

    /// Measures the hashes that are asked for most, while nobody listens.
    ///
    /// # Errors
    ///
    /// If the system fails.
    pub fn measure(&self, kernel: &mut Kernel) -> Result<(), StepError> {
        let conns: Vec<Conn> = CONNS.collect();
        for address in [FIRST, SECOND, FIRST6] {
            for port in [self.local.port(), OTHER_PORT] {
                for bound in [Bound::Specific, Bound::Wildcard] {
                    kernel.measure((address, port).into(), bound, &conns)?;
                }
            }
        }
        Ok(())
    }

    /// Takes note of what an operation showed.
    pub fn shown(&mut self, operation: &Operation, observed: &Observation) {
        self.book.shown(operation, observed);
    }

    /// Fills the hashes of a connection in; tells whether they are known.
    ///
    /// # Errors
    ///
    /// If the system fails.
    pub fn hash(&self, operation: &mut Operation, kernel: &mut Kernel) -> Result<bool, StepError> {
        self.book.hash(operation, kernel)
    }

    /// Makes the next operation. `None` at the end of the episode.
    pub fn next(&mut self, episode: &Episode, last: Option<&Observation>) -> Option<Operation> {
        loop {
            self.left = self.left.checked_sub(1)?;
            let state = State::of(episode, last);
            if let Some(operation) = self.attempt(&state)
                && state.has_in_scope(&self.book, &operation)
            {
                return Some(operation);
            }
        }
    }

    fn attempt(&mut self, state: &State) -> Option<Operation> {
        let most = match self.theme {
            Theme::Crowd => 300,
            Theme::Addresses => 8,
            Theme::Group | Theme::Programs => 5,
        };
        let listener = self.pick(self.book.sockets.keys().copied().collect());
        match self.rng.u32(0..100) {
            0..=19 if self.timers && state.requests == 1 => {
                // What comes after it is soon over: the next timers run for longer.
                self.left = self.left.min(8);
                self.timers = false;
                Some(Operation::Timer {})
            }
            0..=11 if self.book.sockets.len() < most => self.open(),
            0..=14 if self.theme == Theme::Crowd && self.book.sockets.len() < most => self.open(),
            12..=39 => self.connect(state),
            40..=48 => Some(Operation::Accept { listener: listener? }),
            49..=53 => Some(Operation::Listen { listener: listener?, backlog: self.backlog(), picked: None }),
            54..=57 => Some(Operation::Shutdown { listener: listener? }),
            58..=61 => Some(Operation::Close { listener: listener? }),
            62..=68 => Some(Operation::Hold { listener: listener?, on: self.rng.u32(0..3) != 0 }),
            69..=86 => self.client(state),
            87..=89 => Some(Operation::MigrateReq { on: self.rng.bool() }),
            90..=91 => Some(self.sysctl()),
            92..=94 => self.option(listener?),
            95..=98 if self.programs => self.program(listener?),
            _ => None,
        }
    }

    fn pick<T>(&mut self, mut of: Vec<T>) -> Option<T> {
        if of.is_empty() { None } else { Some(of.swap_remove(self.rng.usize(..of.len()))) }
    }

    fn backlog(&mut self) -> u32 {
        match self.rng.u32(0..12) {
            0 => 8,
            1 => u32::MAX,
            n => n % 4,
        }
    }

    fn open(&mut self) -> Option<Operation> {
        let listener = self.next;
        self.next += 1;
        let mut open = Open::new(listener, self.backlog());
        open.fastopen = (self.rng.u32(0..4) == 0).then(|| self.rng.u32(0..3));
        if self.theme == Theme::Addresses {
            open.address = self.pick(vec![FIRST, FIRST, SECOND, ANY, ANY, FIRST6, ANY6, ANY6]);
            open.v6only = open.address == Some(ANY6) && self.v6only;
            open.shared = self.rng.u32(0..5) != 0;
            open.port = match self.rng.u32(0..8) {
                0 => Some(0),
                1 => Some(OTHER_PORT),
                _ => None,
            };
            open.listen = self.rng.u32(0..10) != 0;
        }
        Some(Operation::Open(open))
    }

    fn connect(&mut self, state: &State) -> Option<Operation> {
        let conn = self.pick(CONNS.filter(|conn| !state.clients.contains_key(conn)).collect())?;
        let mut connect = Connect {
            conn,
            syn_hash: 0,
            sk_hash: 0,
            address: None,
            port: None,
            fast: self.rng.u32(0..6) == 0,
        };
        if self.theme == Theme::Addresses {
            let ports = self.book.sockets.values().map(|socket| socket.at.port()).chain([self.local.port()]);
            connect.port = self.pick(ports.collect()).filter(|&port| port != self.local.port());
            connect.address = self.pick(vec![FIRST, FIRST, SECOND, FIRST6]);
        }
        Some(Operation::Connect(connect))
    }

    /// A client does something.
    fn client(&mut self, state: &State) -> Option<Operation> {
        let clients = || state.clients.iter().map(|(&conn, &it)| (conn, it));
        // Most of those that connect are done at once, and have little left to do.
        let busy = clients().filter(|(_, it)| !matches!(it, Handshake::Done | Handshake::Ended)).collect();
        let busy = if self.rng.u32(0..4) == 0 { None } else { self.pick(busy) };
        let (conn, handshake) = busy.or_else(|| self.pick(clients().collect()))?;
        let rng = &mut self.rng;
        match handshake {
            Handshake::Done | Handshake::Ended => match rng.u32(0..2) {
                0 => Some(Operation::Reset { conn }),
                _ if handshake == Handshake::Done => Some(Operation::Fin { conn }),
                _ => None,
            },
            Handshake::Cookie | Handshake::Fast => Some(match rng.u32(0..4) {
                0 => Operation::Reset { conn },
                1 => Operation::DataThenReset { conn },
                2 if handshake == Handshake::Fast => Operation::Fin { conn },
                _ => Operation::Data { conn },
            }),
            Handshake::Request { listens: true } => Some(match rng.u32(0..4) {
                0 => Operation::Reset { conn },
                1 => Operation::DataThenReset { conn },
                2 => Operation::Fin { conn },
                _ => Operation::Data { conn },
            }),
            Handshake::Request { listens: false } => Some(match rng.u32(0..2) {
                0 => Operation::Data { conn },
                _ => Operation::Fin { conn },
            }),
        }
    }

    fn sysctl(&mut self) -> Operation {
        match self.rng.u32(0..3) {
            0 => Operation::Syncookies { value: self.pick(vec![0, 1, 1, 1, 2]).unwrap_or(1) },
            1 => Operation::AbortOnOverflow { on: self.rng.bool() },
            _ => Operation::Cpu { cpu: self.rng.u32(0..self.cpus) },
        }
    }

    fn option(&mut self, listener: ListenerNumber) -> Option<Operation> {
        Some(match self.rng.u32(0..3) {
            0 => Operation::IncomingCpu { listener, cpu: self.rng.i32(-1..self.cpus as i32) },
            1 => Operation::Fastopen { listener, max_qlen: self.rng.u32(0..4) },
            _ => Operation::DeferAccept { listener, seconds: self.pick(vec![0, 0, 1, 5])? },
        })
    }

    fn program(&mut self, listener: ListenerNumber) -> Option<Operation> {
        let index = self.rng.u32(..ENTRIES);
        Some(match self.rng.u32(0..5) {
            0 => Operation::Detach { listener },
            1 if self.theme == Theme::Programs => Operation::Map { index, listener: None },
            1 | 2 => Operation::Map { index, listener: Some(listener) },
            _ => {
                let verdicts = vec![
                    Verdict::Pass,
                    Verdict::Drop,
                    Verdict::Select(index),
                    Verdict::Select(index),
                    Verdict::SelectOrDrop(index),
                ];
                let kinds = vec![ProgramKind::Select, ProgramKind::SelectOrMigrate, ProgramKind::None];
                let kind = self.pick(kinds)?;
                let verdict = if kind == ProgramKind::None { Verdict::Pass } else { self.pick(verdicts)? };
                Operation::Program { listener, kind, verdict }
            }
        })
    }
}
