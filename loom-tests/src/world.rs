//! A stack in a model, its listeners and connections, and the books that the observer compares it
//! with.

use crate::scenario::{L, Op, Scenario};
use rskq::sync::ModelBackend;
use rskq::sync::model;
use rskq::{
    Arrival, Config, Delivered, Design, Hashes, ListenerId, Outcome, Refusal, Resources, Stack, Storage,
};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};

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
}

/// A stack, its listeners, and the books.
pub struct World<B: ModelBackend> {
    /// The stack under test.
    pub stack: Stack<'static, Connection, B>,
    /// The scenario.
    pub scenario: Scenario,
    ids: Vec<ListenerId<Connection, B>>,
    books: Mutex<Books>,
}

const BACKLOG: u32 = 8;

impl<B: ModelBackend> World<B> {
    /// Opens the scenario's listeners. No connection waits yet.
    #[must_use]
    pub fn new(scenario: Scenario, design: Design) -> Self {
        let listeners = scenario.listeners as usize;
        let resources = Resources {
            listeners: Storage::boxed(listeners),
            // A clone is made before the original is let go of.
            requests: Storage::boxed(scenario.connections() + 2),
            owners: Storage::boxed(listeners),
            // A group can be left to its closed members once for each listener that comes back.
            groups: Storage::boxed(2),
            socks: Storage::boxed(2 * listeners),
            buckets: Storage::boxed(1),
        };
        let stack = Stack::new(resources, Config { design, migrate_req: true });
        let ids = (0..listeners)
            .map(|_| stack.listen(local(), BACKLOG, true).expect("there is room for each listener"))
            .collect();
        let books = Books {
            stopped: vec![false; listeners],
            queues: vec![Vec::new(); listeners],
            seats: vec![None; scenario.connections()],
            ..Books::default()
        };
        Self { stack, scenario, ids, books: Mutex::new(books) }
    }

    /// Makes the world of one execution, with `look` at every step from the beginning, and the
    /// connections that wait. Between [`model::begin`] and the threads.
    #[must_use]
    pub fn staged(scenario: Scenario, design: Design, look: fn(&Self)) -> Arc<Self> {
        let world = Arc::new(Self::new(scenario, design));
        let observed = Arc::clone(&world);
        model::observe(Rc::new(move || look(&observed)));
        for (connection, &listener) in (0..).zip(scenario.waiting) {
            world.deliver(connection, listener);
        }
        world
    }

    /// Returns what became of every connection: equal for executions that differ only in order.
    #[must_use]
    pub fn outcome(&self) -> String {
        let books = self.books();
        let mut fates = books.fates.clone();
        fates.sort_by_key(|(connection, _)| *connection);
        format!("{fates:?} {:?}", books.queues)
    }

    /// Opens the books. Never held across an operation on the stack.
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("nobody panics with the books open")
    }

    fn hashes_of(&self, listener: L) -> Hashes {
        // The middle of the listener's part of the hash space, while all listen.
        let part = (1u64 << 32) / u64::from(self.scenario.listeners);
        let hash = (u64::from(listener) * part + part / 2) as u32;
        Hashes { syn_hash: hash, sk_hash: hash }
    }

    /// Delivers a connection whose hash falls on `listener`.
    pub fn deliver(&self, connection: Connection, listener: L) {
        model::op("deliver", Some(listener), Some(connection));
        let arrival = Arrival { local: local(), hashes: self.hashes_of(listener) };
        match self.stack.deliver(arrival, connection) {
            Ok(Delivered { wake, .. }) => self.wake(wake),
            Err(refused) => self.books().fates.push((refused.child, Fate::Refused(refused.why))),
        }
    }

    fn wake(&self, wake: Option<rskq::Wake<Connection, B>>) {
        if let Some(wake) = wake {
            let listener = wake.listener().index();
            model::op("data_ready", Some(listener), None);
            self.books().wakes.push((listener, model::now()));
        }
    }

    fn accept(&self, listener: L) {
        model::op("accept", Some(listener), None);
        if let Ok(Some(connection)) = self.stack.accept(self.ids[listener as usize]) {
            model::op("accepted", Some(listener), Some(connection));
            self.books().fates.push((connection, Fate::Accepted(listener)));
        }
    }

    fn stop(&self, listener: L, close: bool) {
        model::op(if close { "close" } else { "shutdown" }, Some(listener), None);
        let id = self.ids[listener as usize];
        let steps = if close { self.stack.close(id) } else { self.stack.shutdown(id) };
        for outcome in steps.expect("each listener is stopped by one thread") {
            match outcome {
                Outcome::Moved { wake, .. } => self.wake(wake),
                Outcome::Spliced { .. } => {}
                Outcome::Aborted(connection) => {
                    model::op("reset", Some(listener), Some(connection));
                    self.books().fates.push((connection, Fate::Aborted));
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
            .listen_again(self.ids[listener as usize], BACKLOG)
            .expect("a listener that was shut down can listen again");
    }

    /// Runs thread `thread` of the scenario, counted from 0.
    pub fn run(&self, thread: usize) {
        let deliveries = |ops: &[Op]| ops.iter().filter(|op| matches!(op, Op::Deliver(_))).count();
        let earlier: usize = self.scenario.threads[..thread].iter().map(|ops| deliveries(ops)).sum();
        let mut next = (self.scenario.waiting.len() + earlier) as Connection;
        for op in self.scenario.threads[thread] {
            match *op {
                Op::Close(listener) => self.stop(listener, true),
                Op::Shutdown(listener) => self.stop(listener, false),
                Op::ListenAgain(listener) => self.listen_again(listener),
                Op::Accept(listener) => self.accept(listener),
                Op::Deliver(listener) => {
                    self.deliver(next, listener);
                    next += 1;
                }
            }
        }
    }
}

fn local() -> std::net::SocketAddr {
    std::net::SocketAddr::from(([127, 0, 0, 1], 80))
}
