//! The life of an owner: the last request of a listener that closed.

use crate::{Race, expect, outcome, threads};
use loom_tests::world::HERE;
use rskq::request::{Link, RequestState};
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use rskq::sync::{Backend, Fault, ModelBackend};
use rskq::{
    Arrival, Config, Delivered, Design, Hashes, ListenError, ListenerId, Member, Outcome, Program, Refused,
    Resources, Stack, Storage, Tuple,
};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// The memory of a small stack.
#[derive(Clone, Copy)]
pub(crate) struct Small {
    pub(crate) listeners: usize,
    pub(crate) requests: usize,
    /// Most members of a group.
    pub(crate) max_socks: u32,
    /// Chunks for the `socks[]` of both groups.
    pub(crate) chunks: usize,
    /// Buckets of the established table.
    pub(crate) ehash: usize,
    /// What may be attached to the groups, and the entries of the map that it selects from.
    pub(crate) programs: (&'static [&'static dyn Program], usize),
}

impl Small {
    /// Room for each listener in its group, and one bucket.
    pub(crate) const fn new(listeners: usize, requests: usize) -> Self {
        // Enough for any two groups of so many.
        Self {
            listeners,
            requests,
            max_socks: listeners as u32,
            chunks: 2 * listeners,
            ehash: 1,
            programs: (&[], 0),
        }
    }
}

/// A stack with its listeners, and the connections that came out of it.
pub(crate) struct Pot<B: Backend> {
    pub(crate) stack: Stack<'static, u32, B>,
    pub(crate) ids: Vec<ListenerId<u32, B>>,
    more: Mutex<Vec<ListenerId<u32, B>>>,
    out: Mutex<Vec<u32>>,
    memory: Small,
}

const BACKLOG: u32 = 4;

/// The port of the listeners that a stack begins with.
pub(crate) const PORT: u16 = 80;

pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Returns the ends of a connection to [`PORT`].
pub(crate) fn tuple(connection: u32) -> Tuple {
    Tuple { local: local(PORT), remote: SocketAddr::from(([127, 0, 0, 2], connection as u16)) }
}

pub(crate) fn arrival(connection: u32, hash: u32) -> Arrival {
    Arrival { tuple: tuple(connection), hashes: Hashes { syn_hash: hash, sk_hash: hash } }
}

impl<B: Backend> Pot<B> {
    /// Opens the first `listening` listeners.
    pub(crate) fn new(memory: Small, listening: usize, design: Design) -> Arc<Self> {
        let Small { listeners, requests, max_socks, chunks, ehash, programs: (programs, entries) } = memory;
        let resources = Resources {
            listeners: Storage::boxed(listeners),
            requests: Storage::boxed(requests),
            owners: Storage::boxed(listeners),
            groups: Storage::boxed(2),
            socks: Storage::boxed(chunks * Member::<B>::count_for(1)),
            ports: Storage::boxed(1),
            buckets: Storage::boxed(1),
            ehash: Storage::boxed(ehash),
        };
        let stack = Stack::new(
            resources,
            Config { max_socks, timers: rskq::Timers::Embedder, ..Config::migrating(design) },
        );
        let stack = stack.with_programs(programs, Storage::boxed(entries));
        let listen = |_| stack.listen_at(local(PORT), BACKLOG, true).expect("there is room for each");
        let ids = (0..listening).map(listen).collect();
        Arc::new(Self { stack, ids, more: Mutex::default(), out: Mutex::default(), memory })
    }

    /// Opens one more listener, if there is a slot.
    pub(crate) fn join(&self, port: u16) -> bool {
        self.join_at(local(port)).is_some()
    }

    /// Opens one more listener at an address, if there is a slot.
    pub(crate) fn join_at(&self, addr: SocketAddr) -> Option<ListenerId<u32, B>> {
        let joined = self.stack.listen_at(addr, BACKLOG, true).ok()?;
        self.note(joined);
        Some(joined)
    }

    /// Notes a socket that is closed at the end.
    pub(crate) fn note(&self, id: ListenerId<u32, B>) {
        self.more.lock().expect("nobody panics with it").push(id);
    }

    /// Delivers a connection to [`PORT`].
    pub(crate) fn deliver(&self, connection: u32, hash: u32) -> Result<Delivered<u32, B>, Refused<u32>> {
        self.stack.deliver(arrival(connection, hash), HERE, connection)
    }

    /// Notes that a connection came out of the stack.
    pub(crate) fn gone(&self, connection: u32) {
        self.out.lock().expect("nobody panics with it").push(connection);
    }

    /// Accepts once.
    pub(crate) fn accept(&self, listener: usize) -> bool {
        let accepted = self.stack.accept(self.ids[listener]).ok().flatten();
        accepted.map(|connection| self.gone(connection)).is_some()
    }

    /// Returns how many half-open requests are charged to listeners, or were taken off the wrong one. While no
    /// thread runs.
    pub(crate) fn charges(&self) -> i32
    where
        B: ModelBackend,
    {
        self.stack.graph_now().listeners.iter().map(|listener| listener.charges.qlen.abs()).sum()
    }

    /// Returns the remote ports of the half-open requests, in order. While no thread runs.
    pub(crate) fn hashed(&self) -> Vec<u16>
    where
        B: ModelBackend,
    {
        let graph = self.stack.graph_now();
        let hashed = graph.requests.iter().filter(|request| request.hashed > 0);
        let mut ports: Vec<_> = hashed.filter_map(|r| r.tuple.map(|t| t.remote.port())).collect();
        ports.sort_unstable();
        ports
    }

    pub(crate) fn close(&self, id: ListenerId<u32, B>) {
        for step in self.stack.close(id, HERE).into_iter().flatten() {
            match step {
                Outcome::Aborted(connection) => self.gone(connection),
                Outcome::Moved { .. } => outcome("moved"),
                Outcome::Spliced { .. } => outcome("spliced"),
                Outcome::HandedOver { .. } => outcome("handed over"),
            }
        }
    }
}

/// At the end: resets what is half open, accepts what waits, closes what listens; then every connection came out once and
/// every slot of every slab is free, which is seen from the object graph and by taking them again.
pub(crate) fn check_all_free<B: Backend>(pot: Arc<Pot<B>>, connections: u32) {
    let Some(mut pot) = Arc::into_inner(pot) else { panic!("every thread has ended") };
    let ids =
        [pot.ids.clone(), std::mem::take(&mut *pot.more.lock().expect("nobody panics with it"))].concat();
    for connection in (0..connections).filter(|&connection| pot.stack.reset(&tuple(connection)).is_ok()) {
        pot.gone(connection);
    }
    for &id in &ids {
        while let Ok(Some(connection)) = pot.stack.accept(id) {
            pot.gone(connection);
        }
        pot.close(id);
    }
    let mut out = std::mem::take(&mut *pot.out.lock().expect("nobody panics with it"));
    out.sort_unstable();
    let all: Vec<_> = (0..connections).collect();
    expect("lost", out == all, || format!("of {all:?} came out {out:?}"));
    let left = left_over(&mut pot);
    expect("free", left.is_empty(), || left.join(", "));
    if left.is_empty() {
        check_free_lists(&pot, ids);
    }
}

/// Returns what is still in use.
fn left_over<B: Backend>(pot: &mut Pot<B>) -> Vec<String> {
    let graph = pot.stack.graph_mut();
    let mut left = Vec::new();
    for (slot, listener) in graph.listeners.iter().enumerate() {
        let held = listener.refs != 0 || listener.owner.is_some() || listener.group.is_some();
        let fast = listener.fastopenq.as_ref().is_none_or(|q| q.qlen != 0 || !q.reset.is_empty());
        if held
            || fast
            || !listener.charges.is_none()
            || listener.queue.as_ref().is_none_or(|q| q.backlog != 0 || !q.requests.is_empty())
        {
            left.push(format!("listener {slot}: {listener:?}"));
        }
    }
    for (slot, request) in graph.requests.iter().enumerate() {
        if request.refs != 0 || request.state != RequestState::Free || request.owner.is_some() {
            left.push(format!("request {slot}: {request:?}"));
        }
    }
    for (slot, owner) in graph.owners.iter().enumerate() {
        if owner.refs != 0 || owner.link != Link::Vacant {
            left.push(format!("owner {slot}: {owner:?}"));
        }
    }
    for (slot, group) in graph.groups.iter().enumerate() {
        if group.refs != 0 || group.num_socks != 0 || group.num_closed_socks != 0 {
            left.push(format!("group {slot}: {group:?}"));
        }
    }
    if graph.free_chunks.len() != graph.chunks as usize {
        left.push(format!("of {} chunks {:?} are free", graph.chunks, graph.free_chunks));
    }
    left
}

/// Takes every listener, owner and request slot once more; what was freed twice shows in its
/// generation, before it would be given twice.
fn check_free_lists<B: Backend>(pot: &Pot<B>, mut ids: Vec<ListenerId<u32, B>>) {
    for taken in 0..pot.memory.listeners {
        // As many as there is room for in one group.
        let port = PORT + (taken / pot.memory.max_socks as usize) as u16;
        let Ok(id) = pot.stack.listen_at(local(port), BACKLOG, true) else {
            return expect("free", false, || "not every listener slot can be taken again".into());
        };
        let lives = ids.iter().filter(|before| before.index() == id.index()).count();
        if id.generation() as usize != lives {
            return expect("free", false, || format!("a slot of {lives} lives was freed for {id:?}"));
        }
        ids.push(id);
    }
    let full = pot.stack.listen_at(local(PORT), BACKLOG, true).err() == Some(ListenError::NoListenerSlot);
    expect("free", full, || "there are more listener slots than there were".into());
    let delivered = (0..9).take_while(|&connection| pot.deliver(connection, 0).is_ok()).count();
    expect("free", delivered == pot.memory.requests, || format!("{delivered} request slots"));
}

/// 1. One connection waits on A, the only listener, or (spliced) on B with A's owner in its request.
/// 2. T1 accepts it: its request lets go of A's owner, which lets go of A.
/// 3. T2 closes A: the queue's home lets go of the owner, the descriptor of A.
/// 4. Whoever is last frees owner and listener; with the last member goes the group.
fn last_request<B: Backend>(design: Design, listeners: usize) -> impl Fn() + Send + Sync {
    move || {
        let pot = Pot::<B>::new(Small::new(listeners, 2), listeners, design);
        expect("setup", pot.deliver(0, 0).is_ok(), || "the first connection is refused".into());
        let acceptor = {
            let pot = Arc::clone(&pot);
            // The queue that gets A's connections, if there is one.
            Box::new(move || outcome(if pot.accept(listeners - 1) { "accepted" } else { "not accepted" }))
        };
        let closer = {
            let pot = Arc::clone(&pot);
            Box::new(move || pot.close(pot.ids[0]))
        };
        threads([acceptor, closer]);
        check_all_free(pot, 1);
    }
}

/// The baseline: T1 accepts from the listener that T2 closes, or T2 aborts the connection.
#[test]
fn last_request_of_a_closed_listener() {
    let race = Race::named("last_request_of_a_closed_listener");
    race.explore(last_request::<Loom<Fine>>(Design::Abort, 1)).holds(&["accepted", "not accepted"]);
}

/// Splice: the request is accepted from B, while its owner still is the home of A, which is closed.
#[test]
fn last_request_spliced_from_a_closed_listener() {
    let race = Race::named("last_request_spliced_from_a_closed_listener");
    let seen = race.explore(last_request::<Loom<Fine>>(Design::Splice, 2));
    seen.holds(&["accepted", "not accepted", "spliced"]);
}

/// `last_request_of_a_closed_listener` with a request that keeps its reference on its owner, and
/// with one that is let go of twice.
#[test]
fn last_request_of_a_closed_listener_controls() {
    for (name, faults) in [
        ("control: owner's reference leaked", &[Fault::OwnerReferenceLeaked]),
        ("control: request put twice", &[Fault::RequestPutTwice]),
    ] {
        let race = Race { name, faults, ..Race::default() };
        race.explore(last_request::<Loom<Fine>>(Design::Abort, 1)).notices("free");
    }
}
