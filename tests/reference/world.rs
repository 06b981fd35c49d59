//! The stack beside a reference of plain collections.

use super::groups::Group;
use super::places::dest_addr;
use super::{CLIENTS, ENTRIES, Op, PROGRAMS, SOCKETS};
use crate::common::{Listener, Request, Sizes, TestStack, assert_empty, graph, stack_of, tuple};
use rskq::counters::Snapshot;
use rskq::inspect::{Graph, RequestView};
use rskq::request::RequestState;
use rskq::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Few enough that every part runs out now and then: listeners, owners, requests, groups and their places.
const SIZES: Sizes =
    Sizes { listeners: 5, requests: 6, owners: 7, groups: 3, max_socks: 3, chunks: 3, buckets: 2, ehash: 2 };
/// Retries after which a SYN-ACK timer that the stack keeps gives up.
pub(crate) const RETRIES: u32 = 2;
/// Half-open requests that a listener has where cookies are off: three quarters of this.
const SYN_BACKLOG: u32 = 4;
/// Members that a group has room for.
pub(crate) const ROOM: usize = SIZES.max_socks as usize;

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
    /// Where it is bound, of [`SPOTS`](super::SPOTS), and whether others may be bound there.
    pub(crate) spot: usize,
    pub(crate) shares: bool,
    /// The CPU whose connections it asks for.
    pub(crate) incoming_cpu: Option<u32>,
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
    pub(crate) sockets: [Option<Socket>; SOCKETS],
    /// Which sockets listen where.
    pub(crate) groups: Vec<Group>,
    /// The map that programs select from.
    pub(crate) map: [Option<usize>; ENTRIES as usize],
    /// Client and hash of each child that was given to the stack.
    pub(crate) children: Vec<(u32, u32)>,
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
    /// The switches.
    pub(crate) sysctl: Sysctl,
    /// The CPU where everything happens.
    pub(crate) cpu: u32,
    /// When fast-open connections were reset, by slot, in seconds.
    pub(crate) reset_at: BTreeMap<u32, u64>,
    /// What was counted.
    pub(crate) counted: Snapshot,
    /// The client of the request that was just made, and whose it is.
    pub(crate) charged: Option<(u32, usize)>,
    /// The slot of the listener that just left LISTEN, and whether it stays in its group, by Linux's rules.
    pub(crate) left: Option<(u32, bool)>,
    /// What was seen of the stack last.
    seen: Graph<u32>,
}

impl World {
    pub(crate) fn new(design: Design) -> Self {
        let stack = stack_of(SIZES, design).with_programs(&PROGRAMS, Storage::boxed(ENTRIES as usize));
        let sysctl =
            Sysctl { tcp_synack_retries: RETRIES, tcp_max_syn_backlog: SYN_BACKLOG, ..stack.sysctl() };
        stack.set_sysctl(sysctl);
        let mut world = Self {
            stack,
            design,
            sockets: Default::default(),
            groups: Vec::new(),
            map: Default::default(),
            children: Vec::new(),
            ended: BTreeSet::new(),
            half_open: BTreeMap::new(),
            syns: Vec::new(),
            handshakes: Vec::new(),
            now: 0,
            deadlines: BTreeMap::new(),
            started: 0,
            acked: BTreeSet::new(),
            sysctl,
            cpu: 0,
            reset_at: BTreeMap::new(),
            counted: Snapshot::default(),
            charged: None,
            left: None,
            seen: Graph::default(),
        };
        world.check();
        world
    }

    pub(crate) fn here(&self) -> Here {
        Here { cpu: self.cpu, now: self.now }
    }

    /// Does `op` to the stack and to the reference; both must answer the same.
    pub(crate) fn step(&mut self, op: Op) {
        let before = std::mem::take(&mut self.seen);
        match op {
            Op::Listen { which, spot, shares, backlog } => {
                self.listen(&before, which, spot, shares, backlog);
            }
            Op::ListenAgain { which, backlog } => self.listen_again(&before, which, backlog),
            Op::MigrateReq { on } => self.set_migrate_req(on),
            Op::SetSyncookies { to } => self.set_sysctl(Sysctl { tcp_syncookies: to, ..self.sysctl }),
            Op::AbortOnOverflow { on } => {
                self.set_sysctl(Sysctl { tcp_abort_on_overflow: on, ..self.sysctl });
            }
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
            Op::Attach { which, program } => self.attach(which, program),
            Op::Detach { which } => self.detach(which),
            Op::MapUpdate { index, which, flag } => self.map_update(index, which, flag),
            Op::MapDelete { index } => self.map_delete(index),
            Op::SetIncomingCpu { which, cpu } => self.set_incoming_cpu(which, cpu),
            Op::RunOn { cpu } => self.cpu = cpu,
        }
    }

    /// A connection that nobody has seen before.
    pub(crate) fn child(&mut self, client: u32, hash: u32) -> u32 {
        self.children.push((client, hash));
        self.children.len() as u32 - 1
    }

    /// Notes that a child came back. It does so once.
    pub(crate) fn ended(&mut self, child: u32) {
        assert!((child as usize) < self.children.len(), "nobody gave child {child} to the stack");
        assert!(self.ended.insert(child), "child {child} ended twice");
    }

    /// Returns the arrival from a client; the hash that selects where it migrates is [`sk_hash`] of its other.
    pub(crate) fn arrival(client: u32, hash: u32) -> Arrival {
        Arrival { tuple: ends(client), hashes: Hashes { syn_hash: hash, sk_hash: sk_hash(hash) } }
    }

    pub(crate) fn known(&self, which: usize) -> &Socket {
        self.sockets[which].as_ref().expect("the reference names sockets that it knows")
    }

    pub(crate) fn socket(&mut self, which: usize) -> &mut Socket {
        self.sockets[which].as_mut().expect("the reference names sockets that it knows")
    }

    /// Tells what is answered to who changes an option of a socket, if there ever was one.
    pub(crate) fn is_open(&self, which: usize) -> Option<Result<(), SockError>> {
        Some(match self.sockets[which].as_ref()?.state {
            State::Closed | State::Stopping { close: true } => Err(SockError::Stale),
            State::Listening | State::Shut | State::Stopping { close: false } => Ok(()),
        })
    }

    /// Returns the socket in listener slot `slot`, if it still has one.
    pub(crate) fn at_slot(&self, slot: u32) -> Option<usize> {
        let is_there = |socket: &Socket| socket.id.index() == slot && socket.state != State::Closed;
        self.sockets.iter().position(|socket| socket.as_ref().is_some_and(is_there))
    }

    pub(crate) fn set_migrate_req(&mut self, on: bool) {
        self.sysctl.tcp_migrate_req = on;
        self.stack.set_migrate_req(on);
    }

    fn set_sysctl(&mut self, sysctl: Sysctl) {
        self.sysctl = sysctl;
        self.stack.set_sysctl(sysctl);
        assert_eq!(self.stack.sysctl(), sysctl);
    }

    /// Counts a connection that finds no room where it arrives.
    pub(crate) fn count_refusal(&mut self, why: Refusal) {
        let counted = &mut self.counted;
        match why {
            Refusal::AcceptQueueFull | Refusal::AbortedOnOverflow => counted.ListenOverflows += 1,
            Refusal::NoRequestSlot => counted.RequestSlabFull += 1,
            _ => return,
        }
        counted.ListenDrops += 1;
    }

    /// Counts a migration, or that there was none.
    pub(crate) fn count_migration(&mut self, migrates: bool) {
        let counted = &mut self.counted;
        *if migrates { &mut counted.TCPMigrateReqSuccess } else { &mut counted.TCPMigrateReqFailure } += 1;
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
        // Before the graph is looked at: to ask shortens a chain of owners, which may free one of them.
        let roots = self.half_open.values().map(|(id, _)| self.stack.rsk_listener(*id).map(Listener::index));
        let roots = roots.collect::<Vec<_>>();
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
                let qlen = view.fastopenq.as_ref().unwrap().qlen;
                let shown = self.stack.fastopen_len(socket.id);
                let closes = socket.state == State::Stopping { close: true };
                assert_eq!(shown, if closes { Err(SockError::Stale) } else { Ok((qlen, socket.limit)) });
            }
        }
        self.check_groups(&graph);
        assert_eq!(self.stack.counters(), self.counted);
        for (&client, root) in self.half_open.keys().zip(roots) {
            assert_eq!(half_open(&graph, client).and_then(|request| request.rsk_listener), root);
        }
        let hashed = graph.requests.iter().filter(|request| request.hashed != 0);
        let hashed = hashed.map(|request| request.tuple.unwrap().remote).collect::<BTreeSet<_>>();
        let expected = self.half_open.keys().map(|&client| ends(client).remote).collect();
        assert_eq!(hashed, expected);
        if let Some((client, which)) = self.charged.take() {
            let charged = half_open(&graph, client).expect("it was just made").rsk_listener;
            assert_eq!(charged.and_then(|slot| self.at_slot(slot)), Some(which));
        }
        if let Some((slot, stays)) = self.left.take() {
            let listener = &graph.listeners[slot as usize];
            assert_eq!(listener.group.is_some(), stays && listener.refs != 0, "{listener:?}");
        }
        let deadline = self.deadlines.keys().next().map(|(deadline, ..)| *deadline);
        assert_eq!(self.stack.next_deadline(), deadline);
        let pending = graph.requests.iter().filter(|request| request.tfo_listener && request.refs != 0);
        assert_eq!(pending.count(), self.handshakes.iter().filter(|(_, goes_on)| *goes_on).count());
        self.seen = graph;
    }

    /// Closes everything and lets everything end: nothing may be left over.
    pub(crate) fn finish(mut self) {
        for which in 0..SOCKETS {
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
        assert!(self.half_open.is_empty() && self.groups.is_empty());
        assert_eq!(self.ended.len(), self.children.len(), "a connection was lost");
        assert_empty(&mut self.stack);
    }
}

/// Returns the ends of a client's connection.
pub(crate) fn ends(client: u32) -> Tuple {
    let (dest, port) = CLIENTS[client as usize];
    tuple(dest_addr(dest, port), client)
}

/// Returns the hash by which a connection migrates whose SYN had `hash`.
pub(crate) fn sk_hash(hash: u32) -> u32 {
    !hash
}

/// Returns the half-open request of `client`.
pub(crate) fn half_open(graph: &Graph<u32>, client: u32) -> Option<&RequestView> {
    let tuple = Some(ends(client));
    graph.requests.iter().find(|request| request.hashed != 0 && request.tuple == tuple)
}

pub(crate) fn free_requests(graph: &Graph<u32>) -> usize {
    graph.requests.iter().filter(|request| request.state == RequestState::Free).count()
}

pub(crate) fn free_owners(graph: &Graph<u32>) -> usize {
    graph.owners.iter().filter(|owner| owner.refs == 0).count()
}
