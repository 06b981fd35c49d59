//! Sockets that are opened, bound, made to listen and closed at addresses that overlap, beside plain vectors
//! that are searched from end to end.

use crate::common::{HERE, Listener, Sizes, TestStack, assert_empty, graph, stack_of, tuple};
use crate::reference::places::{Bound, DESTS, PLACES, dest_addr};
use proptest::prelude::*;
use rskq::*;

const SOCKETS: usize = 6;
/// Enough that nothing runs out.
const SIZES: Sizes = Sizes {
    listeners: SOCKETS,
    requests: 4,
    owners: SOCKETS,
    groups: SOCKETS,
    max_socks: SOCKETS as u32,
    chunks: SOCKETS,
    buckets: 3,
    ehash: 1,
};
const PORTS: std::ops::Range<u16> = 80..82;

#[derive(Clone, Copy, Debug)]
enum Op {
    Open { which: usize, reuseport: bool, v6only: bool },
    Bind { which: usize, place: usize, port: u16 },
    BindAny { which: usize, place: usize },
    Listen { which: usize },
    Shutdown { which: usize },
    Close { which: usize },
    Arrive { dest: usize, port: u16, hash: u32 },
}

fn op() -> impl Strategy<Value = Op> {
    let which = || 0..SOCKETS;
    let place = || 0..PLACES.len();
    prop_oneof![
        3 => (which(), prop::bool::weighted(0.7), prop::bool::weighted(0.2))
            .prop_map(|(which, reuseport, v6only)| Op::Open { which, reuseport, v6only }),
        4 => (which(), place(), PORTS).prop_map(|(which, place, port)| Op::Bind { which, place, port }),
        1 => (which(), place()).prop_map(|(which, place)| Op::BindAny { which, place }),
        5 => which().prop_map(|which| Op::Listen { which }),
        1 => which().prop_map(|which| Op::Shutdown { which }),
        1 => which().prop_map(|which| Op::Close { which }),
        6 => (0..DESTS.len(), PORTS, any::<u32>())
            .prop_map(|(dest, port, hash)| Op::Arrive { dest, port, hash }),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Socket {
    id: Listener,
    reuseport: bool,
    v6only: bool,
    bound: Option<Bound>,
    found: bool,
    listens: bool,
}

struct World {
    stack: TestStack,
    sockets: [Option<Socket>; SOCKETS],
    /// Who listens where, in order of `socks[]`; the groups in the order in which they began.
    groups: Vec<(Bound, Vec<usize>)>,
}

impl World {
    /// Tells whether `which` may be bound to `at`, with `shares` if it would share.
    fn is_free(&self, which: usize, at: Bound, shares: bool) -> bool {
        let others = (0..SOCKETS).filter(|&other| other != which).filter_map(|other| self.sockets[other]);
        others
            .filter(|other| !(other.reuseport && shares))
            .all(|other| other.bound.is_none_or(|bound| !bound.overlaps(at)))
    }

    fn bind(&mut self, which: usize, place: usize, ports: &[u16], found: bool) {
        let Some(socket) = self.sockets[which] else { return };
        let addr = Bound { place, port: ports[0], v6only: false }.addr();
        let result = match found {
            true => self.stack.bind_any(socket.id, addr, ports.iter().copied()),
            false => self.stack.bind(socket.id, addr).map(|()| addr),
        };
        let v6only = socket.v6only && addr.is_ipv6();
        let mapped = addr.is_ipv6() && addr.ip().to_canonical().is_ipv4();
        let at = |port| Bound { place, port, v6only };
        let free = |&port: &u16| self.is_free(which, at(port), socket.reuseport && !found);
        let expected = if socket.bound.is_some() || (v6only && mapped) {
            Err(BindError::Invalid)
        } else {
            ports.iter().copied().find(free).ok_or(BindError::AddrInUse)
        };
        assert_eq!(result.map(|addr| addr.port()), expected);
        if let Ok(port) = expected {
            self.sockets[which] = Some(Socket { bound: Some(at(port)), found, ..socket });
        }
    }

    fn listen(&mut self, which: usize) {
        let Some(socket) = &mut self.sockets[which] else { return };
        let listening = self.stack.listen(socket.id, 0);
        let Some(bound) = socket.bound else { return assert_eq!(listening, Err(ListenError::NotBound)) };
        assert_eq!(listening, Ok(()));
        if std::mem::replace(&mut socket.listens, true) {
            return;
        }
        match self.groups.iter_mut().find(|(at, _)| *at == bound) {
            Some((_, members)) => members.push(which),
            None => self.groups.push((bound, vec![which])),
        }
    }

    fn stop(&mut self, which: usize, close: bool) {
        let Some(socket) = &mut self.sockets[which] else { return };
        let Socket { id, found, listens, .. } = *socket;
        if !close && !listens {
            return assert_eq!(self.stack.shutdown(id, HERE).map(drop), Err(SockError::NotListening));
        }
        let steps = if close { self.stack.close(id, HERE) } else { self.stack.shutdown(id, HERE) };
        assert_eq!(steps.unwrap().count(), 0);
        if listens {
            let (_, members) = self.groups.iter_mut().find(|(_, members)| members.contains(&which)).unwrap();
            members.swap_remove(members.iter().position(|&member| member == which).unwrap());
            self.groups.retain(|(_, members)| !members.is_empty());
        }
        let bound = socket.bound.filter(|_| !(listens && found));
        self.sockets[which] = (!close).then_some(Socket { bound, listens: false, ..*socket });
    }

    fn arrive(&mut self, dest: usize, port: u16, hash: u32) {
        let hashes = Hashes { syn_hash: hash, sk_hash: hash };
        let arrival = Arrival { tuple: tuple(dest_addr(dest, port), 0), hashes };
        let receive = self.groups.iter().filter(|(at, _)| at.is_for(dest, port));
        let expected = receive
            .min_by_key(|(at, _)| at.rank())
            .map(|(_, members)| members[((u64::from(hash) * members.len() as u64) >> 32) as usize]);
        let got = self.stack.deliver(arrival, HERE, 0).map(|delivered| delivered.listener);
        let expected = expected.map(|which| self.sockets[which].unwrap().id);
        assert_eq!(got.map_err(|refused| refused.why), expected.ok_or(Refusal::NoListener));
        if let Some(id) = expected {
            assert_eq!(self.stack.accept(id), Ok(Some(0)));
        }
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Open { which, reuseport, v6only } => {
                if self.sockets[which].is_none() {
                    let id = self.stack.open(SockOptions { reuseport, v6only }).unwrap();
                    let (bound, found, listens) = (None, false, false);
                    self.sockets[which] = Some(Socket { id, reuseport, v6only, bound, found, listens });
                }
            }
            Op::Bind { which, place, port } => self.bind(which, place, &[port], false),
            Op::BindAny { which, place } => self.bind(which, place, &[80, 81], true),
            Op::Listen { which } => self.listen(which),
            Op::Shutdown { which } => self.stop(which, false),
            Op::Close { which } => self.stop(which, true),
            Op::Arrive { dest, port, hash } => self.arrive(dest, port, hash),
        }
    }

    fn check(&mut self) {
        let graph = graph(&mut self.stack);
        for socket in self.sockets.iter().flatten() {
            let shown = graph.listeners[socket.id.index() as usize].addr;
            assert_eq!(shown, socket.bound.map(Bound::addr));
        }
        let hashed = graph.groups.iter().filter(|group| group.addr.is_some()).count();
        assert_eq!(hashed, self.groups.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn who_is_bound_and_who_is_found_is_as_in_plain_vectors(ops in prop::collection::vec(op(), 1..100)) {
        let stack = stack_of(SIZES, Design::Abort);
        let mut world = World { stack, sockets: [None; SOCKETS], groups: Vec::new() };
        for op in ops {
            world.step(op);
            world.check();
        }
        (0..SOCKETS).for_each(|which| world.stop(which, true));
        assert_empty(&mut world.stack);
    }
}
