//! Real threads on the back end that ships: every connection ends exactly once.
//!
//! A bounded number of iterations, so that a slow machine takes longer and proves as much.
#![cfg(all(feature = "alloc", feature = "designs", feature = "spin"))]

mod common;

use common::{Listener, Sizes, TestStack, assert_empty, stack_of, tuple};
use rskq::migrate::CloneFixes;
use rskq::*;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

const LISTENERS: usize = 3;
const BACKLOG: u32 = 4;
const DELIVERERS: u32 = 2;
/// In each round each deliverer delivers some children, and one listener is stopped.
const ROUNDS: u32 = 5_000;
const CHILDREN_A_ROUND: u32 = 5;
/// How many rounds the fastest may be ahead of the slowest: that the threads meet is not left to
/// the scheduler.
const AHEAD: u32 = 20;

/// Few enough that every limit is met now and then.
const SIZES: Sizes =
    Sizes { listeners: 6, requests: 24, owners: 6, groups: 4, socks: 16, buckets: 1, ehash: 2 };

fn addr() -> SocketAddr {
    "[::1]:443".parse().unwrap()
}

/// The stack, the ids of its listeners as they change, and how each child ended.
struct World {
    stack: TestStack,
    listeners: Mutex<[Listener; LISTENERS]>,
    /// How often each child was accepted, aborted or refused.
    ends: Vec<AtomicU32>,
    /// Rounds that each deliverer, and last the closer, has behind it.
    rounds: [AtomicU32; DELIVERERS as usize + 1],
    /// How often a listener was stopped on which connections waited.
    stopped_with_waiting: AtomicU32,
    /// Set when nobody delivers or closes any more.
    done: AtomicBool,
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
        let listeners = std::array::from_fn(|_| stack.listen(addr(), BACKLOG, true).unwrap());
        let ends = (0..ROUNDS * DELIVERERS * CHILDREN_A_ROUND).map(|_| AtomicU32::new(0)).collect();
        Self {
            stack,
            listeners: Mutex::new(listeners),
            ends,
            rounds: [const { AtomicU32::new(0) }; DELIVERERS as usize + 1],
            stopped_with_waiting: AtomicU32::new(0),
            done: AtomicBool::new(false),
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
        self.listeners.lock().unwrap()[which]
    }

    fn deliver(&self, deliverer: u32, round: u32) {
        let first = (round * DELIVERERS + deliverer) * CHILDREN_A_ROUND;
        for child in first..first + CHILDREN_A_ROUND {
            // Any odd factor spreads well enough over three.
            let hash = child.wrapping_mul(0x9e37_79b1);
            let hashes = Hashes { syn_hash: hash, sk_hash: hash.rotate_left(16) };
            match self.stack.deliver(Arrival { tuple: tuple(addr(), child), hashes }, child) {
                Ok(delivered) => assert!(delivered.wake.is_some()),
                Err(Refused { child, why }) => {
                    // There always is a listener, so that none is turned away for want of one.
                    assert_ne!(why, Refusal::NoListener);
                    self.ended(child);
                }
            }
        }
    }

    /// Accepts one connection of each listener, so that some are left to whoever closes; tells
    /// whether any waited.
    fn accept_once(&self) -> bool {
        let mut any = false;
        for which in 0..LISTENERS {
            // An error is a listener that the closer has in hand.
            if let Ok(Some(child)) = self.stack.accept(self.listener(which)) {
                self.ended(child);
                any = true;
            }
        }
        any
    }

    fn accept(&self) {
        while !self.done.load(Ordering::Acquire) {
            self.accept_once();
            thread::yield_now();
        }
    }

    fn take_steps(&self, steps: Closing<'_, '_, u32, common::TestBackend>) {
        for outcome in steps {
            match outcome {
                Outcome::Aborted(child) => self.ended(child),
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
        if self.stack.queue_len(id).unwrap().0 != 0 {
            self.stopped_with_waiting.fetch_add(1, Ordering::Relaxed);
        }
        if round.is_multiple_of(2) {
            self.take_steps(self.stack.shutdown(id).unwrap());
            return self.stack.listen_again(id, BACKLOG).unwrap();
        }
        self.take_steps(self.stack.close(id).unwrap());
        let reopened = loop {
            match self.stack.listen(addr(), BACKLOG, true) {
                Ok(reopened) => break reopened,
                // Connections still name the closed ones, until they are accepted.
                Err(error) => assert_eq!(error, ListenError::NoListenerSlot),
            }
            thread::yield_now();
        };
        self.listeners.lock().unwrap()[which] = reopened;
    }

    fn run(&self) {
        thread::scope(|scope| {
            let acceptor = scope.spawn(|| self.accept());
            let workers = (0..DELIVERERS)
                .map(|deliverer| {
                    scope.spawn(move || self.in_rounds(deliverer, |round| self.deliver(deliverer, round)))
                })
                .chain([scope.spawn(|| self.in_rounds(DELIVERERS, |round| self.close_and_reopen(round)))])
                .collect::<Vec<_>>();
            let finished: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
            // Whatever became of them, or the acceptor would go on for ever.
            self.done.store(true, Ordering::Release);
            finished.into_iter().chain([acceptor.join()]).for_each(|result| result.unwrap());
        });
    }

    fn finish(mut self) {
        while self.accept_once() {}
        for which in 0..LISTENERS {
            self.take_steps(self.stack.close(self.listener(which)).unwrap());
        }
        assert_empty(&mut self.stack);
        for (child, ends) in self.ends.iter().enumerate() {
            assert_eq!(ends.load(Ordering::Relaxed), 1, "child {child}");
        }
    }
}

fn every_connection_ends_once(design: Design) {
    let world = World::new(design);
    world.run();
    assert_ne!(world.stopped_with_waiting.load(Ordering::Relaxed), 0, "the threads never met");
    world.finish();
}

#[test]
fn every_connection_ends_once_under_abort() {
    every_connection_ends_once(Design::Abort);
}

#[test]
fn every_connection_ends_once_under_clone() {
    every_connection_ends_once(Design::Clone(CloneFixes::AS_FIXED));
}

#[test]
fn every_connection_ends_once_under_splice() {
    every_connection_ends_once(Design::Splice);
}

#[test]
fn every_connection_ends_once_under_requeue() {
    every_connection_ends_once(Design::Requeue);
}
