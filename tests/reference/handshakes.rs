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

/// Who answers for a half-open request when it is looked at.
#[derive(Clone, Copy)]
enum Answers {
    /// Its listener, which listens.
    Home(usize),
    /// Who it migrates to.
    Other(usize),
    /// Nobody: it is given up, and that may count as a migration that failed.
    Nobody { fails: bool },
}

impl World {
    pub(crate) fn syn(&mut self, before: &Graph<u32>, client: u32, hash: u32) {
        let expected = self.answer(before, client, hash);
        self.count_syn(before, client, hash, &expected);
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

    /// Counts a SYN that is answered like this; one that finds both queues full counts for both.
    fn count_syn(&mut self, before: &Graph<u32>, client: u32, hash: u32, answer: &Result<Answer, Refusal>) {
        let new = !matches!(answer, Ok(Answer::Again(_)));
        let asked = self.selected(client, hash, Occasion::Syn).ok().filter(|_| new);
        let cookie = asked.is_some_and(|which| self.wants_cookie(before, which));
        let counted = &mut self.counted;
        match answer {
            Ok(Answer::Cookie(_)) => counted.SyncookiesSent += 1,
            Err(Refusal::SynQueueFull) => counted.ListenDrops += 1,
            Err(why) => self.count_refusal(*why),
            Ok(_) => {}
        }
        let never = self.sysctl.tcp_syncookies == Syncookies::Never;
        let counted = &mut self.counted;
        *if never { &mut counted.TCPReqQFullDrop } else { &mut counted.TCPReqQFullDoCookies } +=
            u32::from(cookie);
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

    /// Returns who answers for a half-open request: its listener if that listens, or who adopts it.
    fn answers(&self, before: &Graph<u32>, client: u32, hash: u32, occasion: Occasion) -> Answers {
        let slot = half_open(before, client).expect("the reference knows it").rsk_listener;
        let slot = slot.expect("a request has a listener");
        if let Some(root) = self.at_slot(slot).filter(|&root| self.known(root).state == State::Listening) {
            return Answers::Home(root);
        }
        let (other, fails) = match self.design {
            Design::Linux => {
                let still_in = self.still_in(before, slot);
                (self.migrates_to(&still_in, sk_hash(hash), occasion), still_in.is_some())
            }
            _ if self.adopts() => (self.selected(client, sk_hash(hash), occasion).ok(), true),
            _ => (None, false),
        };
        other.map_or(Answers::Nobody { fails }, Answers::Other)
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
        let answers = hash.map(|hash| self.answers(before, client, hash, Occasion::Ack));
        let expected = match answers {
            None => Err(Refusal::NoRequest),
            Some(Answers::Nobody { .. }) => Err(Refusal::NoListener),
            Some(Answers::Home(which) | Answers::Other(which)) => {
                let socket = self.known(which);
                if !data && timeouts(before, client) < socket.defer {
                    Err(Refusal::Deferred)
                } else if !socket.is_full() {
                    Ok(which)
                } else if self.sysctl.tcp_abort_on_overflow {
                    Err(Refusal::AbortedOnOverflow)
                } else {
                    Err(Refusal::AcceptQueueFull)
                }
            }
        };
        self.count_ack(answers, expected);
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

    fn count_ack(&mut self, answers: Option<Answers>, expected: Result<usize, Refusal>) {
        match (answers, expected) {
            (Some(Answers::Nobody { fails: true }), _) => self.count_migration(false),
            // By Linux's rules a request migrates with what comes of it; one that waits for data stays.
            (Some(Answers::Other(_)), Err(Refusal::Deferred)) if self.design == Design::Linux => {}
            (Some(Answers::Other(_)), _) => {
                self.count_migration(expected.is_ok() || self.design != Design::Linux);
            }
            _ => {}
        }
        match expected {
            Ok(_) => self.counted.PassiveOpens += 1,
            Err(Refusal::Deferred) => self.counted.TCPDeferAcceptDrop += 1,
            Err(why) => {
                self.counted.EmbryonicRsts += u32::from(why == Refusal::AbortedOnOverflow);
                self.count_refusal(why);
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
    fn goes_off(&mut self, before: &Graph<u32>, client: u32, hash: u32, retries: u32) -> SynAckTimer {
        let answers = self.answers(before, client, hash, Occasion::Timer);
        let outcome = match answers {
            Answers::Nobody { .. } => SynAckTimer::Dropped,
            Answers::Home(which) | Answers::Other(which) => self.due(before, client, which, retries),
        };
        match answers {
            Answers::Nobody { fails: true } => self.count_migration(false),
            Answers::Other(_) => {
                let expires = self.design == Design::Linux && outcome == SynAckTimer::Expired;
                self.count_migration(!expires);
            }
            _ => {}
        }
        self.counted.TCPTimeouts += u32::from(outcome != SynAckTimer::Dropped);
        outcome
    }

    /// What is due at who answers for the request.
    fn due(&self, before: &Graph<u32>, client: u32, which: usize, retries: u32) -> SynAckTimer {
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
        self.counted.EmbryonicRsts += u32::from(expected.is_ok());
        assert_eq!(self.stack.reset(&ends(client)), expected);
    }
}

fn timeouts(before: &Graph<u32>, client: u32) -> u32 {
    half_open(before, client).expect("it is known").num_timeout
}
