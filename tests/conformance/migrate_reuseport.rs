//! Four listeners stop one after the other, and 25 connections go to a fifth that joins late, by a program.
//!
//! `tcp_migrate_req` is off: that the program is asked about migrations is what makes them migrate.

use super::*;
use rskq::group::{AttachType, MapFlag, Occasion, ProgramId, Verdict};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

const CLIENTS: u32 = 25;
const BACKLOG: u32 = 125;
const TARGET: usize = 4;
const SIZES: Sizes = Sizes { requests: 32, ehash: 8, ..ENOUGH };

/// How often the program has selected the target on each occasion.
#[derive(Default)]
struct Selected {
    at_close: AtomicU32,
    at_close_fastopen: AtomicU32,
    at_send_synack: AtomicU32,
    at_recv_ack: AtomicU32,
}

impl Selected {
    fn on(&self, occasion: Occasion) -> &AtomicU32 {
        match occasion {
            Occasion::Close => &self.at_close,
            Occasion::CloseFastOpen => &self.at_close_fastopen,
            Occasion::Timer => &self.at_send_synack,
            Occasion::Ack => &self.at_recv_ack,
            Occasion::Syn => panic!("nobody is selected for a SYN"),
        }
    }

    /// In the order of the fields.
    fn counts(&self) -> [u32; 4] {
        [&self.at_close, &self.at_close_fastopen, &self.at_send_synack, &self.at_recv_ack]
            .map(|count| count.load(Relaxed))
    }
}

/// In which state the connections are when their listeners stop, and when what is half open is looked at.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    Established,
    FastOpen,
    Timer,
    Ack,
}

struct World {
    stack: TestStack,
    local: SocketAddr,
    servers: [Listener; 5],
    selected: &'static Selected,
    /// The slots of the listeners whose connections are to go to the target. (Linux: `migrate_map`.)
    migrate_map: &'static Mutex<BTreeSet<u32>>,
    /// Whose each client was, in order.
    clients: [Vec<u32>; 4],
    /// What to tell of the ends of the fast-open handshakes with.
    handshakes: Vec<Request>,
    requests: Vec<Request>,
}

impl World {
    /// The first server finds its port by itself and gets the program before it listens; the others bind to the
    /// same. The last does not listen yet.
    fn new(ip: &str) -> Self {
        let selected: &'static Selected = Box::leak(Box::default());
        let migrate_map: &'static Mutex<BTreeSet<u32>> = Box::leak(Box::default());
        let migrates = program(AttachType::SelectOrMigrate, move |md| {
            let Some(from) = md.from else { return Verdict::Pass };
            if !migrate_map.lock().unwrap().contains(&from) {
                return Verdict::Drop;
            }
            if md.select(TARGET as u32).is_ok() {
                selected.on(md.occasion).fetch_add(1, Relaxed);
            }
            Verdict::Pass
        });
        let stack = with_programs(stack_of(SIZES, Design::Linux), [migrates], 5);
        stack.set_migrate_req(false);
        let servers: [_; 5] =
            std::array::from_fn(|_| stack.open(SockOptions { reuseport: true, v6only: false }).unwrap());
        let local = stack.bind_any(servers[0], SocketAddr::new(ip.parse().unwrap(), 0), [40_000]).unwrap();
        assert_eq!(stack.attach_reuseport_prog(servers[0], ProgramId(0)), Ok(()));
        for (index, &server) in servers.iter().enumerate() {
            if index > 0 {
                assert_eq!(stack.bind(server, local), Ok(()));
            }
            assert_eq!(stack.set_fastopen(server, BACKLOG), Ok(()));
            if index < TARGET {
                assert_eq!(stack.listen(server, BACKLOG), Ok(()));
            }
        }
        let (clients, handshakes, requests) = Default::default();
        Self { stack, local, servers, selected, migrate_map, clients, handshakes, requests }
    }

    fn arrival(&self, client: u32) -> Arrival {
        let remote = SocketAddr::new(self.local.ip(), 50_000 + client as u16);
        // Fibonacci hashing: as even as it gets.
        let hash = client.wrapping_mul(0x9e37_79b9);
        Arrival {
            tuple: Tuple { local: self.local, remote },
            hashes: Hashes { syn_hash: hash, sk_hash: hash },
        }
    }

    fn ack(&self, client: u32) -> Result<Listener, Refusal> {
        let tuple = self.arrival(client).tuple;
        delivered(self.stack.ack(&tuple, Payload::Data, HERE, client), client)
    }

    /// All clients connect; what the case holds back is held back.
    fn connect(&mut self, case: Case) {
        for client in 0..CLIENTS {
            let arrival = self.arrival(client);
            let server = if case == Case::FastOpen {
                let (server, handshake) = open_fast(&self.stack, arrival, client).unwrap();
                self.handshakes.push(handshake);
                server
            } else {
                let Ok(Syn::New { request, listener }) = self.stack.syn(arrival, HERE) else {
                    panic!("client {client} is not known")
                };
                self.requests.push(request);
                listener
            };
            if case == Case::Established {
                assert_eq!(self.ack(client), Ok(server));
            }
            let server = self.servers.iter().position(|&id| id == server).unwrap();
            self.clients[server].push(client);
        }
        assert!(self.clients.iter().all(|clients| clients.len() > 3), "{:?}", self.clients);
    }

    /// The target listens, the servers are entered in the map, and what is to go where in another.
    fn join(&self) {
        assert_eq!(self.stack.listen(self.servers[TARGET], BACKLOG), Ok(()));
        for (index, server) in (0..).zip(self.servers) {
            assert_eq!(self.stack.map_update(index, server, MapFlag::NoExist), Ok(()));
            self.migrate_map.lock().unwrap().insert(server.index());
        }
    }

    /// The first four stop, in order; returns what became of what waited.
    fn stop_sources(&self) -> Vec<End> {
        self.servers[..TARGET].iter().flat_map(|&server| shutdown(&self.stack, server)).collect()
    }

    /// Every client, those of the first server first.
    fn in_order(&self) -> Vec<u32> {
        self.clients.concat()
    }

    /// Asserts that each server has so many fast-open connections that have not ended.
    fn assert_fast(&mut self, expected: [i32; 5]) {
        assert_eq!(self.servers.map(|server| fastopenq(&mut self.stack, server).0), expected);
    }

    fn charges(&mut self) -> [(i32, i32); 5] {
        self.servers.map(|server| charges(&mut self.stack, server))
    }

    fn finish(self) {
        finish(self.stack, &self.servers);
    }
}

/// What waits moves to the target, which loses it to the second server, which loses it to the target again.
fn dance(world: &mut World, fast: bool) {
    let [_, second, .., target] = world.servers;
    let all = CLIENTS as i32;
    let [one, other] = if fast { [[0, 0, 0, 0, all], [0, all, 0, 0, 0]] } else { [[0; 5]; 2] };
    let group = group_slot(&mut world.stack, target);
    world.assert_fast(one);
    assert_eq!(world.stack.listen(second, BACKLOG), Ok(()));
    assert_eq!(group_slot(&mut world.stack, second), group);
    // The target left the map when it stopped, so that the program passes and the hash has one to choose from.
    assert_eq!(shutdown(&world.stack, target), [End::Moved(second); CLIENTS as usize]);
    assert_eq!(world.stack.queue_len(second), Ok((CLIENTS, BACKLOG)));
    world.assert_fast(other);
    assert_eq!(world.stack.listen(target, BACKLOG), Ok(()));
    assert_eq!(group_slot(&mut world.stack, target), group);
    assert_eq!(shutdown(&world.stack, second), [End::Moved(target); CLIENTS as usize]);
    assert_eq!(world.stack.queue_len(target), Ok((CLIENTS, BACKLOG)));
    world.assert_fast(one);
}

const IPS: [&str; 2] = ["127.0.0.1", "::1"];

/// M1: what waits at each listener that stops goes to the one that the program selects, the oldest first.
/// M2: and on to one that listens again, and back, in the same group, which the program does not count.
#[test]
fn m1_m2_established_connections_migrate_at_close() {
    for ip in IPS {
        let mut world = World::new(ip);
        world.connect(Case::Established);
        world.join();
        let target = world.servers[TARGET];
        assert_eq!(world.stop_sources(), [End::Moved(target); CLIENTS as usize]);
        assert_eq!(world.stack.queue_len(target), Ok((CLIENTS, BACKLOG)));
        assert_eq!(world.selected.counts(), [CLIENTS, 0, 0, 0]);
        let moved =
            |times| Snapshot { PassiveOpens: CLIENTS, TCPMigrateReqSuccess: times * CLIENTS, ..NOTHING };
        counted(&world.stack, moved(1));
        dance(&mut world, false);
        assert_eq!(world.selected.counts(), [CLIENTS, 0, 0, 0]);
        counted(&world.stack, moved(3));
        assert_eq!(accept_all(&world.stack, target), world.in_order());
        world.finish();
    }
}

/// M3: the same with connections whose fast-open handshake has not ended. What counts for a listener goes
/// where they go, and nothing counts once they have ended, which the selftest does not look at.
#[test]
fn m3_fast_open_connections_migrate_at_close() {
    for ip in IPS {
        let mut world = World::new(ip);
        world.connect(Case::FastOpen);
        let waiting = |world: &World| [0, 1, 2, 3].map(|server| world.clients[server].len() as i32);
        let [a, b, c, d] = waiting(&world);
        world.assert_fast([a, b, c, d, 0]);
        world.join();
        let target = world.servers[TARGET];
        for (stopped, server) in (1..).zip(&world.servers[..TARGET].to_vec()) {
            let moved = world.clients[stopped - 1].len();
            assert_eq!(shutdown(&world.stack, *server), vec![End::Moved(target); moved]);
            let mut left = waiting(&world);
            left[..stopped].fill(0);
            let [a, b, c, d] = left;
            world.assert_fast([a, b, c, d, CLIENTS as i32 - left.iter().sum::<i32>()]);
        }
        assert_eq!(world.selected.counts(), [0, CLIENTS, 0, 0]);
        dance(&mut world, true);
        assert_eq!(world.selected.counts(), [0, CLIENTS, 0, 0]);
        // The final ACKs arrive, of some before their connections are accepted.
        let accepted: Vec<_> = (0..10).map(|_| world.stack.accept(target).unwrap().unwrap()).collect();
        for (left, handshake) in (0..CLIENTS as i32).rev().zip(world.handshakes.clone()) {
            assert_eq!(world.stack.fastopen_remove(handshake, HandshakeEnd::Done, HERE), Ok(()));
            world.assert_fast([0, 0, 0, 0, left]);
        }
        assert_eq!([accepted, accept_all(&world.stack, target)].concat(), world.in_order());
        let opened = Snapshot { PassiveOpens: CLIENTS, TCPFastOpenPassive: CLIENTS, ..NOTHING };
        counted(&world.stack, Snapshot { TCPMigrateReqSuccess: 3 * CLIENTS, ..opened });
        world.finish();
    }
}

/// M4: half-open requests go to the target when their SYN-ACK timers go off, and are its own from then on.
#[test]
fn m4_half_open_requests_migrate_when_their_timers_go_off() {
    for ip in IPS {
        let mut world = World::new(ip);
        world.connect(Case::Timer);
        world.join();
        let before = world.charges();
        assert_eq!(world.stop_sources(), []);
        assert_eq!(world.charges(), before);
        assert_eq!(world.stack.next_deadline(), Some(1_000));
        assert!(world.stack.poll(Here { cpu: 0, now: 999 }).is_none());
        for request in world.requests.clone() {
            let timed_out = world.stack.poll(Here { cpu: 0, now: 1_000 }).expect("one for each");
            assert_eq!(timed_out.request, request);
            assert_eq!(timed_out.outcome, SynAckTimer::Retransmit { timeouts: 1 });
            assert_eq!(world.stack.rsk_listener(request), Some(world.servers[TARGET]));
        }
        assert!(world.stack.poll(Here { cpu: 0, now: 1_000 }).is_none());
        assert_eq!(world.selected.counts(), [0, 0, CLIENTS, 0]);
        assert_eq!(world.charges(), [(0, 0), (0, 0), (0, 0), (0, 0), (CLIENTS as i32, 0)]);
        complete(world, CLIENTS);
    }
}

/// M5: or when their final ACKs arrive.
#[test]
fn m5_half_open_requests_migrate_when_their_acks_arrive() {
    for ip in IPS {
        let mut world = World::new(ip);
        world.connect(Case::Ack);
        world.join();
        assert_eq!(world.stop_sources(), []);
        complete(world, 0);
    }
}

/// The final ACKs arrive, after so many timeouts.
fn complete(mut world: World, timeouts: u32) {
    let target = world.servers[TARGET];
    for client in 0..CLIENTS {
        assert_eq!(world.ack(client), Ok(target));
    }
    assert_eq!(world.selected.counts(), [0, 0, timeouts, CLIENTS - timeouts]);
    assert_eq!((world.charges(), world.stack.next_deadline()), ([(0, 0); 5], None));
    assert_eq!(accept_all(&world.stack, target), (0..CLIENTS).collect::<Vec<_>>());
    let opened = Snapshot { PassiveOpens: CLIENTS, TCPTimeouts: timeouts, ..NOTHING };
    counted(&world.stack, Snapshot { TCPMigrateReqSuccess: CLIENTS, ..opened });
    world.finish();
}

/// M6: the program knows nothing of the listeners that stop: it drops, everything is lost, and each attempt
/// was a failure.
#[test]
fn m6_without_an_entry_everything_is_lost() {
    for case in [Case::Established, Case::FastOpen, Case::Timer, Case::Ack] {
        let mut world = World::new(IPS[0]);
        world.connect(case);
        world.join();
        world.migrate_map.lock().unwrap().clear();
        let ends = world.stop_sources();
        let opens = if matches!(case, Case::Established | Case::FastOpen) { CLIENTS } else { 0 };
        let fast = if case == Case::FastOpen { CLIENTS } else { 0 };
        let lost = world.in_order().into_iter().take(opens as usize).map(End::Aborted).collect::<Vec<_>>();
        assert_eq!(ends, lost);
        for client in 0..CLIENTS {
            match case {
                Case::Established => {}
                Case::FastOpen => {
                    let handshake = world.handshakes[client as usize];
                    assert_eq!(world.stack.fastopen_remove(handshake, HandshakeEnd::Done, HERE), Ok(()));
                }
                Case::Timer => {
                    let timed_out = world.stack.poll(Here { cpu: 0, now: 1_000 }).expect("one for each");
                    assert_eq!(timed_out.outcome, SynAckTimer::Dropped);
                }
                Case::Ack => assert_eq!(world.ack(client), Err(Refusal::NoListener)),
            }
        }
        assert_eq!((world.charges(), world.selected.counts()), ([(0, 0); 5], [0; 4]));
        world.assert_fast([0; 5]);
        let opened = Snapshot { PassiveOpens: opens, TCPFastOpenPassive: fast, ..NOTHING };
        counted(&world.stack, Snapshot { TCPMigrateReqFailure: CLIENTS, ..opened });
        world.finish();
    }
}

/// M7: the target is not in the map: the program passes without a selection, the hash decides, and nothing is
/// lost.
#[test]
fn m7_with_an_empty_slot_the_hash_decides() {
    let mut world = World::new(IPS[0]);
    world.connect(Case::Established);
    world.join();
    assert_eq!(world.stack.map_delete(TARGET as u32), Ok(()));
    let ends = world.stop_sources();
    // Some of them more than once: the hash spreads them over those that stop next.
    assert!(ends.len() > CLIENTS as usize);
    assert!(ends.iter().all(|end| matches!(end, End::Moved(_))), "{ends:?}");
    assert_eq!(world.selected.counts(), [0; 4]);
    let mut accepted = accept_all(&world.stack, world.servers[TARGET]);
    accepted.sort_unstable();
    assert_eq!(accepted, (0..CLIENTS).collect::<Vec<_>>());
    let success = ends.len() as u32;
    let expected = Snapshot { PassiveOpens: CLIENTS, TCPMigrateReqSuccess: success, ..NOTHING };
    counted(&world.stack, expected);
    world.finish();
}

/// M8: the first server, which had found its port, listens again at another, in another group: what waits at the
/// target cannot go there, and is lost.
#[test]
fn m8_who_found_its_port_is_no_target_any_more() {
    let mut world = World::new(IPS[0]);
    world.connect(Case::Established);
    world.join();
    let [first, .., target] = world.servers;
    assert_eq!(world.stop_sources(), [End::Moved(target); CLIENTS as usize]);
    assert_eq!(world.stack.listen(first, BACKLOG), Err(ListenError::NotBound));
    let elsewhere = world.stack.bind_any(first, world.local, [40_000, 40_001]);
    assert_eq!(elsewhere, Ok(SocketAddr::new(world.local.ip(), 40_001)));
    assert_eq!(world.stack.listen(first, BACKLOG), Ok(()));
    assert_ne!(group_slot(&mut world.stack, first), group_slot(&mut world.stack, target));
    let lost = world.in_order().into_iter().map(End::Aborted).collect::<Vec<_>>();
    assert_eq!(shutdown(&world.stack, target), lost);
    assert_eq!(world.selected.counts(), [CLIENTS, 0, 0, 0]);
    let moved = Snapshot { PassiveOpens: CLIENTS, TCPMigrateReqSuccess: CLIENTS, ..NOTHING };
    counted(&world.stack, Snapshot { TCPMigrateReqFailure: CLIENTS, ..moved });
    world.finish();
}

/// M9: a target that nothing else arrives at is woken for what migrates to it.
#[test]
fn m9_an_idle_target_is_woken() {
    for case in [Case::Established, Case::FastOpen] {
        let mut world = World::new(IPS[0]);
        world.connect(case);
        world.join();
        let target = world.servers[TARGET];
        let wakes = world.servers[..TARGET].iter().flat_map(|&server| {
            world.stack.shutdown(server, HERE).unwrap().map(|outcome| match outcome {
                Outcome::Moved { wake, .. } => wake.map(|wake| wake.listener()),
                _ => None,
            })
        });
        assert_eq!(wakes.collect::<Vec<_>>(), [Some(target); CLIENTS as usize]);
        for &handshake in &world.handshakes {
            assert_eq!(world.stack.fastopen_remove(handshake, HandshakeEnd::Done, HERE), Ok(()));
        }
        world.finish();
    }
}
