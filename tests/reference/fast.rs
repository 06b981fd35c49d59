//! Fast open.

use super::world::{State, World, free_requests};
use rskq::inspect::{FastOpenView, Graph};
use rskq::request::RequestState;
use rskq::*;

fn fastopenq(graph: &Graph<u32>, slot: u32) -> &FastOpenView {
    graph.listeners[slot as usize].fastopenq.as_ref().expect("nobody holds a lock")
}

impl World {
    fn listening(&mut self, which: usize) -> Result<(), SockError> {
        match self.socket(which).state {
            State::Listening => Ok(()),
            State::Shut | State::Stopping { close: false } => Err(SockError::NotListening),
            State::Closed | State::Stopping { close: true } => Err(SockError::Stale),
        }
    }

    pub(crate) fn set_fastopen(&mut self, which: usize, limit: u32) {
        if self.sockets[which].is_none() {
            return;
        }
        let expected = match self.listening(which) {
            Err(SockError::NotListening) => Ok(()),
            other => other,
        };
        let id = self.socket(which).id;
        assert_eq!(self.stack.set_fastopen(id, limit), expected);
        if expected.is_ok() {
            self.socket(which).limit = limit;
        }
    }

    pub(crate) fn syn_fastopen(&mut self, before: &Graph<u32>, client: u32, hash: u32) {
        let child = self.child(client, hash);
        let expected = self.takes_fast(before, client, hash);
        match self.stack.syn_fastopen(World::arrival(client, hash), self.here(), child) {
            Ok(FastOpened { delivered, handshake }) => {
                let which = expected.expect("the reference refuses it");
                assert!(self.handshakes.iter().all(|(before, _)| *before != handshake));
                self.handshakes.push((handshake, true));
                self.counted.TCPFastOpenPassive += 1;
                self.counted.PassiveOpens += 1;
                self.queued(which, child, &delivered);
            }
            Err(Refused { child: back, why }) => {
                assert_eq!((expected, back), (Err(why), child));
                self.count_refusal(why);
                self.ended(child);
                if let (Refusal::FastOpenLimit, Ok(which)) = (why, self.selected(client, hash, Occasion::Syn))
                {
                    let beyond = self.known(which).limit != 0 && !self.wants_cookie(before, which);
                    self.counted.TCPFastOpenListenOverflow += u32::from(beyond);
                }
            }
        }
    }

    /// Who takes a connection with its SYN, or why nobody does.
    fn takes_fast(&self, before: &Graph<u32>, client: u32, hash: u32) -> Result<usize, Refusal> {
        if self.receives(client).is_none() {
            return Err(Refusal::NoListener);
        }
        if free_requests(before) == 0 {
            return Err(Refusal::NoRequestSlot);
        }
        let which = self.selected(client, hash, Occasion::Syn)?;
        let socket = self.known(which);
        if self.wants_cookie(before, which) {
            return Err(Refusal::FastOpenLimit);
        }
        if socket.is_full() {
            return Err(Refusal::AcceptQueueFull);
        }
        let fastopenq = fastopenq(before, socket.id.index());
        let (open, limit) = (i64::from(fastopenq.qlen), i64::from(socket.limit));
        // The one that was reset first makes way after a minute.
        let is_old = |slot: &u32| self.seconds() - self.reset_at[slot] >= 60;
        let makes_way = open >= limit && fastopenq.reset.first().is_some_and(is_old);
        if open - i64::from(makes_way) >= limit { Err(Refusal::FastOpenLimit) } else { Ok(which) }
    }

    /// Ends the handshake that began so many fast opens ago.
    pub(crate) fn end_handshake(&mut self, before: &Graph<u32>, back: usize, reset: bool) {
        let Some((id, goes_on)) = self.handshakes.iter_mut().rev().nth(back) else { return };
        let (id, goes_on) = (*id, std::mem::take(goes_on));
        let end = if reset { HandshakeEnd::Reset } else { HandshakeEnd::Done };
        assert_eq!(
            self.stack.fastopen_remove(id, end, self.here()),
            if goes_on { Ok(()) } else { Err(SockError::Stale) }
        );
        if !goes_on {
            return;
        }
        // What was accepted and reset goes on counting, where somebody listens.
        let request = &before.requests[id.index() as usize];
        let root = request.rsk_listener.expect("a connection in the stack has a listener");
        let listens = before.listeners[root as usize].listening;
        let listed = reset && request.state == RequestState::Accepted && listens;
        if listed {
            self.reset_at.insert(id.index(), self.seconds());
        }
        let (before, after) = (fastopenq(before, root), self.stack.graph_mut());
        let after = fastopenq(&after, root);
        assert_eq!(after.qlen, before.qlen - i32::from(!listed));
        assert_eq!(after.reset.len(), before.reset.len() + usize::from(listed));
        assert!(!listed || after.reset.last() == Some(&id.index()));
    }

    pub(crate) fn evict_reset(&mut self, before: &Graph<u32>, which: usize) {
        if self.sockets[which].is_none() {
            return;
        }
        let listening = self.listening(which);
        let id = self.socket(which).id;
        let expected = listening.map(|()| !fastopenq(before, id.index()).reset.is_empty());
        assert_eq!(self.stack.evict_reset(id), expected);
    }
}
