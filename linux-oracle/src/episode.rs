//! One episode: the stack, and the embedder's side of it.

use crate::error::Malformed;
use crate::trace::{
    COUNTERS, ChildState, Conn, Connect, Descriptor, EpisodeStart, FIRST_COUNTERS, ListenerNumber,
    Observation, Open, Operation, Shown, Shut, Word,
};
use rskq::counters::Snapshot;
use rskq::{
    Arrival, Closing, Config, DefaultBackend, Delivered, Design, Hashes, Here, ListenerId, Member, Outcome,
    Refusal, Refused, Resources, SockError, Stack, Storage, Sysctl, Tuple,
};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{Ipv4Addr, SocketAddr};

// Room for many times what a recorded episode needs. One that needs more shows as a divergence, with
// the stack's own error.
const LISTENERS: usize = 256;
const REQUESTS: usize = 1024;
const GROUPS: usize = 64;
const BUCKETS: usize = 16;

/// Nothing depends on either yet.
const HERE: Here = Here { cpu: 0, now: 0 };

type Id = ListenerId<Token, DefaultBackend>;

/// An episode in the middle.
pub struct Episode {
    stack: Stack<'static, Token, DefaultBackend>,
    local: SocketAddr,
    descriptors: BTreeMap<ListenerNumber, Id>,
    /// Every connection that there was. The stack never looks into one, so its state is ours.
    connections: Vec<Connection>,
    /// The clients that are connected. One that aborted is not, though its connection may wait on.
    clients: BTreeMap<Conn, Token>,
    counted: Snapshot,
}

/// What the stack holds for a connection: its place in [`Episode::connections`].
///
/// The client's port would not do: it may be used again while the connection before, which the
/// client aborted, still waits to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token(usize);

struct Connection {
    conn: Conn,
    state: ChildState,
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was done, and this is what it showed.
    Done(Observation),
    /// It needs what the stack does not have. Nothing was done, and nothing after it can be.
    OutOfScope(OutOfScope),
}

/// What the stack does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OutOfScope {
    /// Half-open requests.
    Hold,
    /// Selection programs.
    Program,
    /// Selection by CPU.
    IncomingCpu,
    /// What only the second format has.
    NotYet,
}

impl Episode {
    /// Begins with nothing but an address to listen at.
    #[must_use]
    pub fn new(start: EpisodeStart, local: SocketAddr, design: Design) -> Self {
        let resources = Resources {
            listeners: Storage::boxed(LISTENERS),
            requests: Storage::boxed(REQUESTS),
            owners: Storage::boxed(LISTENERS),
            groups: Storage::boxed(GROUPS),
            socks: Storage::boxed(GROUPS * Member::<DefaultBackend>::count_for(LISTENERS as u32)),
            buckets: Storage::boxed(BUCKETS),
            // Connections arrive with their handshakes done.
            ehash: Storage::boxed(0),
        };
        Self {
            stack: Stack::new(
                resources,
                Config {
                    sysctl: Sysctl { tcp_migrate_req: start.migrate_req, ..Sysctl::LINUX },
                    ..Config::with(design)
                },
            ),
            local,
            descriptors: BTreeMap::new(),
            connections: Vec::new(),
            clients: BTreeMap::new(),
            counted: Snapshot::default(),
        }
    }

    /// Does one operation and looks at everything that a trace shows.
    ///
    /// # Errors
    ///
    /// If the operation names a listener or a client that is not there: then the trace contradicts
    /// itself, as everything before it was as the trace says.
    pub fn step(&mut self, operation: Operation) -> Result<Step, Malformed> {
        let mut reset = Vec::new();
        let result = match operation {
            Operation::Open(open) if open == Open::new(open.listener, open.backlog) => {
                self.open(open.listener, open.backlog)?
            }
            Operation::Listen { listener, backlog, picked: None } => {
                let again = self.stack.listen(self.descriptor(listener)?, backlog);
                again.map_or_else(failed, |()| Shown::Word(Word::Ok))
            }
            Operation::Shutdown { listener } => {
                let closing = self.stack.shutdown(self.descriptor(listener)?, HERE);
                closing.map_or_else(failed, |closing| take_steps(closing, &mut reset))
            }
            Operation::Close { listener } => {
                let id = self.descriptor(listener)?;
                self.descriptors.remove(&listener);
                self.stack.close(id, HERE).map_or_else(failed, |closing| take_steps(closing, &mut reset))
            }
            Operation::Accept { listener } => self.accept(listener)?,
            Operation::Connect(Connect {
                conn,
                syn_hash,
                sk_hash,
                address: None,
                port: None,
                fast: false,
            }) => self.connect(conn, Hashes { syn_hash, sk_hash })?,
            Operation::Reset { conn } => self.client(conn, ChildState::Reset)?,
            Operation::Fin { conn } => self.client(conn, ChildState::PeerClosed)?,
            Operation::MigrateReq { on } => {
                self.stack.set_migrate_req(on);
                Shown::Word(Word::Ok)
            }
            Operation::Data { conn } | Operation::DataThenReset { conn } => {
                return Err(Malformed::NotHalfOpen(conn));
            }
            Operation::Hold { .. } => return Ok(Step::OutOfScope(OutOfScope::Hold)),
            Operation::Program { .. } => return Ok(Step::OutOfScope(OutOfScope::Program)),
            Operation::IncomingCpu { .. } => return Ok(Step::OutOfScope(OutOfScope::IncomingCpu)),
            Operation::Open(_)
            | Operation::Listen { .. }
            | Operation::Connect(_)
            | Operation::Syncookies { .. }
            | Operation::AbortOnOverflow { .. }
            | Operation::Cpu { .. }
            | Operation::Fastopen { .. }
            | Operation::DeferAccept { .. }
            | Operation::Detach { .. }
            | Operation::Map { .. }
            | Operation::Timer {} => return Ok(Step::OutOfScope(OutOfScope::NotYet)),
        };
        Ok(Step::Done(Observation {
            result,
            counters: self.grown(),
            listeners: self.listeners(),
            reset: self.reset(&reset),
        }))
    }

    fn open(&mut self, listener: ListenerNumber, backlog: u32) -> Result<Shown, Malformed> {
        if self.descriptors.contains_key(&listener) {
            return Err(Malformed::ListenerOpen(listener));
        }
        Ok(match self.stack.listen_at(self.local, backlog, true) {
            Ok(id) => {
                self.descriptors.insert(listener, id);
                Shown::Word(Word::Ok)
            }
            Err(error) => failed(error),
        })
    }

    fn connect(&mut self, conn: Conn, hashes: Hashes) -> Result<Shown, Malformed> {
        if self.clients.contains_key(&conn) {
            return Err(Malformed::ClientConnected(conn));
        }
        let token = Token(self.connections.len());
        // Which client it is shows in the hashes alone.
        let tuple = Tuple { local: self.local, remote: (Ipv4Addr::LOCALHOST, conn).into() };
        Ok(match self.stack.deliver(Arrival { tuple, hashes }, HERE, token) {
            // Nobody sleeps in accept here, so the wake-up is for nobody.
            Ok(Delivered { .. }) => {
                self.connections.push(Connection { conn, state: ChildState::Established });
                self.clients.insert(conn, token);
                Shown::Word(Word::Established)
            }
            Err(Refused { why: Refusal::NoListener, .. }) => Shown::Word(Word::Refused),
            Err(Refused { why: Refusal::AcceptQueueFull, .. }) => Shown::Word(Word::Dropped),
            Err(Refused { why, .. }) => failed(why),
        })
    }

    fn accept(&mut self, listener: ListenerNumber) -> Result<Shown, Malformed> {
        Ok(match self.stack.accept(self.descriptor(listener)?) {
            Ok(Some(token)) => {
                // Aborted at once, by the server: not one of the resets that a trace lists.
                self.disconnect(token);
                let Connection { conn, state } = self.connections[token.0];
                Shown::Accepted { accepted: conn, child: state }
            }
            Ok(None) => Shown::Word(Word::Again),
            Err(SockError::NotListening) => Shown::Word(Word::Invalid),
            Err(error) => failed(error),
        })
    }

    /// The client of a connection does something that only changes the connection's state.
    fn client(&mut self, conn: Conn, state: ChildState) -> Result<Shown, Malformed> {
        let token = *self.clients.get(&conn).ok_or(Malformed::NoClient(conn))?;
        self.connections[token.0].state = state;
        if state == ChildState::Reset {
            self.clients.remove(&conn);
        }
        Ok(Shown::Word(Word::Ok))
    }

    /// Resets the clients of aborted connections; returns those that are there to see it, sorted.
    fn reset(&mut self, aborted: &[Token]) -> Vec<Conn> {
        let mut seen: Vec<Conn> = aborted.iter().filter_map(|&token| self.disconnect(token)).collect();
        seen.sort_unstable();
        seen
    }

    /// Returns the client of a connection, if it was connected until now.
    fn disconnect(&mut self, token: Token) -> Option<Conn> {
        let Connection { conn, state: _ } = self.connections[token.0];
        if self.clients.get(&conn) != Some(&token) {
            return None;
        }
        self.clients.remove(&conn);
        Some(conn)
    }

    fn descriptor(&self, listener: ListenerNumber) -> Result<Id, Malformed> {
        self.descriptors.get(&listener).copied().ok_or(Malformed::NoListener(listener))
    }

    /// One that the stack does not keep counts as never growing.
    fn grown(&mut self) -> BTreeMap<String, u32> {
        let shown = &COUNTERS[..FIRST_COUNTERS];
        let before = std::mem::replace(&mut self.counted, self.stack.counters());
        self.counted
            .iter()
            .zip(before.iter())
            .map(|((name, now), (_, before))| (name, now.wrapping_sub(before)))
            .filter(|(name, by)| *by != 0 && shown.contains(name))
            .map(|(name, by)| (name.to_owned(), by))
            .collect()
    }

    /// What every descriptor shows. One that is open and stale for the stack is missing here.
    fn listeners(&self) -> BTreeMap<ListenerNumber, Descriptor> {
        let shown = |id| match self.stack.queue_len(id) {
            Ok((queued, backlog)) => Some(Descriptor::Listening(queued, backlog)),
            Err(SockError::NotListening) => Some(Descriptor::Shut(Shut::Shut)),
            Err(_) => None,
        };
        self.descriptors.iter().filter_map(|(&listener, &id)| Some((listener, shown(id)?))).collect()
    }
}

/// Lets a listener stop to the end, and collects what nobody took.
fn take_steps(closing: Closing<'_, 'static, Token, DefaultBackend>, aborted: &mut Vec<Token>) -> Shown {
    for outcome in closing {
        match outcome {
            Outcome::Moved { .. } | Outcome::Spliced { .. } | Outcome::HandedOver { .. } => {}
            Outcome::Aborted(token) => aborted.push(token),
        }
    }
    Shown::Word(Word::Ok)
}

fn failed(error: impl Debug) -> Shown {
    Shown::Failed { error: format!("{error:?}") }
}
