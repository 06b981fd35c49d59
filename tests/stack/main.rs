//! The stack from outside, one thread: what each call answers, and that nothing is left over.
#![cfg(all(feature = "alloc", feature = "designs", feature = "spin"))]

#[path = "../common/mod.rs"]
mod common;

mod address;
mod capacity;
mod closing;
mod ids;
mod memory;
mod migration;
mod queue;
mod requeue;

use common::{Listener, Sizes, TestStack, assert_empty, stack_of, tuple};
use rskq::migrate::CloneFixes;
use rskq::*;
use std::net::SocketAddr;

/// Enough for tests that are not about running out.
const ENOUGH: Sizes =
    Sizes { listeners: 8, requests: 16, owners: 8, groups: 4, socks: 32, buckets: 4, ehash: 4 };

const CLONE: Design = Design::Clone(CloneFixes::AS_FIXED);
const DESIGNS: [Design; 5] = [Design::Abort, Design::Requeue, Design::Handover, Design::Splice, CLONE];

fn addr() -> SocketAddr {
    "127.0.0.1:80".parse().unwrap()
}

fn stack(design: Design) -> TestStack {
    stack_of(ENOUGH, design)
}

/// A hash that falls on member `place` of `n`.
fn hash_of(place: u32, n: u32) -> u32 {
    (u64::from(place) << 32).div_ceil(u64::from(n)) as u32
}

fn deliver_to(stack: &TestStack, local: SocketAddr, hashes: Hashes, child: u32) -> Result<Listener, Refusal> {
    match stack.deliver(Arrival { tuple: tuple(local, child), hashes }, child) {
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

/// Delivers to the member that the lowest hash falls on: the oldest, unless members have left.
fn deliver(stack: &TestStack, child: u32) -> Result<Listener, Refusal> {
    deliver_to(stack, addr(), Hashes::default(), child)
}

/// Delivers to member `place` of `n`, of which it says when it migrates that it belongs to
/// `target` of those that are left.
fn deliver_at(stack: &TestStack, place: (u32, u32), target: (u32, u32), child: u32) -> Listener {
    let hashes = Hashes { syn_hash: hash_of(place.0, place.1), sk_hash: hash_of(target.0, target.1) };
    deliver_to(stack, addr(), hashes, child).unwrap()
}

fn accept_all(stack: &TestStack, listener: Listener) -> Vec<u32> {
    std::iter::from_fn(|| stack.accept(listener).unwrap()).collect()
}

/// What became of one connection, or of a queue.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// It moved, and the target was woken.
    Moved(Listener),
    /// The whole queue moved.
    Spliced(Listener),
    /// Everything moved, so many connections among it, and the heir was woken if there were any.
    HandedOver(Listener, u32),
    Aborted(u32),
}

fn end(outcome: Outcome<u32, common::TestBackend>) -> End {
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

fn close(stack: &TestStack, listener: Listener) -> Vec<End> {
    stack.close(listener).unwrap().map(end).collect()
}

fn shutdown(stack: &TestStack, listener: Listener) -> Vec<End> {
    stack.shutdown(listener).unwrap().map(end).collect()
}

/// Accepts everything, closes everything, and asserts that nothing is in use after that.
fn finish(mut stack: TestStack, listeners: &[Listener]) {
    for &listener in listeners {
        accept_all(&stack, listener);
    }
    for &listener in listeners {
        // A splice is reported of an empty queue too.
        let ends = close(&stack, listener);
        assert!(ends.iter().all(|end| matches!(end, End::Spliced(_))), "{ends:?}");
    }
    assert_empty(&mut stack);
}
