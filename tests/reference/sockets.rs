//! Listen, listen again, deliver, accept.

use super::SPOTS;
use super::world::{ROOM, Socket, State, World, allowed, free_owners, free_requests};
use crate::common::TestBackend;
use rskq::inspect::Graph;
use rskq::*;
use std::collections::VecDeque;

impl World {
    /// Tells whether who listens in this spot takes one more, or, if nobody does, whether a group can begin.
    fn has_room(&self, before: &Graph<u32>, spot: usize) -> bool {
        let group = self.groups.iter().find(|group| group.bound == SPOTS[spot]);
        let free = before.groups.iter().any(|group| group.refs == 0);
        group.map_or(free, |group| group.members.len() < ROOM)
    }

    /// Tells whether somebody is bound to what overlaps with a spot, and one of both does not share.
    fn is_in_use(&self, spot: usize, shares: bool) -> bool {
        self.sockets
            .iter()
            .flatten()
            .filter(|other| other.state != State::Closed)
            .any(|other| SPOTS[other.spot].overlaps(SPOTS[spot]) && !(other.shares && shares))
    }

    pub(crate) fn set_defer(&mut self, which: usize, timeouts: u32) {
        let Some(expected) = self.is_open(which) else { return };
        assert_eq!(self.stack.set_defer_accept(self.known(which).id, timeouts), expected);
        if expected.is_ok() {
            self.socket(which).defer = timeouts;
        }
    }

    pub(crate) fn listen(
        &mut self,
        before: &Graph<u32>,
        which: usize,
        spot: usize,
        shares: bool,
        backlog: u32,
    ) {
        if self.sockets[which].as_ref().is_some_and(|socket| socket.state != State::Closed) {
            return;
        }
        let no_slot = before.listeners.iter().all(|listener| listener.refs != 0) || free_owners(before) == 0;
        let expected = if no_slot {
            Err(ListenError::NoListenerSlot)
        } else if self.is_in_use(spot, shares) {
            Err(ListenError::AddrInUse)
        } else if !self.has_room(before, spot) {
            Err(ListenError::NoGroupRoom)
        } else {
            Ok(())
        };
        let listened = self.stack.listen_at(SPOTS[spot].addr(), backlog, shares);
        assert_eq!(listened.map(drop), expected);
        self.count_no_room(expected);
        let Ok(id) = listened else { return };
        self.sockets[which] = Some(Socket {
            id,
            state: State::Listening,
            spot,
            shares,
            incoming_cpu: None,
            backlog: allowed(backlog),
            limit: 0,
            defer: 0,
            queue: VecDeque::new(),
            estate: None,
        });
        self.join(which);
    }

    pub(crate) fn listen_again(&mut self, before: &Graph<u32>, which: usize, backlog: u32) {
        let Some(socket) = &self.sockets[which] else { return };
        let has_room = self.has_room(before, socket.spot);
        let expected = match socket.state {
            State::Closed | State::Stopping { close: true } => Err(ListenError::Stale),
            State::Stopping { close: false } => Err(ListenError::Stopping),
            State::Shut if !has_room => Err(ListenError::NoGroupRoom),
            State::Shut | State::Listening => Ok(()),
        };
        assert_eq!(self.stack.listen(socket.id, backlog), expected);
        self.count_no_room(expected);
        if expected.is_ok() {
            let socket = self.socket(which);
            socket.backlog = allowed(backlog);
            if std::mem::replace(&mut socket.state, State::Listening) == State::Shut {
                self.join(which);
            }
        }
    }

    fn count_no_room(&mut self, listened: Result<(), ListenError>) {
        match listened {
            Err(ListenError::NoListenerSlot) => self.counted.ListenerSlabFull += 1,
            Err(ListenError::NoGroupRoom) => self.counted.GroupFull += 1,
            _ => {}
        }
    }

    pub(crate) fn deliver(&mut self, before: &Graph<u32>, client: u32, hash: u32) {
        let child = self.child(client, hash);
        let expected = self.takes(before, client, hash);
        let delivered = self.stack.deliver(World::arrival(client, hash), self.here(), child);
        self.delivered(expected, child, delivered);
    }

    /// An ACK that may bear a cookie.
    pub(crate) fn cookie_ack(&mut self, before: &Graph<u32>, client: u32, hash: u32, genuine: bool) {
        let never = self.sysctl.tcp_syncookies == Syncookies::Never;
        let expected = match self.selected(client, hash, Occasion::Syn) {
            Err(why) => Err(why),
            Ok(_) if never || !self.has_sent_cookie(client) => Err(Refusal::NoCookieSent),
            Ok(_) => Ok(()),
        };
        let cookie = match self.stack.cookie_ack(World::arrival(client, hash), self.here()) {
            Err(why) => return assert_eq!(expected, Err(why)),
            Ok(cookie) => cookie,
        };
        assert_eq!(expected, Ok(()));
        if !genuine {
            self.counted.SyncookiesFailed += 1;
            return cookie.reject();
        }
        self.counted.SyncookiesRecv += 1;
        self.children.push((client, hash));
        let child = self.children.len() as u32 - 1;
        let believed = cookie.believe(child);
        let expected = self.takes(before, client, hash);
        self.counted.PassiveOpens += u32::from(believed.is_ok());
        self.delivered(expected, child, believed);
    }

    /// Tells whether who receives what a client sends has sent a cookie in the last two minutes.
    fn has_sent_cookie(&self, client: u32) -> bool {
        let sent = self.receives(client).and_then(|group| group.cookie);
        sent.is_some_and(|sent| self.cookie_time() - sent <= 120)
    }

    /// The time in seconds, of which a group that sent no cookie has 0.
    pub(crate) fn cookie_time(&self) -> u64 {
        self.seconds().max(1)
    }

    /// Who takes a connection whose handshake is done, or why nobody does.
    fn takes(&self, before: &Graph<u32>, client: u32, hash: u32) -> Result<usize, Refusal> {
        if self.receives(client).is_none() {
            return Err(Refusal::NoListener);
        }
        if free_requests(before) == 0 {
            return Err(Refusal::NoRequestSlot);
        }
        let which = self.selected(client, hash, Occasion::Syn)?;
        if self.known(which).is_full() { Err(Refusal::AcceptQueueFull) } else { Ok(which) }
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
                self.count_refusal(why);
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
