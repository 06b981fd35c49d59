//! Calls with what most tests do not care about filled in, and what they answer.

use super::{HERE, Listener, Request, Sizes, TestBackend, TestStack, assert_empty, graph, stack_of, tuple};
use rskq::counters::Snapshot;
use rskq::queue::Charges;
use rskq::*;
use std::net::SocketAddr;

/// Enough for tests that are not about running out.
pub(crate) const ENOUGH: Sizes =
    Sizes { listeners: 8, requests: 16, owners: 8, groups: 4, max_socks: 8, chunks: 4, buckets: 4, ehash: 4 };

pub(crate) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn addr() -> SocketAddr {
    at("127.0.0.1:80")
}

pub(crate) fn stack(design: Design) -> TestStack {
    stack_of(ENOUGH, design)
}

/// A hash that falls on member `place` of `n`.
pub(crate) fn hash_of(place: u32, n: u32) -> u32 {
    (u64::from(place) << 32).div_ceil(u64::from(n)) as u32
}

/// Returns who got `child` and is to be woken, or why nobody did and gave it back.
pub(crate) fn delivered(
    result: Result<Delivered<u32, TestBackend>, Refused<u32>>,
    child: u32,
) -> Result<Listener, Refusal> {
    match result {
        Ok(Delivered { listener, wake }) => {
            assert_eq!(wake.map(|wake| wake.listener()), Some(listener));
            Ok(listener)
        }
        Err(Refused { child: back, why }) => {
            assert_eq!(back, child, "the child comes back");
            Err(why)
        }
    }
}

pub(crate) fn deliver_to(
    stack: &TestStack,
    local: SocketAddr,
    hashes: Hashes,
    child: u32,
) -> Result<Listener, Refusal> {
    delivered(stack.deliver(Arrival { tuple: tuple(local, child), hashes }, HERE, child), child)
}

/// What arrives from client number `client` for member `place` of `n`, and for member `target` of
/// those that are left when it migrates.
pub(crate) fn arrival_at(place: (u32, u32), target: (u32, u32), client: u32) -> Arrival {
    let hashes = Hashes { syn_hash: hash_of(place.0, place.1), sk_hash: hash_of(target.0, target.1) };
    Arrival { tuple: tuple(addr(), client), hashes }
}

/// What arrives from client number `client` for the member that the lowest hash falls on.
pub(crate) fn arrival(client: u32) -> Arrival {
    arrival_at((0, 1), (0, 1), client)
}

/// A SYN that must make a request.
pub(crate) fn syn(stack: &TestStack, arrival: Arrival) -> Request {
    match stack.syn(arrival, HERE) {
        Ok(Syn::New { request, .. }) => request,
        other => panic!("{:?}", other.map(drop)),
    }
}

/// The final ACK of client number `client`, whose connection has the same number.
pub(crate) fn ack(stack: &TestStack, client: u32) -> Result<Listener, Refusal> {
    delivered(stack.ack(&tuple(addr(), client), Payload::None, HERE, client), client)
}

pub(crate) fn reset(stack: &TestStack, client: u32) -> Result<(), Refusal> {
    stack.reset(&tuple(addr(), client))
}

/// How many half-open requests `listener` is charged with, and how many of them are young.
pub(crate) fn charges(stack: &mut TestStack, listener: Listener) -> (i32, i32) {
    let Charges { qlen, young } = graph(stack).listeners[listener.index() as usize].charges;
    (qlen, young)
}

/// Delivers to the member that the lowest hash falls on: the oldest, unless members have left.
pub(crate) fn deliver(stack: &TestStack, child: u32) -> Result<Listener, Refusal> {
    deliver_to(stack, addr(), Hashes::default(), child)
}

/// Delivers to member `place` of `n`, of which it says when it migrates that it belongs to
/// `target` of those that are left.
pub(crate) fn deliver_at(stack: &TestStack, place: (u32, u32), target: (u32, u32), child: u32) -> Listener {
    delivered(stack.deliver(arrival_at(place, target, child), HERE, child), child).unwrap()
}

pub(crate) fn accept_all(stack: &TestStack, listener: Listener) -> Vec<u32> {
    std::iter::from_fn(|| stack.accept(listener).unwrap()).collect()
}

/// What became of one connection, or of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It moved, and the target was woken.
    Moved(Listener),
    /// The whole queue moved.
    Spliced(Listener),
    /// Everything moved, so many connections among it, and the heir was woken if there were any.
    HandedOver(Listener, u32),
    Aborted(u32),
}

pub(crate) fn end(outcome: Outcome<u32, TestBackend>) -> End {
    match outcome {
        Outcome::Moved { to, wake } => {
            assert_eq!(wake.map(|wake| wake.listener()), Some(to));
            End::Moved(to)
        }
        Outcome::Spliced { to } => End::Spliced(to),
        Outcome::HandedOver { to, connections, wake } => {
            assert_eq!(wake.map(|wake| wake.listener()), (connections > 0).then_some(to));
            End::HandedOver(to, connections)
        }
        Outcome::Aborted(child) => End::Aborted(child),
    }
}

pub(crate) fn close(stack: &TestStack, listener: Listener) -> Vec<End> {
    stack.close(listener, HERE).unwrap().map(end).collect()
}

pub(crate) fn shutdown(stack: &TestStack, listener: Listener) -> Vec<End> {
    stack.shutdown(listener, HERE).unwrap().map(end).collect()
}

/// What was counted of refusals and migrations; what goes its ordinary way is counted, too.
pub(crate) fn mishaps(stack: &TestStack) -> Snapshot {
    let ordinary = Snapshot::default();
    Snapshot {
        PassiveOpens: ordinary.PassiveOpens,
        TCPFastOpenPassive: ordinary.TCPFastOpenPassive,
        TCPTimeouts: ordinary.TCPTimeouts,
        EmbryonicRsts: ordinary.EmbryonicRsts,
        ..stack.counters()
    }
}

/// Closes a socket that may be closed already and has nothing to move.
pub(crate) fn close_shut(stack: &TestStack, id: Listener) {
    if let Ok(steps) = stack.close(id, HERE) {
        assert_eq!(steps.count(), 0);
    }
}

/// Accepts everything, closes everything, and asserts that nothing is in use after that.
pub(crate) fn finish(mut stack: TestStack, listeners: &[Listener]) {
    for &listener in listeners {
        // Some of them may not listen.
        while let Ok(Some(_)) = stack.accept(listener) {}
    }
    for &listener in listeners {
        // A splice is reported of an empty queue too.
        let ends = close(&stack, listener);
        assert!(ends.iter().all(|end| matches!(end, End::Spliced(_))), "{ends:?}");
    }
    assert_empty(&mut stack);
}
