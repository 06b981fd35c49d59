//! SYN, SYN-ACK timer, final ACK, reset.

use super::world::{RETRIES, Socket, State, World, ends, free_requests, half_open, sk_hash};
use crate::common::{Request, retries_left};
use rskq::inspect::Graph;
use rskq::*;

/// What a SYN is answered with.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    New(usize),
    Again(Request),
    Cookie(usize),
}

impl World {
    pub(crate) fn syn(&mut self, before: &Graph<u32>, client: u32, hash: u32) {
        let expected = self.answer(before, client, hash);
        match self.stack.syn(World::arrival(client, hash), self.here()) {
            Ok(Syn::New { request: id, listener }) => {
                let which = self.at_slot(listener.index()).expect("who listens is known");
                assert_eq!(expected, Ok(Answer::New(which)));
                assert!(self.syns.iter().all(|(before, _)| *before != id), "an id is given out once");
                self.half_open.insert(client, (id, hash));
                self.syns.push((id, client));
                self.arm(client, 0);
                self.charged = Some((client, which));
            }
            Ok(Syn::Duplicate(id)) => {
                assert_eq!(expected, Ok(Answer::Again(id)));
                let timeouts = half_open(before, client).expect("it is known").num_timeout;
                self.arm(client, timeouts);
            }
            Ok(Syn::Cookie(id)) => {
                let which = self.at_slot(id.index()).expect("who listens is known");
                assert_eq!(expected, Ok(Answer::Cookie(which)));
                let now = self.cookie_time();
                self.group_of(which).expect("it listens").cookie = Some(now);
            }
            Err(why) => assert_eq!(expected, Err(why)),
        }
    }

    /// What a SYN is answered with.
    fn answer(&self, before: &Graph<u32>, client: u32, hash: u32) -> Result<Answer, Refusal> {
        if let Some((known, _)) = self.half_open.get(&client) {
            return Ok(Answer::Again(*known));
        }
        let which = self.selected(client, hash, Occasion::Syn)?;
        let never = self.sysctl.tcp_syncookies == Syncookies::Never;
        let cookie = self.wants_cookie(before, which);
        if cookie && never {
            return Err(Refusal::SynQueueFull);
        }
        if self.known(which).is_full() {
            return Err(Refusal::AcceptQueueFull);
        }
        let most = i64::from(self.sysctl.tcp_max_syn_backlog);
        if never && self.qlen(before, which) > most - most / 4 {
            return Err(Refusal::SynQueueFull);
        }
        if cookie {
            return Ok(Answer::Cookie(which));
        }
        if free_requests(before) == 0 { Err(Refusal::NoRequestSlot) } else { Ok(Answer::New(which)) }
    }

    fn qlen(&self, before: &Graph<u32>, which: usize) -> i64 {
        before.listeners[self.known(which).id.index() as usize].charges.qlen.into()
    }

    /// Tells whether a SYN is answered with a cookie: always, or since the listener is charged with more
    /// half-open requests than its backlog.
    pub(crate) fn wants_cookie(&self, before: &Graph<u32>, which: usize) -> bool {
        self.sysctl.tcp_syncookies == Syncookies::Always
            || self.qlen(before, which) > i64::from(self.known(which).backlog)
    }

    /// Returns who answers for a half-open request when it is looked at: its listener if that listens, or
    /// who adopts it.
    fn answers(&self, before: &Graph<u32>, client: u32, hash: u32, occasion: Occasion) -> Option<usize> {
        let slot = half_open(before, client).expect("the reference knows it").rsk_listener?;
        if let Some(root) = self.at_slot(slot).filter(|&root| self.known(root).state == State::Listening) {
            return Some(root);
        }
        match self.design {
            Design::Linux => {
                let (members, program) = self.still_in(before, slot);
                self.migrates_to(&members, program, sk_hash(hash), occasion)
            }
            _ if self.adopts() => self.selected(client, sk_hash(hash), occasion).ok(),
            _ => None,
        }
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.now / 1_000
    }

    /// Starts the timer of a client's request, or starts it anew.
    fn arm(&mut self, client: u32, timeouts: u32) {
        self.disarm(client);
        self.started += 1;
        let deadline = self.now + (1_000 << timeouts);
        self.deadlines.insert((deadline, timeouts, self.started), client);
    }

    fn disarm(&mut self, client: u32) {
        self.deadlines.retain(|_, armed| *armed != client);
    }

    /// The client's request is not half open any more.
    fn gone(&mut self, client: u32) -> Option<(Request, u32)> {
        self.disarm(client);
        self.acked.remove(&client);
        self.half_open.remove(&client)
    }

    pub(crate) fn ack(&mut self, before: &Graph<u32>, client: u32, data: bool) {
        let hash = self.half_open.get(&client).map(|(_, hash)| *hash);
        let child = self.child(client, hash.unwrap_or(0));
        let expected = match hash {
            None => Err(Refusal::NoRequest),
            Some(hash) => match self.answers(before, client, hash, Occasion::Ack) {
                None => Err(Refusal::NoListener),
                Some(which) if !data && timeouts(before, client) < self.known(which).defer => {
                    Err(Refusal::Deferred)
                }
                Some(which) if self.known(which).is_full() => Err(match self.sysctl.tcp_abort_on_overflow {
                    true => Refusal::AbortedOnOverflow,
                    false => Refusal::AcceptQueueFull,
                }),
                Some(which) => Ok(which),
            },
        };
        let payload = if data { Payload::Data } else { Payload::None };
        match self.stack.ack(&ends(client), payload, self.here(), child) {
            Ok(delivered) => {
                let which = expected.expect("the reference refuses it");
                self.gone(client);
                self.queued(which, child, &delivered);
            }
            Err(Refused { child: back, why }) => {
                assert_eq!((expected, back), (Err(why), child));
                self.ended(child);
                match why {
                    Refusal::NoListener | Refusal::AbortedOnOverflow => drop(self.gone(client)),
                    Refusal::Deferred | Refusal::AcceptQueueFull => drop(self.acked.insert(client)),
                    _ => {}
                }
            }
        }
    }

    /// The timer of the request that was made so many SYNs ago.
    pub(crate) fn timer(&mut self, before: &Graph<u32>, back: usize, retries: u32) {
        let Some(&(id, client)) = self.syns.iter().rev().nth(back) else { return };
        let known = self.half_open.get(&client).filter(|(known, _)| *known == id);
        let expected = match known.map(|(_, hash)| *hash) {
            None => Err(SockError::Stale),
            Some(hash) => Ok(self.goes_off(before, client, hash, retries)),
        };
        assert_eq!(self.stack.synack_timer(id, retries, self.here()), expected);
        if let Ok(outcome) = expected {
            self.went_off(client, outcome);
        }
    }

    /// Time passes, and every timer that is due goes off, in order.
    pub(crate) fn poll(&mut self, after: u64) {
        self.now += after;
        loop {
            let before = self.stack.graph_mut();
            let due = self.deadlines.first_key_value().filter(|((deadline, ..), _)| *deadline <= self.now);
            let Some((_, &client)) = due else { break };
            let (id, hash) = self.half_open[&client];
            let expected = self.goes_off(&before, client, hash, RETRIES);
            let TimedOut { request, tuple: went_off, outcome } =
                self.stack.poll(self.here()).expect("it is due");
            assert_eq!((request, went_off, outcome), (id, ends(client), expected));
            self.went_off(client, outcome);
        }
        assert!(self.stack.poll(self.here()).is_none());
    }

    /// What is due when the timer of a client's request goes off.
    fn goes_off(&self, before: &Graph<u32>, client: u32, hash: u32, retries: u32) -> SynAckTimer {
        let Some(which) = self.answers(before, client, hash, Occasion::Timer) else {
            return SynAckTimer::Dropped;
        };
        let request = half_open(before, client).expect("it is known");
        let Socket { id, backlog, defer, .. } = *self.known(which);
        let charges = before.listeners[id.index() as usize].charges;
        // It is looked at as if it were its new listener's already.
        let moves = i32::from(request.rsk_listener != Some(id.index()));
        let young = charges.young + if request.num_timeout == 0 { moves } else { 0 };
        let (timeouts, acked) = (request.num_timeout, self.acked.contains(&client));
        let retries = retries_left(retries, charges.qlen + moves, young, backlog);
        if timeouts >= retries && (defer == 0 || !acked || timeouts >= defer) {
            SynAckTimer::Expired
        } else if acked && timeouts + 1 < defer {
            SynAckTimer::Wait { timeouts: timeouts + 1 }
        } else {
            SynAckTimer::Retransmit { timeouts: timeouts + 1 }
        }
    }

    fn went_off(&mut self, client: u32, outcome: SynAckTimer) {
        match outcome {
            SynAckTimer::Expired | SynAckTimer::Dropped => drop(self.gone(client)),
            SynAckTimer::Retransmit { timeouts } | SynAckTimer::Wait { timeouts } => {
                self.arm(client, timeouts)
            }
        }
    }

    pub(crate) fn reset(&mut self, client: u32) {
        let expected = self.gone(client).map(drop).ok_or(Refusal::NoRequest);
        assert_eq!(self.stack.reset(&ends(client)), expected);
    }
}

fn timeouts(before: &Graph<u32>, client: u32) -> u32 {
    half_open(before, client).expect("it is known").num_timeout
}
