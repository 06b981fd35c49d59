//! Random operations on one thread, each answered as a plain reference answers it, and after each the
//! whole object graph recounted.
#![cfg(all(feature = "alloc", feature = "designs", feature = "spin"))]

#[path = "../common/mod.rs"]
mod common;

mod addresses;
mod closing;
mod fast;
mod handshakes;
mod sockets;
mod world;

use proptest::prelude::*;
use rskq::Design;
use world::World;

/// Sockets that an operation can name; more than there is memory for.
const SOCKETS: usize = 5;
/// Clients: each has a tuple of its own and at most one half-open request.
const CLIENTS: u32 = 6;
/// How many requests and handshakes back an operation may name one.
const NAMED: usize = 8;

#[derive(Clone, Copy, Debug)]
enum Op {
    Listen { which: usize, backlog: u32 },
    ListenAgain { which: usize, backlog: u32 },
    Stop { which: usize, close: bool, steps: usize },
    Deliver { client: u32, hash: u32 },
    Accept { which: usize },
    Syn { client: u32, hash: u32 },
    Ack { client: u32, data: bool },
    CookieAck { client: u32, hash: u32, genuine: bool },
    SetDefer { which: usize, timeouts: u32 },
    MigrateReq { on: bool },
    Poll { after: u64 },
    Timer { back: usize, retries: u32 },
    Reset { client: u32 },
    SetFastOpen { which: usize, limit: u32 },
    SynFastOpen { client: u32, hash: u32 },
    EndHandshake { back: usize, reset: bool },
    EvictReset { which: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let which = || 0..SOCKETS;
    let client = || 0..CLIENTS;
    let backlog = || prop_oneof![Just(0), 1..4u32, Just(u32::MAX)];
    let steps = prop_oneof![1 => 1..3usize, 3 => Just(usize::MAX)];
    let at = || (client(), any::<u32>());
    let arrives = |op: fn(u32, u32) -> Op| at().prop_map(move |(client, hash)| op(client, hash));
    prop_oneof![
        3 => (which(), backlog()).prop_map(|(which, backlog)| Op::Listen { which, backlog }),
        2 => (which(), backlog()).prop_map(|(which, backlog)| Op::ListenAgain { which, backlog }),
        4 => (which(), any::<bool>(), steps)
            .prop_map(|(which, close, steps)| Op::Stop { which, close, steps }),
        4 => arrives(|client, hash| Op::Deliver { client, hash }),
        3 => which().prop_map(|which| Op::Accept { which }),
        5 => arrives(|client, hash| Op::Syn { client, hash }),
        3 => (client(), any::<bool>()).prop_map(|(client, data)| Op::Ack { client, data }),
        1 => (client(), any::<u32>(), any::<bool>())
            .prop_map(|(client, hash, genuine)| Op::CookieAck { client, hash, genuine }),
        1 => (which(), 0..4u32).prop_map(|(which, timeouts)| Op::SetDefer { which, timeouts }),
        1 => any::<bool>().prop_map(|on| Op::MigrateReq { on }),
        2 => prop_oneof![0..4_000u64, 0..100_000u64].prop_map(|after| Op::Poll { after }),
        3 => (0..NAMED, 0..4u32).prop_map(|(back, retries)| Op::Timer { back, retries }),
        1 => client().prop_map(|client| Op::Reset { client }),
        2 => (which(), 0..4u32).prop_map(|(which, limit)| Op::SetFastOpen { which, limit }),
        4 => arrives(|client, hash| Op::SynFastOpen { client, hash }),
        3 => (0..NAMED, any::<bool>()).prop_map(|(back, reset)| Op::EndHandshake { back, reset }),
        1 => which().prop_map(|which| Op::EvictReset { which }),
    ]
}

fn run(design: Design, ops: Vec<Op>) {
    let mut world = World::new(design);
    for op in ops {
        world.step(op);
        world.check();
    }
    world.finish();
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn abort_answers_as_the_reference_does(ops in prop::collection::vec(op(), 1..150)) {
        run(Design::Abort, ops);
    }

    #[test]
    fn linux_answers_as_the_reference_does(ops in prop::collection::vec(op(), 1..150)) {
        run(Design::Linux, ops);
    }

    #[test]
    fn requeue_answers_as_the_reference_does(ops in prop::collection::vec(op(), 1..150)) {
        run(Design::Requeue, ops);
    }

    #[test]
    fn handover_answers_as_the_reference_does(ops in prop::collection::vec(op(), 1..150)) {
        run(Design::Handover, ops);
    }
}
