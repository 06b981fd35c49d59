//! Real threads on the back end that ships: every connection ends exactly once.
//!
//! A bounded number of iterations, so that a slow machine takes longer and proves as much.
#![cfg(all(feature = "alloc", feature = "designs", feature = "spin"))]

#[path = "../common/mod.rs"]
mod common;

mod handshakes;

use common::{HERE, Listener, Sizes, TestBackend, TestStack, assert_empty, stack_of, tuple};
use handshakes::Handshakes;
use rskq::inspect::Violation;
use rskq::migrate::CloneFixes;
use rskq::*;
use spin::Mutex;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

const LISTENERS: usize = 3;
const BACKLOG: u32 = 4;
const CLIENTS: u32 = 2;
/// In each round some children of each client arrive, and one listener is stopped.
const ROUNDS: u32 = 5_000;
const CHILDREN_A_ROUND: u32 = 5;
/// How many children arrive at clients. The closer has others.
const ARRIVE: u32 = ROUNDS * CLIENTS * CHILDREN_A_ROUND;
/// How many rounds the fastest may be ahead of the slowest: that the threads meet is not left to
/// the scheduler.
const AHEAD: u32 = 20;

/// Connections that each listener opens fast.
const FAST: u32 = 3;

/// Few enough that every limit is met now and then.
const SIZES: Sizes =
    Sizes { listeners: 6, requests: 24, owners: 8, groups: 4, max_socks: 4, chunks: 4, buckets: 1, ehash: 2 };

fn addr() -> SocketAddr {
    "[::1]:443".parse().unwrap()
}

/// The stack, the ids of its listeners as they change, and how each child ended.
struct World {
    stack: TestStack,
    design: Design,
    listeners: Mutex<[Listener; LISTENERS]>,
    /// How often each child was accepted, aborted or refused.
    ends: Vec<AtomicU32>,
    /// How many of them were aborted.
    aborted: AtomicU32,
    /// Rounds that each client, and last the closer, has behind it.
    rounds: [AtomicU32; CLIENTS as usize + 1],
    /// How often a listener was stopped on which connections waited.
    stopped_with_waiting: AtomicU32,
    /// Set when nobody arrives or closes any more.
    done: AtomicBool,
    handshakes: Handshakes,
}

/// Nobody waits for a thread that is gone, for whatever reason.
struct Leave<'a>(&'a AtomicU32);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.store(u32::MAX, Ordering::Release);
    }
}

impl World {
    fn new(design: Design) -> Self {
        let stack = stack_of(SIZES, design);
        let listeners = std::array::from_fn(|_| stack.listen_at(addr(), BACKLOG, true).unwrap());
        listeners.iter().for_each(|&id| stack.set_fastopen(id, FAST).unwrap());
        let ends = (0..ARRIVE + ROUNDS * LISTENERS as u32).map(|_| AtomicU32::new(0)).collect();
        Self {
            stack,
            design,
            listeners: Mutex::new(listeners),
            ends,
            aborted: AtomicU32::new(0),
            rounds: [const { AtomicU32::new(0) }; CLIENTS as usize + 1],
            stopped_with_waiting: AtomicU32::new(0),
            done: AtomicBool::new(false),
            handshakes: Handshakes::default(),
        }
    }

    /// Does a worker's part of every round, about when the others do theirs.
    fn in_rounds(&self, worker: u32, part: impl Fn(u32)) {
        let behind = &self.rounds[worker as usize];
        let _leave = Leave(behind);
        for round in 0..ROUNDS {
            while self.rounds.iter().any(|other| other.load(Ordering::Acquire).saturating_add(AHEAD) < round)
            {
                thread::yield_now();
            }
            part(round);
            behind.store(round + 1, Ordering::Release);
        }
    }

    fn ended(&self, child: u32) {
        self.ends[child as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn listener(&self, which: usize) -> Listener {
        self.listeners.lock()[which]
    }

    /// The children that arrive at a client in a round, each with its hashes.
    fn children(client: u32, round: u32) -> impl Iterator<Item = (u32, Hashes)> {
        let first = (round * CLIENTS + client) * CHILDREN_A_ROUND;
        (first..first + CHILDREN_A_ROUND).map(|child| {
            // Any odd factor spreads well enough over three.
            let hash = child.wrapping_mul(0x9e37_79b1);
            (child, Hashes { syn_hash: hash, sk_hash: hash.rotate_left(16) })
        })
    }

    fn deliver(&self, child: u32, hashes: Hashes) {
        match self.stack.deliver(Arrival { tuple: tuple(addr(), child), hashes }, HERE, child) {
            Ok(delivered) => assert!(delivered.wake.is_some()),
            Err(Refused { child, why }) => {
                // There always is a listener, so that none is turned away for want of one.
                assert_ne!(why, Refusal::NoListener);
                self.ended(child);
            }
        }
    }

    fn deliver_all(&self, client: u32, round: u32) {
        World::children(client, round).for_each(|(child, hashes)| self.deliver(child, hashes));
    }

    /// Accepts one connection of each listener, so that some are left to whoever closes; tells
    /// whether any waited.
    fn accept_once(&self) -> bool {
        let mut any = false;
        for which in 0..LISTENERS {
            // An error is a listener that the closer has in hand.
            let listener = self.listener(which);
            if let Ok(Some(child)) = self.stack.accept(listener) {
                self.ended(child);
                any = true;
            }
            any |= self.stack.evict_reset(listener) == Ok(true);
        }
        any
    }

    fn accept(&self) {
        while !self.done.load(Ordering::Acquire) {
            self.accept_once();
            thread::yield_now();
        }
    }

    fn take_steps(&self, steps: Closing<'_, '_, u32, TestBackend>) {
        for outcome in steps {
            match outcome {
                Outcome::Aborted(child) => {
                    self.aborted.fetch_add(1, Ordering::Relaxed);
                    self.ended(child);
                }
                Outcome::Moved { wake, .. } => assert!(wake.is_some()),
                Outcome::HandedOver { connections, wake, .. } => assert_eq!(wake.is_some(), connections > 0),
                Outcome::Spliced { .. } => {}
            }
        }
    }

    /// Stops one listener after the other, and opens it again or another in its place.
    fn close_and_reopen(&self, round: u32) {
        let which = round as usize % LISTENERS;
        let id = self.listener(which);
        // One for each member, so that something waits, unless it is accepted at once.
        for place in 0..LISTENERS as u32 {
            let hash = u32::MAX / LISTENERS as u32 * place + 1;
            let child = ARRIVE + round * LISTENERS as u32 + place;
            self.deliver(child, Hashes { syn_hash: hash, sk_hash: hash });
        }
        if self.stack.queue_len(id).unwrap().0 != 0 {
            self.stopped_with_waiting.fetch_add(1, Ordering::Relaxed);
        }
        if round.is_multiple_of(2) {
            self.take_steps(self.stack.shutdown(id, HERE).unwrap());
            return self.stack.listen(id, BACKLOG).unwrap();
        }
        self.take_steps(self.stack.close(id, HERE).unwrap());
        let reopened = loop {
            match self.stack.listen_at(addr(), BACKLOG, true) {
                Ok(reopened) => break reopened,
                // Connections still name the closed ones, until they are accepted.
                Err(error) => assert_eq!(error, ListenError::NoListenerSlot),
            }
            thread::yield_now();
        };
        self.stack.set_fastopen(reopened, FAST).unwrap();
        self.listeners.lock()[which] = reopened;
    }

    /// Runs `arrive` for each client and round, beside who accepts, who closes and who minds the timers.
    fn run(&self, arrive: fn(&Self, u32, u32)) {
        thread::scope(|scope| {
            let others = [scope.spawn(|| self.accept()), scope.spawn(|| self.mind_timers())];
            let workers = (0..CLIENTS)
                .map(|client| {
                    scope.spawn(move || self.in_rounds(client, |round| arrive(self, client, round)))
                })
                .chain([scope.spawn(|| self.in_rounds(CLIENTS, |round| self.close_and_reopen(round)))])
                .collect::<Vec<_>>();
            let finished: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
            // Whatever became of them, or the others would go on for ever.
            self.done.store(true, Ordering::Release);
            finished
                .into_iter()
                .chain(others.map(thread::ScopedJoinHandle::join))
                .for_each(|result| result.unwrap());
        });
    }

    fn finish(mut self) {
        assert_ne!(self.stopped_with_waiting.load(Ordering::Relaxed), 0, "the threads never met");
        let aborted = self.aborted.load(Ordering::Relaxed);
        assert!(aborted == 0 || !keeps_all(self.design), "somebody always listened");
        // Spliced requests go on naming who has closed, and nothing else may be wrong.
        let broken = self.stack.graph_mut().violations();
        let named = |violation: &Violation| self.design == Design::Splice && violation.invariant == "I5";
        assert!(broken.iter().all(named), "{broken:?}");
        while self.accept_once() {}
        for which in 0..LISTENERS {
            self.take_steps(self.stack.close(self.listener(which), HERE).unwrap());
        }
        assert_empty(&mut self.stack);
        for (child, ends) in self.ends.iter().enumerate() {
            assert_eq!(ends.load(Ordering::Relaxed), 1, "child {child}");
        }
    }
}

/// Tells whether nothing is lost under `design` as long as somebody listens, which is always so.
fn keeps_all(design: Design) -> bool {
    matches!(design, Design::Requeue | Design::Handover)
}

fn every_delivered_connection_ends_once(design: Design) {
    let world = World::new(design);
    world.run(World::deliver_all);
    world.finish();
}

fn every_handshake_ends_once(design: Design) {
    let world = World::new(design);
    world.run(World::shake_hands);
    world.end_handshakes();
    world.finish();
}

#[test]
fn delivered_connections_end_once_under_abort() {
    every_delivered_connection_ends_once(Design::Abort);
}

#[test]
fn delivered_connections_end_once_under_clone() {
    every_delivered_connection_ends_once(Design::Clone(CloneFixes::AS_FIXED));
}

#[test]
fn delivered_connections_end_once_under_splice() {
    every_delivered_connection_ends_once(Design::Splice);
}

#[test]
fn delivered_connections_end_once_under_requeue() {
    every_delivered_connection_ends_once(Design::Requeue);
}

#[test]
fn delivered_connections_end_once_under_handover() {
    every_delivered_connection_ends_once(Design::Handover);
}

#[test]
fn handshakes_end_once_under_abort() {
    every_handshake_ends_once(Design::Abort);
}

#[test]
fn handshakes_end_once_under_requeue() {
    every_handshake_ends_once(Design::Requeue);
}

#[test]
fn handshakes_end_once_under_handover() {
    every_handshake_ends_once(Design::Handover);
}
