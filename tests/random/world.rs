//! The stack beside a reference of plain collections.

use crate::Op;
use crate::common::{Listener, Request, Sizes, TestStack, assert_empty, graph, stack_of, tuple};
use rskq::inspect::{Graph, RequestView};
use rskq::request::RequestState;
use rskq::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

/// Few enough that every part runs out now and then: listeners, owners, requests and the group.
const SIZES: Sizes =
    Sizes { listeners: 4, requests: 6, owners: 6, groups: 2, max_socks: 3, chunks: 2, buckets: 1, ehash: 2 };
/// Retries after which a SYN-ACK timer that the stack keeps gives up.
pub(crate) const RETRIES: u32 = 2;
/// Members that the group has room for.
pub(crate) const ROOM: usize = SIZES.max_socks as usize;

pub(crate) fn addr() -> SocketAddr {
    "127.0.0.1:80".parse().unwrap()
}

/// What a socket can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Listening,
    Stopping { close: bool },
    Shut,
    Closed,
}

/// The backlog that a socket gets which asks for `backlog`.
pub(crate) fn allowed(backlog: u32) -> u32 {
    backlog.min(Sysctl::LINUX.somaxconn)
}

/// What the reference knows of a socket.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) id: Listener,
    pub(crate) state: State,
    pub(crate) backlog: u32,
    pub(crate) limit: u32,
    /// How many timeouts it waits for data.
    pub(crate) defer: u32,
    /// Children that wait, oldest first.
    pub(crate) queue: VecDeque<u32>,
    /// Who has what it handed over, until its last step.
    pub(crate) estate: Option<usize>,
}

impl Socket {
    pub(crate) fn is_full(&self) -> bool {
        self.queue.len() as u64 > u64::from(self.backlog)
    }
}

/// A stack, and what it ought to be.
pub(crate) struct World {
    pub(crate) stack: TestStack,
    pub(crate) design: Design,
    pub(crate) sockets: [Option<Socket>; crate::SOCKETS],
    /// Which sockets listen, in order of `socks[]`.
    pub(crate) members: Vec<usize>,
    /// Hash of each child that was given to the stack.
    pub(crate) hashes: Vec<u32>,
    /// Children that came back, accepted, aborted or refused.
    pub(crate) ended: BTreeSet<u32>,
    /// The half-open requests by client, with their hashes.
    pub(crate) half_open: BTreeMap<u32, (Request, u32)>,
    /// Every request that a SYN made, oldest first, and its client.
    pub(crate) syns: Vec<(Request, u32)>,
    /// Every fast-open handshake, oldest first, and whether it goes on.
    pub(crate) handshakes: Vec<(Request, bool)>,
    /// The time, in milliseconds.
    pub(crate) now: u64,
    /// Whose timer goes off when; of equal times the one after fewer timeouts comes first, and then the one
    /// that was started first.
    pub(crate) deadlines: BTreeMap<(u64, u32, u64), u32>,
    /// How many timers were started.
    pub(crate) started: u64,
    /// Clients whose final ACK has come and could not be taken.
    pub(crate) acked: BTreeSet<u32>,
    /// When the group that listens now sent its newest cookie, in seconds.
    pub(crate) cookie: Option<u64>,
    /// Whether connections migrate, where that is asked.
    pub(crate) migrate_req: bool,
    /// When fast-open connections were reset, by slot, in seconds.
    pub(crate) reset_at: BTreeMap<u32, u64>,
}

impl World {
    pub(crate) fn new(design: Design) -> Self {
        let stack = stack_of(SIZES, design);
        stack.set_sysctl(Sysctl { tcp_synack_retries: RETRIES, ..stack.sysctl() });
        Self {
            stack,
            design,
            sockets: Default::default(),
            members: Vec::new(),
            hashes: Vec::new(),
            ended: BTreeSet::new(),
            half_open: BTreeMap::new(),
            syns: Vec::new(),
            handshakes: Vec::new(),
            now: 0,
            deadlines: BTreeMap::new(),
            started: 0,
            acked: BTreeSet::new(),
            cookie: None,
            migrate_req: true,
            reset_at: BTreeMap::new(),
        }
    }

    pub(crate) fn here(&self) -> Here {
        Here { cpu: 0, now: self.now }
    }

    /// Does `op` to the stack and to the reference; both must answer the same.
    pub(crate) fn step(&mut self, op: Op) {
        let before = self.stack.graph_mut();
        match op {
            Op::Listen { which, backlog } => self.listen(&before, which, backlog),
            Op::ListenAgain { which, backlog } => self.listen_again(&before, which, backlog),
            Op::MigrateReq { on } => self.set_migrate_req(on),
            Op::SetDefer { which, timeouts } => self.set_defer(which, timeouts),
            Op::Stop { which, close, steps } => self.stop(&before, which, close, steps),
            Op::Deliver { client, hash } => self.deliver(&before, client, hash),
            Op::Accept { which } => self.accept(which),
            Op::Syn { client, hash } => self.syn(&before, client, hash),
            Op::Ack { client, data } => self.ack(&before, client, data),
            Op::CookieAck { client, hash, genuine } => self.cookie_ack(&before, client, hash, genuine),
            Op::Timer { back, retries } => self.timer(&before, back, retries),
            Op::Poll { after } => self.poll(after),
            Op::Reset { client } => self.reset(client),
            Op::SetFastOpen { which, limit } => self.set_fastopen(which, limit),
            Op::SynFastOpen { client, hash } => self.syn_fastopen(&before, client, hash),
            Op::EndHandshake { back, reset } => self.end_handshake(&before, back, reset),
            Op::EvictReset { which } => self.evict_reset(&before, which),
        }
    }

    /// A connection that nobody has seen before.
    pub(crate) fn child(&mut self, hash: u32) -> u32 {
        self.hashes.push(hash);
        self.hashes.len() as u32 - 1
    }

    /// Notes that a child came back. It does so once.
    pub(crate) fn ended(&mut self, child: u32) {
        assert!((child as usize) < self.hashes.len(), "nobody gave child {child} to the stack");
        assert!(self.ended.insert(child), "child {child} ended twice");
    }

    /// Returns the arrival from a client; both its hashes are `hash`.
    pub(crate) fn arrival(client: u32, hash: u32) -> Arrival {
        Arrival { tuple: tuple(addr(), client), hashes: Hashes { syn_hash: hash, sk_hash: hash } }
    }

    /// Returns the socket that `hash` falls on.
    pub(crate) fn selected(&self, hash: u32) -> Option<usize> {
        falls_on(&self.members, hash)
    }

    pub(crate) fn socket(&mut self, which: usize) -> &mut Socket {
        self.sockets[which].as_mut().expect("the reference names sockets that it knows")
    }

    /// Returns the socket in listener slot `slot`, if it still has one.
    pub(crate) fn at_slot(&self, slot: u32) -> Option<usize> {
        let is_there = |socket: &Socket| socket.id.index() == slot && socket.state != State::Closed;
        self.sockets.iter().position(|socket| socket.as_ref().is_some_and(is_there))
    }

    /// Returns who may be chosen, by Linux's rules, for what the listener in a slot has left: who listens in the
    /// group that it is still in.
    pub(crate) fn targets(&self, before: &Graph<u32>, slot: u32) -> Vec<usize> {
        let group = before.listeners[slot as usize].group.filter(|_| self.migrate_req);
        let listening = group.map_or(&[][..], |group| &before.groups[group as usize].listening);
        listening.iter().map(|&slot| self.at_slot(slot).expect("who listens is known")).collect()
    }

    pub(crate) fn set_migrate_req(&mut self, on: bool) {
        self.migrate_req = on;
        self.stack.set_migrate_req(on);
    }

    /// Tells whether half-open requests are adopted.
    pub(crate) fn adopts(&self) -> bool {
        matches!(self.design, Design::Requeue | Design::Handover)
    }

    /// Adds a child that was delivered to `which`'s queue.
    pub(crate) fn queued(
        &mut self,
        which: usize,
        child: u32,
        delivered: &Delivered<u32, crate::common::TestBackend>,
    ) {
        let socket = self.socket(which);
        assert_eq!(delivered.listener, socket.id);
        assert_eq!(delivered.wake.as_ref().map(|wake| wake.listener()), Some(socket.id), "every gain wakes");
        socket.queue.push_back(child);
    }

    /// Compares everything that can be seen of the stack with the reference, and recounts the graph.
    pub(crate) fn check(&mut self) {
        let graph = graph(&mut self.stack);
        for socket in self.sockets.iter().flatten() {
            let shown = self.stack.queue_len(socket.id);
            let expected = match socket.state {
                State::Listening => Ok((socket.queue.len() as u32, socket.backlog)),
                State::Shut | State::Stopping { close: false } => Err(SockError::NotListening),
                State::Closed | State::Stopping { close: true } => Err(SockError::Stale),
            };
            assert_eq!(shown, expected, "{socket:?}");
            if socket.state != State::Closed {
                let view = &graph.listeners[socket.id.index() as usize];
                let queue =
                    view.queue.as_ref().unwrap().requests.iter().map(|request| request.child.unwrap());
                assert!(queue.eq(socket.queue.iter().copied()), "{socket:?} and {view:?}");
            }
        }
        let listening = graph.groups.iter().flat_map(|group| &group.listening);
        let members = self.members.iter().map(|&which| self.sockets[which].as_ref().unwrap().id.index());
        assert!(listening.copied().eq(members), "{:?}", graph.groups);
        let hashed = graph.requests.iter().filter(|request| request.hashed != 0);
        let hashed = hashed.map(|request| request.tuple.unwrap().remote).collect::<BTreeSet<_>>();
        let expected = self.half_open.keys().map(|&client| tuple(addr(), client).remote).collect();
        assert_eq!(hashed, expected);
        let deadline = self.deadlines.keys().next().map(|(deadline, ..)| *deadline);
        assert_eq!(self.stack.next_deadline(), deadline);
        let pending = graph.requests.iter().filter(|request| request.tfo_listener && request.refs != 0);
        assert_eq!(pending.count(), self.handshakes.iter().filter(|(_, goes_on)| *goes_on).count());
    }

    /// Closes everything and lets everything end: nothing may be left over.
    pub(crate) fn finish(mut self) {
        for which in 0..crate::SOCKETS {
            let before = self.stack.graph_mut();
            self.stop(&before, which, true, usize::MAX);
            self.check();
        }
        for back in 0..self.handshakes.len() {
            let before = self.stack.graph_mut();
            self.end_handshake(&before, back, back.is_multiple_of(2));
        }
        for back in 0..self.syns.len() {
            let before = self.stack.graph_mut();
            self.timer(&before, back, u32::MAX);
        }
        assert!(self.half_open.is_empty() && self.members.is_empty());
        assert_eq!(self.ended.len(), self.hashes.len(), "a connection was lost");
        assert_empty(&mut self.stack);
    }
}

/// Returns the socket that `hash` falls on, of these.
pub(crate) fn falls_on(members: &[usize], hash: u32) -> Option<usize> {
    let place = (u64::from(hash) * members.len() as u64) >> 32;
    members.get(place as usize).copied()
}

/// Returns the half-open request of `client`.
pub(crate) fn half_open(graph: &Graph<u32>, client: u32) -> Option<&RequestView> {
    let tuple = Some(tuple(addr(), client));
    graph.requests.iter().find(|request| request.hashed != 0 && request.tuple == tuple)
}

pub(crate) fn free_requests(graph: &Graph<u32>) -> usize {
    graph.requests.iter().filter(|request| request.state == RequestState::Free).count()
}

pub(crate) fn free_owners(graph: &Graph<u32>) -> usize {
    graph.owners.iter().filter(|owner| owner.refs == 0).count()
}
