//! One episode: the stack, and the embedder's side of it.

mod clients;
mod programs;
mod sockets;

use crate::error::Malformed;
use crate::trace::{
    COUNTERS, Conn, EpisodeStart, FIRST_COUNTERS, FORMAT, Header, ListenerNumber, Observation, Operation,
    Shown, Word,
};
use clients::Clients;
pub use clients::Handshake;
use rskq::counters::Snapshot;
use rskq::{
    AttachError, Config, Design, Here, ListenerId, MapError, MapFlag, Resources, SockError, Stack, Storage,
    Syncookies, Sysctl,
};
use sockets::Sockets;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::SocketAddr;

/// Room for many times what an episode needs. One that needs more shows as a divergence, with the stack's own
/// error.
struct Room {
    listeners: usize,
    requests: usize,
}

impl Room {
    /// Episodes of the first format have at most 60 operations; those of the second hundreds of listeners.
    fn of(format: &str) -> Self {
        if format == FORMAT {
            Self { listeners: 640, requests: 1024 }
        } else {
            Self { listeners: 24, requests: 64 }
        }
    }
}

const BUCKETS: usize = 16;
const EHASH: usize = 64;

/// What ships.
#[cfg(not(feature = "seeded"))]
pub(crate) type TestBackend = rskq::DefaultBackend;
#[cfg(feature = "seeded")]
pub(crate) type TestBackend = rskq::sync::seeded::Seeded<rskq::DefaultBackend>;

type TestStack = Stack<'static, Token, TestBackend>;
type Id = ListenerId<Token, TestBackend>;

/// What the stack holds for a connection: its place in the list of all that there were.
///
/// The client's port would not do: it may be used again while the connection before, which the
/// client aborted, still waits to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(usize);

/// An episode in the middle.
pub struct Episode {
    stack: TestStack,
    local: SocketAddr,
    here: Here,
    sockets: Sockets,
    clients: Clients,
    counted: Snapshot,
    /// The counters that are shown. One that the stack does not keep counts as never growing.
    shown: &'static [&'static str],
}

impl Episode {
    /// Begins with nothing but an address to listen at.
    #[must_use]
    pub fn new(header: &Header, start: EpisodeStart, design: Design) -> Self {
        let Room { listeners, requests } = Room::of(&header.format);
        let resources = Resources {
            listeners: Storage::boxed(listeners),
            requests: Storage::boxed(requests),
            owners: Storage::boxed(listeners),
            groups: Storage::boxed(listeners),
            socks: Storage::boxed(listeners * 64),
            ports: Storage::boxed(BUCKETS),
            buckets: Storage::boxed(BUCKETS),
            ehash: Storage::boxed(EHASH),
        };
        let sysctl = Sysctl {
            tcp_migrate_req: start.migrate_req,
            tcp_syncookies: syncookies(header.syncookies),
            somaxconn: header.somaxconn,
            tcp_synack_retries: header.synack_retries.into(),
            ..Sysctl::LINUX
        };
        Self {
            stack: Stack::new(resources, Config { sysctl, ..Config::with(design) })
                .with_programs(&programs::PROGRAMS, Storage::boxed(programs::ENTRIES as usize)),
            local: (header.address, header.port).into(),
            here: Here { cpu: header.cpu, now: 0 },
            sockets: Sockets::new(header.fastopen_charged),
            clients: Clients::default(),
            counted: Snapshot::default(),
            shown: if header.format == FORMAT { &COUNTERS } else { &COUNTERS[..FIRST_COUNTERS] },
        }
    }

    /// Returns the clients that believe that they are connected.
    pub fn clients(&self) -> impl Iterator<Item = (Conn, Handshake)> {
        self.clients.all(&self.stack)
    }

    /// Does one operation and looks at everything that a trace shows.
    ///
    /// # Errors
    ///
    /// If the operation names a listener or a client that is not there: then the trace contradicts
    /// itself, as everything before it was as the trace says.
    pub fn step(&mut self, operation: Operation) -> Result<Observation, Malformed> {
        let mut reset = Vec::new();
        let Self { stack, here, clients, sockets, .. } = self;
        let (stack, here) = (&*stack, *here);
        let result = match operation {
            Operation::Open(open) => sockets.open(stack, self.local, open)?,
            Operation::Listen { listener, backlog, picked } => {
                sockets.listen(stack, listener, backlog, picked)?
            }
            Operation::Shutdown { listener } => {
                let id = sockets.named(listener)?;
                match stack.shutdown(id, here) {
                    Ok(closing) => sockets.stop(stack, clients, here, closing, &mut reset),
                    Err(SockError::NotListening) => Shown::Word(Word::NotConnected),
                    Err(error) => failed(error),
                }
            }
            Operation::Close { listener } => {
                let id = sockets.named(listener)?;
                let closing = stack.close(id, here);
                let shown = closing
                    .map_or_else(failed, |closing| sockets.stop(stack, clients, here, closing, &mut reset));
                sockets.closed(listener);
                shown
            }
            Operation::Accept { listener } => self.accept(listener)?,
            Operation::Connect(connect) => clients.connect(stack, here, self.local, connect)?,
            Operation::Hold { listener, on } => {
                clients.hold(sockets.named(listener)?, on);
                Shown::Word(Word::Ok)
            }
            Operation::Data { conn } => clients.data(stack, here, conn, &mut reset)?,
            Operation::DataThenReset { conn } => clients.data_then_reset(stack, here, conn, &mut reset)?,
            Operation::Reset { conn } => clients.reset(stack, here, conn)?,
            Operation::Fin { conn } => clients.fin(stack, here, conn, &mut reset)?,
            Operation::MigrateReq { on } => {
                stack.set_migrate_req(on);
                Shown::Word(Word::Ok)
            }
            Operation::Syncookies { value } => {
                stack.set_sysctl(Sysctl { tcp_syncookies: syncookies(value), ..stack.sysctl() });
                Shown::Word(Word::Ok)
            }
            Operation::AbortOnOverflow { on } => {
                stack.set_sysctl(Sysctl { tcp_abort_on_overflow: on, ..stack.sysctl() });
                Shown::Word(Word::Ok)
            }
            Operation::Cpu { cpu } => {
                self.here.cpu = cpu;
                Shown::Word(Word::Ok)
            }
            Operation::Fastopen { listener, max_qlen } => sockets.set_fastopen(stack, listener, max_qlen)?,
            Operation::DeferAccept { listener, seconds } => {
                let set = stack.set_defer_accept(sockets.named(listener)?, clients::timeouts_in(seconds));
                set.map_or_else(failed, |()| Shown::Word(Word::Ok))
            }
            Operation::Timer {} => {
                // Nothing but this lets time pass.
                self.here.now = stack.next_deadline().unwrap_or(here.now);
                clients.timers(stack, self.here, &mut reset);
                Shown::Word(Word::Ok)
            }
            Operation::Program { listener, kind, verdict } => {
                let id = sockets.named(listener)?;
                let attached = match programs::id(kind, verdict) {
                    Some(program) => stack.attach_reuseport_prog(id, program),
                    // Where there is none, there is nothing to be done.
                    None => stack.detach_reuseport_prog(id).or_else(|error| match error {
                        AttachError::NotFound => Ok(()),
                        error => Err(error),
                    }),
                };
                attached.map_or_else(attach_failed, |()| Shown::Word(Word::Ok))
            }
            Operation::Detach { listener } => {
                let detached = stack.detach_reuseport_prog(sockets.named(listener)?);
                detached.map_or_else(attach_failed, |()| Shown::Word(Word::Ok))
            }
            Operation::IncomingCpu { listener, cpu } => {
                let set = stack.set_incoming_cpu(sockets.named(listener)?, u32::try_from(cpu).ok());
                set.map_or_else(failed, |()| Shown::Word(Word::Ok))
            }
            Operation::Map { index, listener } => {
                let changed = match listener {
                    Some(listener) => stack.map_update(index, sockets.named(listener)?, MapFlag::Any),
                    None => stack.map_delete(index),
                };
                changed.map_or_else(map_failed, |()| Shown::Word(Word::Ok))
            }
        };
        reset.sort_unstable();
        Ok(Observation { result, counters: self.grown(), listeners: self.sockets.shown(&self.stack), reset })
    }

    fn accept(&mut self, listener: ListenerNumber) -> Result<Shown, Malformed> {
        Ok(match self.stack.accept(self.sockets.named(listener)?) {
            Ok(Some(token)) => self.clients.accepted(&self.stack, self.here, token),
            Ok(None) => Shown::Word(Word::Again),
            Err(SockError::NotListening) => Shown::Word(Word::Invalid),
            Err(error) => failed(error),
        })
    }

    /// One that the stack does not keep counts as never growing.
    fn grown(&mut self) -> BTreeMap<String, u32> {
        let before = std::mem::replace(&mut self.counted, self.stack.counters());
        self.counted
            .iter()
            .zip(before.iter())
            .map(|((name, now), (_, before))| (name, now.wrapping_sub(before)))
            .filter(|(name, by)| *by != 0 && self.shown.contains(name))
            .map(|(name, by)| (name.to_owned(), by))
            .collect()
    }
}

fn syncookies(value: u8) -> Syncookies {
    match value {
        0 => Syncookies::Never,
        1 => Syncookies::WhenFull,
        _ => Syncookies::Always,
    }
}

fn attach_failed(error: AttachError) -> Shown {
    match error {
        AttachError::Invalid => Shown::Word(Word::Invalid),
        AttachError::NotFound => Shown::Word(Word::NotFound),
        error => failed(error),
    }
}

fn map_failed(error: MapError) -> Shown {
    match error {
        MapError::Invalid => Shown::Word(Word::Invalid),
        MapError::NotFound => Shown::Word(Word::NotFound),
        MapError::Busy => Shown::Word(Word::Busy),
        MapError::Exists => Shown::Word(Word::Exists),
        MapError::NoSuchIndex => Shown::Word(Word::TooBig),
        error => failed(error),
    }
}

fn failed(error: impl Debug) -> Shown {
    Shown::Failed { error: format!("{error:?}") }
}
