//! Random operations on one thread, each answered as a plain reference answers it, and after each the
//! whole object graph recounted.
#![cfg(all(feature = "alloc", feature = "designs", feature = "spin"))]

#[path = "../common/mod.rs"]
mod common;

#[path = "../reference/mod.rs"]
mod reference;

mod addresses;
mod regressions;

use proptest::prelude::*;
use reference::{CLIENTS, CPUS, ENTRIES, NAMED, Op, PROGRAMS, SOCKETS, SPOTS, run};
use rskq::{Design, MapFlag, Syncookies};

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![12 => of_sockets(), 32 => of_connections(), 4 => of_groups()]
}

fn of_sockets() -> impl Strategy<Value = Op> {
    let which = || 0..SOCKETS;
    let spot = || prop_oneof![4 => Just(0), 1 => 1..SPOTS.len()];
    let backlog = || prop_oneof![Just(0), 1..4u32, Just(u32::MAX)];
    let steps = prop_oneof![1 => 1..3usize, 3 => Just(usize::MAX)];
    prop_oneof![
        4 => (which(), spot(), prop::bool::weighted(0.9), backlog())
            .prop_map(|(which, spot, shares, backlog)| Op::Listen { which, spot, shares, backlog }),
        2 => (which(), backlog()).prop_map(|(which, backlog)| Op::ListenAgain { which, backlog }),
        4 => (which(), any::<bool>(), steps)
            .prop_map(|(which, close, steps)| Op::Stop { which, close, steps }),
        1 => (which(), 0..4u32).prop_map(|(which, timeouts)| Op::SetDefer { which, timeouts }),
        2 => (which(), 0..4u32).prop_map(|(which, limit)| Op::SetFastOpen { which, limit }),
    ]
}

fn of_connections() -> impl Strategy<Value = Op> {
    let which = || 0..SOCKETS;
    let client = || 0..CLIENTS.len() as u32;
    let at = || (client(), any::<u32>());
    let arrives = |op: fn(u32, u32) -> Op| at().prop_map(move |(client, hash)| op(client, hash));
    prop_oneof![
        4 => arrives(|client, hash| Op::Deliver { client, hash }),
        3 => which().prop_map(|which| Op::Accept { which }),
        5 => arrives(|client, hash| Op::Syn { client, hash }),
        3 => (client(), any::<bool>()).prop_map(|(client, data)| Op::Ack { client, data }),
        1 => (client(), any::<u32>(), any::<bool>())
            .prop_map(|(client, hash, genuine)| Op::CookieAck { client, hash, genuine }),
        2 => prop_oneof![0..4_000u64, 0..100_000u64].prop_map(|after| Op::Poll { after }),
        3 => (0..NAMED, 0..4u32).prop_map(|(back, retries)| Op::Timer { back, retries }),
        1 => client().prop_map(|client| Op::Reset { client }),
        4 => arrives(|client, hash| Op::SynFastOpen { client, hash }),
        3 => (0..NAMED, any::<bool>()).prop_map(|(back, reset)| Op::EndHandshake { back, reset }),
        1 => which().prop_map(|which| Op::EvictReset { which }),
    ]
}

fn of_groups() -> impl Strategy<Value = Op> {
    let which = || 0..SOCKETS;
    // One more than there are of either.
    let (program, index) = (0..=PROGRAMS.len() as u32, || 0..=ENTRIES);
    let flag = prop_oneof![3 => Just(MapFlag::Any), 1 => Just(MapFlag::NoExist), 1 => Just(MapFlag::Exist)];
    let cookies = prop_oneof![Just(Syncookies::Never), Just(Syncookies::WhenFull), Just(Syncookies::Always)];
    prop_oneof![
        4 => (which(), program).prop_map(|(which, program)| Op::Attach { which, program }),
        2 => which().prop_map(|which| Op::Detach { which }),
        4 => (index(), which(), flag)
            .prop_map(|(index, which, flag)| Op::MapUpdate { index, which, flag }),
        1 => index().prop_map(|index| Op::MapDelete { index }),
        2 => (which(), prop::option::of(0..CPUS))
            .prop_map(|(which, cpu)| Op::SetIncomingCpu { which, cpu }),
        1 => (0..CPUS).prop_map(|cpu| Op::RunOn { cpu }),
        4 => any::<bool>().prop_map(|on| Op::MigrateReq { on }),
        1 => cookies.prop_map(|to| Op::SetSyncookies { to }),
        1 => any::<bool>().prop_map(|on| Op::AbortOnOverflow { on }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn abort_answers_as_the_reference_does(ops in prop::collection::vec(op(), 1..150)) {
        run(Design::Abort, &ops);
    }

    #[test]
    fn linux_answers_as_the_reference_does(ops in prop::collection::vec(op(), 1..150)) {
        run(Design::Linux, &ops);
    }

    #[test]
    fn requeue_answers_as_the_reference_does(ops in prop::collection::vec(op(), 1..150)) {
        run(Design::Requeue, &ops);
    }

    #[test]
    fn handover_answers_as_the_reference_does(ops in prop::collection::vec(op(), 1..150)) {
        run(Design::Handover, &ops);
    }
}
