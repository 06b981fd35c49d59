//! A stack in a model, its listeners and connections, and the books that the observer compares it
//! with.

use crate::scenario::{L, Op, Scenario};
use rskq::request::RequestId;
use rskq::sync::ModelBackend;
use rskq::sync::model;
use rskq::{
    Arrival, Config, Delivered, Design, HandshakeEnd, Hashes, Here, ListenerId, Member, Outcome, Payload,
    Refusal, Refused, Resources, SockError, Stack, Storage, Syn, SynAckTimer, Tuple,
};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};

/// Where and when nothing depends on either.
pub const HERE: Here = Here { cpu: 0, now: 0 };

/// A connection, by the order in which it comes into being.
pub type Connection = u32;

/// What became of a connection that is in no queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Accepted from the listener.
    Accepted(L),
    /// Given up by a listener that closed.
    Aborted,
    /// Never queued.
    Refused(Refusal),
    /// Answered with a cookie: nothing is remembered.
    Cookie,
    /// Given up half open, since its listener had left.
    Dropped,
    /// Given up half open, since nobody answered.
    Expired,
    /// Reset by its client, half open.
    Reset,
}

/// A queue gained a connection.
#[derive(Clone, Copy, Debug)]
pub struct Gain {
    /// The connection.
    pub connection: Connection,
    /// The listener.
    pub listener: L,
    /// When: how long the interleaving was.
    pub at: usize,
}

/// What happened so far, kept apart from the stack.
#[derive(Debug, Default)]
pub struct Books {
    /// The fate of each connection that is out of the stack. More than one entry is a fault.
    pub fates: Vec<(Connection, Fate)>,
    /// Every gain that the observer saw.
    pub gains: Vec<Gain>,
    /// Every wake-up: the listener and when.
    pub wakes: Vec<(L, usize)>,
    /// Whether the last step of a listener's shutdown or close was taken.
    pub stopped: Vec<bool>,
    /// What the observer saw in each queue last, oldest first.
    pub queues: Vec<Vec<Connection>>,
    /// Where a connection was queued last, and as which of that queue's arrivals.
    pub seats: Vec<Option<(L, usize)>>,
    /// How many arrivals there were.
    pub arrivals: usize,
    /// Which connections came into being.
    pub begun: Vec<bool>,
    /// The listeners whose closers dealt with connections one by one, once for each.
    pub one_by_one: Vec<L>,
    /// How many threads are dealing with timers that are due.
    pub timing_out: usize,
    /// Whether a look-up found each connection last: half open, or its child. `None` before it ever did.
    pub found: Vec<Option<bool>>,
}

/// A stack, its listeners, and the books.
pub struct World<B: ModelBackend> {
    /// The stack under test.
    pub stack: Stack<'static, Connection, B>,
    /// The scenario.
    pub scenario: Scenario,
    ids: Vec<ListenerId<Connection, B>>,
    /// The requests of half-open and fast-open connections.
    requests: Mutex<Vec<Option<RequestId<Connection, B>>>>,
    books: Mutex<Books>,
}

impl<B: ModelBackend> World<B> {
    /// Opens the scenario's listeners. There are no connections yet.
    #[must_use]
    pub fn new(scenario: Scenario, design: Design) -> Self {
        let listeners = scenario.listeners as usize;
        let connections = scenario.connections();
        let groups = 1 + scenario.spare_groups as usize;
        let resources = Resources {
            listeners: Storage::boxed(listeners),
            // A clone is made before the original is let go of, and a duplicate SYN's request after.
            requests: Storage::boxed(connections + 2),
            owners: Storage::boxed(listeners + scenario.spare_owners as usize),
            groups: Storage::boxed(groups),
            socks: Storage::boxed(groups * Member::<B>::count_for(scenario.listeners)),
            ports: Storage::boxed(1),
            buckets: Storage::boxed(1),
            ehash: Storage::boxed(1),
        };
        let stack = Stack::new(resources, Config { timers: scenario.timers, ..Config::migrating(design) });
        stack.set_picker(scenario.picker);
        let ids: Vec<_> = (0..listeners)
            .map(|_| {
                stack.listen_at(local(), scenario.backlog, true).expect("there is room for each listener")
            })
            .collect();
        if scenario.has_fast_open() {
            for &id in &ids {
                stack.set_fastopen(id, scenario.fastopen).expect("every listener listens");
            }
        }
        for &id in ids.iter().filter(|_| scenario.defer_accept > 0) {
            stack.set_defer_accept(id, scenario.defer_accept).expect("every listener is open");
        }
        let books = Books {
            stopped: vec![false; listeners],
            queues: vec![Vec::new(); listeners],
            seats: vec![None; connections],
            begun: vec![false; connections],
            found: vec![None; connections],
            ..Books::default()
        };
        Self { stack, scenario, ids, requests: Mutex::new(vec![None; connections]), books: Mutex::new(books) }
    }

    /// Makes the world of one execution, with `look` at every step from the beginning, and what happens
    /// before the threads begin. Between [`model::begin`] and the threads.
    #[must_use]
    pub fn staged(scenario: Scenario, design: Design, look: fn(&Self)) -> Arc<Self> {
        let world = Arc::new(Self::new(scenario, design));
        let observed = Arc::clone(&world);
        model::observe(Rc::new(move || look(&observed)));
        world.run_all(scenario.before);
        world
    }

    /// Returns what became of every connection: equal for executions that differ only in order.
    #[must_use]
    pub fn outcome(&self) -> String {
        let books = self.books();
        let mut fates = books.fates.clone();
        // Two fates of one connection are a fault whichever was noted first, which no model decides: the
        // books are no part of it.
        let by_name = |one: &Fate, other: &Fate| format!("{one:?}").cmp(&format!("{other:?}"));
        fates.sort_by(|(c, one), (d, other)| c.cmp(d).then_with(|| by_name(one, other)));
        format!("{fates:?} {:?}", books.queues)
    }

    /// Opens the books. Never held across an operation on the stack.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("nobody panics with the books open")
    }

    /// Runs thread `thread` of the scenario, counted from 0.
    pub fn run(&self, thread: usize) {
        self.run_all(self.scenario.threads[thread]);
    }

    /// Does one operation after the other.
    pub fn run_all(&self, ops: &[Op]) {
        for &op in ops {
            match op {
                Op::Close(listener) => self.stop(listener, true),
                Op::Shutdown(listener) => self.stop(listener, false),
                Op::ListenAgain(listener) => self.listen_again(listener),
                Op::Accept(listener) => self.accept(listener),
                Op::Deliver(connection, listener) => self.deliver(connection, listener),
                Op::Syn(connection, listener) => self.syn(connection, listener),
                Op::Ack(connection) => self.ack(connection, Payload::None),
                Op::AckData(connection) => self.ack(connection, Payload::Data),
                Op::Timer(connection) => self.timer(connection),
                Op::Poll => self.poll(),
                Op::Reset(connection) => self.reset(connection),
                Op::SynFast(connection, listener) => self.syn_fast(connection, listener),
                Op::Done(connection) => self.handshake_end(connection, HandshakeEnd::Done),
                Op::ResetFast(connection) => self.handshake_end(connection, HandshakeEnd::Reset),
                Op::Migrate(on) => {
                    model::op(if on { "tcp_migrate_req=1" } else { "tcp_migrate_req=0" }, None, None);
                    self.stack.set_migrate_req(on);
                }
                Op::Program(program) => {
                    model::op("program", None, None);
                    self.stack.set_program(program);
                }
            }
        }
    }

    /// Returns the connection's ends and its hashes, which fall on `listener` while all listen.
    fn arrival(&self, connection: Connection, listener: L) -> Arrival {
        self.books().begun[connection as usize] = true;
        // The middle of the listener's part of the hash space.
        let part = (1u64 << 32) / u64::from(self.scenario.listeners);
        let hash = (u64::from(listener) * part + part / 2) as u32;
        Arrival { tuple: tuple(connection), hashes: Hashes { syn_hash: hash, sk_hash: hash } }
    }

    fn fate(&self, connection: Connection, fate: Fate) {
        self.books().fates.push((connection, fate));
    }

    fn request(&self, connection: Connection) -> Option<RequestId<Connection, B>> {
        self.requests.lock().expect("nobody panics with it")[connection as usize]
    }

    fn note_request(&self, connection: Connection, id: RequestId<Connection, B>) {
        self.requests.lock().expect("nobody panics with it")[connection as usize] = Some(id);
    }

    fn wake(&self, wake: Option<rskq::Wake<Connection, B>>) {
        if let Some(wake) = wake {
            let listener = wake.listener().index();
            model::op("data_ready", Some(listener), None);
            self.books().wakes.push((listener, model::now()));
        }
    }

    fn deliver(&self, connection: Connection, listener: L) {
        model::op("deliver", Some(listener), Some(connection));
        match self.stack.deliver(self.arrival(connection, listener), HERE, connection) {
            Ok(Delivered { wake, .. }) => self.wake(wake),
            Err(refused) => self.fate(refused.child, Fate::Refused(refused.why)),
        }
    }

    fn syn(&self, connection: Connection, listener: L) {
        model::op("SYN", Some(listener), Some(connection));
        match self.stack.syn(self.arrival(connection, listener), HERE) {
            Ok(Syn::New { request, .. }) => self.note_request(connection, request),
            Ok(Syn::Duplicate(_)) => {}
            Ok(Syn::Cookie(_)) => self.fate(connection, Fate::Cookie),
            Err(why) => self.fate(connection, Fate::Refused(why)),
        }
    }

    fn ack(&self, connection: Connection, payload: Payload) {
        model::op(if payload == Payload::None { "ACK" } else { "ACK with data" }, None, Some(connection));
        match self.stack.ack(&tuple(connection), payload, HERE, connection) {
            Ok(Delivered { wake, .. }) => self.wake(wake),
            // Somebody else dealt with it, which the end shows; or it stays half open.
            Err(Refused {
                why: Refusal::NoRequest | Refusal::AcceptQueueFull | Refusal::Deferred, ..
            }) => {}
            Err(refused) => self.fate(refused.child, Fate::Refused(refused.why)),
        }
    }

    fn timer(&self, connection: Connection) {
        let Some(id) = self.request(connection) else { return };
        model::op("timer", None, Some(connection));
        let went_off = if self.stack.is_posted() {
            self.stack.synack_timer_of(&tuple(connection), 1)
        } else {
            self.stack.synack_timer(id, 1, HERE)
        };
        if let Ok(outcome) = went_off {
            self.went_off(connection, outcome);
        }
    }

    fn poll(&self) {
        model::op("poll", None, None);
        self.books().timing_out += 1;
        let due = self.stack.poll(Here { now: 1_000, ..HERE });
        self.books().timing_out -= 1;
        let Some(due) = due else { return };
        let of = |&connection: &Connection| tuple(connection) == due.tuple;
        let Some(connection) = (0..self.scenario.connections() as Connection).find(of) else { return };
        self.went_off(connection, due.outcome);
    }

    fn went_off(&self, connection: Connection, outcome: SynAckTimer) {
        match outcome {
            SynAckTimer::Dropped => self.fate(connection, Fate::Dropped),
            SynAckTimer::Expired => self.fate(connection, Fate::Expired),
            SynAckTimer::Retransmit { .. } | SynAckTimer::Wait { .. } => {}
        }
    }

    fn reset(&self, connection: Connection) {
        model::op("RST", None, Some(connection));
        if self.stack.reset(&tuple(connection)).is_ok() {
            self.fate(connection, Fate::Reset);
        }
    }

    fn syn_fast(&self, connection: Connection, listener: L) {
        model::op("SYN with data", Some(listener), Some(connection));
        match self.stack.syn_fastopen(self.arrival(connection, listener), HERE, connection) {
            Ok(opened) => {
                self.note_request(connection, opened.handshake);
                self.wake(opened.delivered.wake);
            }
            Err(refused) => self.fate(refused.child, Fate::Refused(refused.why)),
        }
    }

    fn handshake_end(&self, connection: Connection, end: HandshakeEnd) {
        let Some(id) = self.request(connection) else { return };
        let verb = if end == HandshakeEnd::Done { "handshake ends" } else { "RST" };
        model::op(verb, None, Some(connection));
        // Somebody else may have ended it.
        let _ = self.end_handshake(connection, id, end);
    }

    fn end_handshake(
        &self,
        connection: Connection,
        id: RequestId<Connection, B>,
        end: HandshakeEnd,
    ) -> Result<(), SockError> {
        // The child may name another request by now.
        if self.stack.is_posted() {
            self.stack.fastopen_remove_of(&tuple(connection), end, HERE)
        } else {
            self.stack.fastopen_remove(id, end, HERE)
        }
    }

    fn accept(&self, listener: L) {
        model::op("accept", Some(listener), None);
        if let Ok(Some(connection)) = self.stack.accept(self.ids[listener as usize]) {
            model::op("accepted", Some(listener), Some(connection));
            self.fate(connection, Fate::Accepted(listener));
        }
    }

    fn stop(&self, listener: L, close: bool) {
        model::op(if close { "close" } else { "shutdown" }, Some(listener), None);
        let id = self.ids[listener as usize];
        let steps = if close { self.stack.close(id, HERE) } else { self.stack.shutdown(id, HERE) };
        for outcome in steps.expect("each listener is stopped by one thread") {
            match outcome {
                Outcome::Moved { wake, .. } => {
                    self.books().one_by_one.push(listener);
                    self.wake(wake);
                }
                Outcome::HandedOver { wake, .. } => self.wake(wake),
                Outcome::Spliced { .. } => {}
                Outcome::Aborted(connection) => {
                    model::op("reset", Some(listener), Some(connection));
                    self.books().one_by_one.push(listener);
                    // What is given up has no handshake that could end.
                    if let Some(id) = self.request(connection) {
                        let _ = self.end_handshake(connection, id, HandshakeEnd::Done);
                    }
                    self.fate(connection, Fate::Aborted);
                }
            }
        }
        model::op("stopped", Some(listener), None);
        self.books().stopped[listener as usize] = true;
    }

    fn listen_again(&self, listener: L) {
        model::op("listen", Some(listener), None);
        self.books().stopped[listener as usize] = false;
        self.stack
            .listen(self.ids[listener as usize], self.scenario.backlog)
            .expect("a listener that was shut down can listen again");
    }

    /// Ends every connection: accepts what waits, resets what is half open, ends fast-open handshakes.
    pub fn end_all(&self) {
        for (&id, listener) in self.ids.iter().zip(0..) {
            while let Ok(Some(connection)) = self.stack.accept(id) {
                self.fate(connection, Fate::Accepted(listener));
            }
        }
        for connection in 0..self.scenario.connections() as Connection {
            let _ = self.stack.reset(&tuple(connection));
            if let Some(id) = self.request(connection) {
                let _ = self.end_handshake(connection, id, HandshakeEnd::Done);
            }
        }
        for &id in &self.ids {
            while let Ok(true) = self.stack.evict_reset(id) {}
        }
    }
}

/// Returns the ends of a connection.
#[must_use]
pub fn tuple(connection: Connection) -> Tuple {
    let remote = SocketAddr::from(([127, 0, 0, 2], 1000 + connection as u16));
    Tuple { local: local(), remote }
}

fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 80))
}
