//! SYN, SYN-ACK timer, final ACK, reset.

use crate::common::{HERE, Request, tuple};
use crate::world::{Socket, State, World, addr, free_requests, half_open};
use rskq::inspect::Graph;
use rskq::*;

/// What a SYN is answered with.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    New,
    Again(Request),
    Cookie(usize),
}

impl World {
    pub(crate) fn syn(&mut self, before: &Graph<u32>, client: u32, hash: u32) {
        let expected = match (self.half_open.get(&client).copied(), self.selected(hash)) {
            (Some((known, _)), _) => Ok(Answer::Again(known)),
            (None, None) => Err(Refusal::NoListener),
            (None, Some(which)) if self.socket(which).is_full() => Err(Refusal::AcceptQueueFull),
            (None, Some(which)) if self.is_syn_queue_full(before, which) => Ok(Answer::Cookie(which)),
            (None, Some(_)) if free_requests(before) == 0 => Err(Refusal::NoRequestSlot),
            (None, Some(_)) => Ok(Answer::New),
        };
        match self.stack.syn(World::arrival(client, hash), HERE) {
            Ok(Syn::New { request: id, .. }) => {
                assert_eq!(expected, Ok(Answer::New));
                assert!(self.syns.iter().all(|(before, _)| *before != id), "an id is given out once");
                self.half_open.insert(client, (id, hash));
                self.syns.push((id, client));
                let after = self.stack.graph_mut();
                let charged = half_open(&after, client).unwrap().rsk_listener;
                assert_eq!(charged.and_then(|slot| self.at_slot(slot)), self.selected(hash));
            }
            Ok(Syn::Duplicate(id)) => assert_eq!(expected, Ok(Answer::Again(id))),
            Ok(Syn::Cookie(id)) => assert_eq!(self.at_slot(id.index()).map(Answer::Cookie), expected.ok()),
            Err(why) => assert_eq!(expected, Err(why)),
        }
    }

    /// Tells whether the listener is charged with more half-open requests than its backlog.
    pub(crate) fn is_syn_queue_full(&mut self, before: &Graph<u32>, which: usize) -> bool {
        let Socket { id, backlog, .. } = *self.socket(which);
        i64::from(before.listeners[id.index() as usize].charges.qlen) > i64::from(backlog)
    }

    /// Returns who answers for a half-open request when it is looked at: its listener if that listens, or
    /// who adopts it.
    fn answers(&mut self, before: &Graph<u32>, client: u32, hash: u32) -> Option<usize> {
        let slot = half_open(before, client).expect("the reference knows it").rsk_listener;
        let root = slot.and_then(|slot| self.at_slot(slot));
        if let Some(root) = root.filter(|&root| self.socket(root).state == State::Listening) {
            return Some(root);
        }
        self.selected(hash).filter(|_| self.adopts())
    }

    pub(crate) fn ack(&mut self, before: &Graph<u32>, client: u32) {
        let hash = self.half_open.get(&client).map(|(_, hash)| *hash);
        let child = self.child(hash.unwrap_or(0));
        let expected = match hash {
            None => Err(Refusal::NoRequest),
            Some(hash) => match self.answers(before, client, hash) {
                None => Err(Refusal::NoListener),
                Some(which) if self.socket(which).is_full() => Err(Refusal::AcceptQueueFull),
                Some(which) => Ok(which),
            },
        };
        match self.stack.ack(&tuple(addr(), client), Payload::None, HERE, child) {
            Ok(delivered) => {
                let which = expected.expect("the reference refuses it");
                self.half_open.remove(&client);
                self.queued(which, child, &delivered);
            }
            Err(Refused { child: back, why }) => {
                assert_eq!((expected, back), (Err(why), child));
                self.ended(child);
                if why == Refusal::NoListener {
                    self.half_open.remove(&client);
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
            Some(hash) => Ok(match self.answers(before, client, hash) {
                None => SynAckTimer::Dropped,
                Some(_) => match half_open(before, client).expect("it is known").num_timeout {
                    timeouts if timeouts >= retries => SynAckTimer::Expired,
                    timeouts => SynAckTimer::Retransmit { timeouts: timeouts + 1 },
                },
            }),
        };
        assert_eq!(self.stack.synack_timer(id, retries, HERE), expected);
        if matches!(expected, Ok(SynAckTimer::Expired | SynAckTimer::Dropped)) {
            self.half_open.remove(&client);
        }
    }

    pub(crate) fn reset(&mut self, client: u32) {
        let expected = self.half_open.remove(&client).map(drop).ok_or(Refusal::NoRequest);
        assert_eq!(self.stack.reset(&tuple(addr(), client)), expected);
    }
}
