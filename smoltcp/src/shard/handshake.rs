//! A handshake goes on: it ends in an accept queue, with a reset, or never.

use super::{Held, Parked, Shard, Site, Stage};
use crate::connection::{Connection, Event};
use crate::supply::Supply;
use rskq::sync::Backend;
use rskq::{Payload, Refusal, Refused, SynAckTimer};
use smoltcp::socket::tcp;

impl<S: Supply, B: Backend> Shard<'_, '_, S, B> {
    /// Looks at a connection that a segment may have changed.
    pub(super) fn review<F: FnMut(Event<'_, B>)>(&mut self, place: u32, site: &mut Site<'_, '_, F>) {
        let Some((tuple, Held { handle, stage: Stage::HalfOpen(half_open), .. })) =
            self.connections.get(place)
        else {
            return;
        };
        let socket = site.sockets.get::<tcp::Socket<'_>>(*handle);
        match (socket.state(), half_open.parked) {
            (tcp::State::SynReceived, _) => {}
            // After a reset smoltcp's socket listens again: it never does so beyond this line.
            (tcp::State::Listen | tcp::State::Closed, _) => {
                let _ = self.stack.reset(tuple);
                self.end(Some(place), site);
            }
            // It does not overtake those who have waited longer.
            (_, Parked::Full) => {}
            _ => self.finish(place, site),
        }
    }

    /// Looks at every half-open connection: a segment came that was not looked at.
    pub(super) fn review_all<F: FnMut(Event<'_, B>)>(&mut self, site: &mut Site<'_, '_, F>) {
        self.each(|shard, place| shard.review(place, site));
    }

    /// The handshake is done: the connection goes to its listener's accept queue.
    ///
    /// smoltcp has acknowledged the ACK's data by now. So where Linux drops the ACK, because the queue is
    /// full or the listener waits for data, the connection is parked here instead; nothing is lost, and the
    /// client need not send anything again.
    fn finish<F: FnMut(Event<'_, B>)>(&mut self, place: u32, site: &mut Site<'_, '_, F>) {
        let Some((&tuple, &Held { handle, stage: Stage::HalfOpen(half_open), .. })) =
            self.connections.get(place)
        else {
            return;
        };
        let payload = payload(site.sockets.get(handle));
        let connection = Connection { shard: self.id, place, handle, tuple };
        let parked = match self.stack.ack(&tuple, payload, site.here, connection) {
            Ok(delivered) => {
                self.set_stage(place, Stage::Taken);
                if let Some(wake) = delivered.wake {
                    (site.tell)(Event::Wake(wake));
                }
                return;
            }
            Err(Refused { why: Refusal::AcceptQueueFull, .. }) => Parked::Full,
            Err(Refused { why: Refusal::Deferred, .. }) => Parked::Deferred,
            // Nobody has it: the client believes that it is connected, and is owed a reset.
            Err(_) => return self.reset(place, site),
        };
        if half_open.parked == Parked::No {
            // Who waits for room is served in the order in which handshakes ended.
            self.connections.touch(place);
        }
        self.set_stage(place, Stage::HalfOpen(super::HalfOpen { parked, ..half_open }));
    }

    /// Has those try again whose accept queue was full, if there is room now. O(connections) if there are any.
    pub(super) fn unpark<F: FnMut(Event<'_, B>)>(&mut self, site: &mut Site<'_, '_, F>) {
        if self.parked == 0 {
            return;
        }
        self.each(|shard, place| {
            let Some((_, Held { stage: Stage::HalfOpen(half_open), .. })) = shard.connections.get(place)
            else {
                return;
            };
            let listener = shard.stack.rsk_listener(half_open.request);
            let full = listener
                .and_then(|listener| shard.stack.queue_len(listener).ok())
                .is_some_and(|(len, backlog)| len > backlog);
            if half_open.parked == Parked::Full && !full {
                shard.finish(place, site);
            }
        });
    }

    /// Deals with what is due: SYN-ACK timers, and connections that do not end.
    ///
    /// smoltcp sends SYN-ACKs again by itself, and would do so for ever. What the timers decide is for how long.
    pub(super) fn time_out<F: FnMut(Event<'_, B>)>(&mut self, site: &mut Site<'_, '_, F>) {
        if self.next_deadline.is_none_or(|next| next > site.here.now) {
            return;
        }
        self.next_deadline = None;
        self.each(|shard, place| {
            let deadline = match shard.connections.get(place) {
                Some((_, Held { stage: Stage::HalfOpen(half_open), .. })) => half_open.deadline,
                Some((_, Held { stage: Stage::Ending { deadline }, .. })) => *deadline,
                _ => return,
            };
            if deadline > site.here.now {
                shard.wake_by(deadline);
            } else {
                shard.time_out_one(place, site);
            }
        });
    }

    fn time_out_one<F: FnMut(Event<'_, B>)>(&mut self, place: u32, site: &mut Site<'_, '_, F>) {
        let Some((_, &Held { handle, stage, .. })) = self.connections.get(place) else { return };
        let Stage::HalfOpen(mut half_open) = stage else {
            return self.linger_out(place, site);
        };
        let retries = self.stack.sysctl().tcp_synack_retries;
        match self.stack.synack_timer(half_open.request, retries, site.here) {
            Ok(SynAckTimer::Retransmit { timeouts } | SynAckTimer::Wait { timeouts }) => {
                half_open.deadline = site.here.now + Self::backoff(timeouts);
                self.wake_by(half_open.deadline);
                self.set_stage(place, Stage::HalfOpen(half_open));
                let established =
                    site.sockets.get::<tcp::Socket<'_>>(handle).state() != tcp::State::SynReceived;
                if established && half_open.parked != Parked::Full {
                    self.finish(place, site);
                }
            }
            // The stack has given it up: silently, but for a client that was told that it is connected.
            Ok(SynAckTimer::Expired | SynAckTimer::Dropped) | Err(_) => {
                match site.sockets.get::<tcp::Socket<'_>>(handle).state() {
                    tcp::State::SynReceived | tcp::State::Listen | tcp::State::Closed => {
                        self.end(Some(place), site);
                    }
                    _ => self.reset(place, site),
                }
            }
        }
    }

    /// Runs `f` for every connection, the oldest first. It may take that one out.
    pub(super) fn each(&mut self, mut f: impl FnMut(&mut Self, u32)) {
        let Some(last) = self.connections.newest() else { return };
        let mut next = self.connections.oldest();
        while let Some(place) = next {
            next = self.connections.newer(place).filter(|_| place != last);
            f(self, place);
        }
    }

    pub(super) fn set_stage(&mut self, place: u32, stage: Stage<B>) {
        let Some(held) = self.connections.get_mut(place) else { return };
        let before = core::mem::replace(&mut held.stage, stage);
        self.parked = self.parked + usize::from(stage.is_parked()) - usize::from(before.is_parked());
        self.ending = self.ending + usize::from(stage.is_ending()) - usize::from(before.is_ending());
    }
}

impl<B: Backend> Stage<B> {
    pub(super) fn is_parked(&self) -> bool {
        matches!(self, Stage::HalfOpen(half_open) if half_open.parked == Parked::Full)
    }

    pub(super) fn is_ending(&self) -> bool {
        matches!(self, Stage::Ending { .. })
    }
}

/// Tells whether the client has sent more than the bare ACK of its handshake.
fn payload(socket: &tcp::Socket<'_>) -> Payload {
    if socket.can_recv() || !socket.may_recv() { Payload::Data } else { Payload::None }
}
