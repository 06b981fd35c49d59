//! Listen, listen again, deliver, accept.

use crate::common::TestBackend;
use crate::world::{ROOM, Socket, State, World, addr, allowed, free_owners, free_requests};
use rskq::inspect::Graph;
use rskq::*;
use std::collections::VecDeque;

impl World {
    /// Tells whether the group takes one more member, or, if none listens, whether another group can begin.
    fn has_room(&self, before: &Graph<u32>) -> bool {
        let free = before.groups.iter().any(|group| group.refs == 0);
        self.members.len() < ROOM && (free || !self.members.is_empty())
    }

    pub(crate) fn set_defer(&mut self, which: usize, timeouts: u32) {
        let Some(socket) = &mut self.sockets[which] else { return };
        let expected = match socket.state {
            State::Closed | State::Stopping { close: true } => Err(SockError::Stale),
            State::Listening | State::Shut | State::Stopping { close: false } => Ok(()),
        };
        assert_eq!(self.stack.set_defer_accept(socket.id, timeouts), expected);
        if expected.is_ok() {
            socket.defer = timeouts;
        }
    }

    pub(crate) fn listen(&mut self, before: &Graph<u32>, which: usize, backlog: u32) {
        if self.sockets[which].as_ref().is_some_and(|socket| socket.state != State::Closed) {
            return;
        }
        let listened = self.stack.listen_at(addr(), backlog, true);
        let no_slot = before.listeners.iter().all(|listener| listener.refs != 0) || free_owners(before) == 0;
        match listened {
            Ok(id) => {
                assert!(!no_slot && self.has_room(before));
                let queue = VecDeque::new();
                let backlog = allowed(backlog);
                self.sockets[which] = Some(Socket {
                    id,
                    state: State::Listening,
                    backlog,
                    limit: 0,
                    defer: 0,
                    queue,
                    estate: None,
                });
                self.members.push(which);
            }
            Err(error) => {
                let expected = if no_slot { ListenError::NoListenerSlot } else { ListenError::NoGroupRoom };
                assert_eq!(error, expected);
                assert!(no_slot || !self.has_room(before));
            }
        }
    }

    pub(crate) fn listen_again(&mut self, before: &Graph<u32>, which: usize, backlog: u32) {
        let has_room = self.has_room(before);
        let Some(socket) = &mut self.sockets[which] else { return };
        let expected = match socket.state {
            State::Closed | State::Stopping { close: true } => Err(ListenError::Stale),
            State::Stopping { close: false } => Err(ListenError::Stopping),
            State::Shut if !has_room => Err(ListenError::NoGroupRoom),
            State::Shut | State::Listening => Ok(()),
        };
        assert_eq!(self.stack.listen(socket.id, backlog), expected);
        if expected.is_ok() {
            socket.backlog = allowed(backlog);
            if socket.state == State::Shut {
                socket.state = State::Listening;
                self.members.push(which);
            }
        }
    }

    pub(crate) fn deliver(&mut self, before: &Graph<u32>, client: u32, hash: u32) {
        let child = self.child(hash);
        let expected = self.takes(before, hash);
        let delivered = self.stack.deliver(World::arrival(client, hash), self.here(), child);
        self.delivered(expected, child, delivered);
    }

    /// An ACK that may bear a cookie.
    pub(crate) fn cookie_ack(&mut self, before: &Graph<u32>, client: u32, hash: u32, genuine: bool) {
        let expected = match self.selected(hash) {
            None => Err(Refusal::NoListener),
            Some(_) if self.cookie.is_none_or(|sent| self.seconds() - sent > 120) => {
                Err(Refusal::NoCookieSent)
            }
            Some(_) => Ok(()),
        };
        let cookie = match self.stack.cookie_ack(World::arrival(client, hash), self.here()) {
            Err(why) => return assert_eq!(expected, Err(why)),
            Ok(cookie) => cookie,
        };
        assert_eq!(expected, Ok(()));
        if !genuine {
            return cookie.reject();
        }
        self.hashes.push(hash);
        let child = self.hashes.len() as u32 - 1;
        let believed = cookie.believe(child);
        let expected = self.takes(before, hash);
        self.delivered(expected, child, believed);
    }

    /// Who takes a connection whose handshake is done, or why nobody does.
    fn takes(&mut self, before: &Graph<u32>, hash: u32) -> Result<usize, Refusal> {
        match self.selected(hash) {
            None => Err(Refusal::NoListener),
            Some(_) if free_requests(before) == 0 => Err(Refusal::NoRequestSlot),
            Some(which) if self.socket(which).is_full() => Err(Refusal::AcceptQueueFull),
            Some(which) => Ok(which),
        }
    }

    fn delivered(
        &mut self,
        expected: Result<usize, Refusal>,
        child: u32,
        delivered: Result<Delivered<u32, TestBackend>, Refused<u32>>,
    ) {
        match delivered {
            Ok(delivered) => {
                let which = expected.expect("the reference refuses it");
                self.queued(which, child, &delivered);
            }
            Err(Refused { child: back, why }) => {
                assert_eq!((expected, back), (Err(why), child));
                self.ended(child);
            }
        }
    }

    pub(crate) fn accept(&mut self, which: usize) {
        let Some(socket) = &mut self.sockets[which] else { return };
        let expected = match socket.state {
            State::Listening => Ok(socket.queue.pop_front()),
            State::Shut | State::Stopping { close: false } => Err(SockError::NotListening),
            State::Closed | State::Stopping { close: true } => Err(SockError::Stale),
        };
        assert_eq!(self.stack.accept(socket.id), expected);
        if let Ok(Some(child)) = expected {
            self.ended(child);
        }
    }
}
