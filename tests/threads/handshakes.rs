//! Handshakes, ordinary and fast: their timers go off, and their ends come, in another thread.

use super::common::HERE;
use super::{World, addr, keeps_all};
use crate::common::{Request, tuple};
use rskq::*;
use spin::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// After so many timeouts a request is given up.
const RETRIES: u32 = 1;

/// Handshakes that go on, for who minds the timers.
#[derive(Default)]
pub(super) struct Handshakes {
    half_open: Mutex<Vec<Request>>,
    fast: Mutex<Vec<Request>>,
    /// How many of the fast ones began, and how many ended.
    began: AtomicU32,
    ended: AtomicU32,
    /// How often a SYN-ACK was sent again, and a request given up.
    sent_again: AtomicU32,
    given_up: AtomicU32,
}

impl World {
    /// Each child arrives in another way.
    pub(super) fn shake_hands(&self, client: u32, round: u32) {
        for (child, hashes) in World::children(client, round) {
            let arrival = Arrival { tuple: tuple(addr(), child), hashes };
            match child % 5 {
                0 => self.deliver(child, hashes),
                1 => self.open_fast(arrival, child),
                2 => {
                    self.syn(arrival);
                    // Whether it was given up already is the timers' business.
                    let reset = self.stack.reset(&arrival.tuple);
                    assert!(matches!(reset, Ok(()) | Err(Refusal::NoRequest)));
                    self.ended(child);
                }
                _ => {
                    self.syn(arrival);
                    if child.is_multiple_of(2) {
                        thread::yield_now();
                    }
                    self.ack(arrival, child);
                }
            }
        }
    }

    fn syn(&self, arrival: Arrival) {
        for _ in 0..2 {
            match self.stack.syn(arrival, HERE) {
                Ok(Syn::New { request: id, .. } | Syn::Duplicate(id)) => {
                    self.handshakes.half_open.lock().push(id)
                }
                Ok(Syn::Cookie(_)) => {}
                Err(why) => assert!(
                    matches!(why, Refusal::NoRequestSlot | Refusal::AcceptQueueFull),
                    "somebody listens: {why:?}"
                ),
            }
        }
    }

    fn ack(&self, arrival: Arrival, child: u32) {
        match self.stack.ack(&arrival.tuple, Payload::None, HERE, child) {
            Ok(delivered) => assert!(delivered.wake.is_some()),
            Err(Refused { child, why }) => {
                match why {
                    Refusal::NoRequest => {}
                    // It stays, and its client gives up.
                    Refusal::AcceptQueueFull => drop(self.stack.reset(&arrival.tuple)),
                    why => assert!(why == Refusal::NoListener && !keeps_all(self.design), "{why:?}"),
                }
                self.ended(child);
            }
        }
    }

    fn open_fast(&self, arrival: Arrival, child: u32) {
        match self.stack.syn_fastopen(arrival, HERE, child) {
            Ok(FastOpened { delivered, handshake }) => {
                assert!(delivered.wake.is_some());
                self.handshakes.began.fetch_add(1, Ordering::Relaxed);
                self.handshakes.fast.lock().push(handshake);
                if child.is_multiple_of(2) {
                    self.end_fast(handshake, HandshakeEnd::Done);
                }
            }
            Err(Refused { child, why }) => {
                assert_ne!(why, Refusal::NoListener);
                self.ended(child);
            }
        }
    }

    fn end_fast(&self, handshake: Request, end: HandshakeEnd) {
        if self.stack.fastopen_remove(handshake, end, HERE).is_ok() {
            self.handshakes.ended.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn tick(&self, id: Request) {
        let outcome = self.stack.synack_timer(id, RETRIES, HERE);
        let counter = match outcome {
            Err(error) => return assert_eq!(error, SockError::Stale),
            Ok(SynAckTimer::Retransmit { .. }) => &self.handshakes.sent_again,
            Ok(outcome) => {
                assert!(outcome == SynAckTimer::Expired || !keeps_all(self.design), "somebody listens");
                &self.handshakes.given_up
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets the timers of what was half open a moment ago go off, and fast handshakes end.
    fn mind_once(&self) {
        let half_open = std::mem::take(&mut *self.handshakes.half_open.lock());
        half_open.into_iter().for_each(|id| self.tick(id));
        let fast = std::mem::take(&mut *self.handshakes.fast.lock());
        fast.into_iter().for_each(|handshake| self.end_fast(handshake, HandshakeEnd::Reset));
    }

    pub(super) fn mind_timers(&self) {
        while !self.done.load(Ordering::Acquire) {
            self.mind_once();
            thread::yield_now();
        }
    }

    /// When nobody arrives any more: what is left ends, and each handshake ended once.
    pub(super) fn end_handshakes(&self) {
        self.mind_once();
        let Handshakes { began, ended, sent_again, given_up, .. } = &self.handshakes;
        assert_eq!(began.load(Ordering::Relaxed), ended.load(Ordering::Relaxed));
        for seen in [began, sent_again, given_up] {
            assert_ne!(seen.load(Ordering::Relaxed), 0, "the threads never met");
        }
    }
}
