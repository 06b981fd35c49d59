//! A connection or a listener ends.

use super::{Held, Shard, Site, Stage};
use crate::connection::{Connection, Event, Gone};
use crate::supply::Supply;
use rskq::sync::Backend;
use rskq::{ListenerId, Outcome, SockError};
use smoltcp::iface::SocketSet;
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};

/// For how long a connection that nobody has any more waits for a peer that does not answer. (Linux:
/// `tcp_fin_timeout`.)
const FIN_TIMEOUT: Duration = Duration::from_secs(60);

impl<S: Supply, B: Backend> Shard<'_, '_, S, B> {
    /// Gives a connection back. What was sent still is sent, and the end of it; a peer that does not answer for a
    /// minute, or for the socket's own timeout, is reset. (Linux: `tcp_close()`.)
    ///
    /// # Errors
    ///
    /// Gives the connection back if it is not this shard's.
    pub fn release(
        &mut self,
        connection: Connection,
        now: Instant,
        sockets: &mut SocketSet<'_>,
    ) -> Result<(), Connection> {
        let socket = self.ended(connection, now, sockets)?;
        socket.close();
        socket.set_timeout(socket.timeout().or(Some(FIN_TIMEOUT)));
        Ok(())
    }

    /// Resets a connection, and gives it back.
    ///
    /// # Errors
    ///
    /// Gives the connection back if it is not this shard's.
    pub fn abort(
        &mut self,
        connection: Connection,
        now: Instant,
        sockets: &mut SocketSet<'_>,
    ) -> Result<(), Connection> {
        self.ended(connection, now, sockets).map(tcp::Socket::abort)
    }

    /// Closes a listener: takes all steps of [`Stack::close`](rskq::Stack::close).
    ///
    /// # Errors
    ///
    /// As that.
    pub fn close(
        &mut self,
        listener: ListenerId<Connection, B>,
        now: Instant,
        sockets: &mut SocketSet<'_>,
        mut tell: impl FnMut(Event<'_, B>),
    ) -> Result<(), SockError> {
        for outcome in self.stack.close(listener, self.here(now))? {
            self.settle(outcome, now, sockets, &mut tell);
        }
        Ok(())
    }

    /// Stops listening: takes all steps of [`Stack::shutdown`](rskq::Stack::shutdown).
    ///
    /// # Errors
    ///
    /// As that.
    pub fn shutdown(
        &mut self,
        listener: ListenerId<Connection, B>,
        now: Instant,
        sockets: &mut SocketSet<'_>,
        mut tell: impl FnMut(Event<'_, B>),
    ) -> Result<(), SockError> {
        for outcome in self.stack.shutdown(listener, self.here(now))? {
            self.settle(outcome, now, sockets, &mut tell);
        }
        Ok(())
    }

    /// Deals with one step of a listener that closes, for who takes them one by one.
    pub fn settle(
        &mut self,
        outcome: Outcome<Connection, B>,
        now: Instant,
        sockets: &mut SocketSet<'_>,
        mut tell: impl FnMut(Event<'_, B>),
    ) {
        match outcome {
            Outcome::Moved { wake: Some(wake), .. } | Outcome::HandedOver { wake: Some(wake), .. } => {
                tell(Event::Wake(wake));
            }
            Outcome::Moved { .. } | Outcome::HandedOver { .. } | Outcome::Spliced { .. } => {}
            Outcome::Aborted(connection) => {
                if let Err(connection) = self.abort(connection, now, sockets) {
                    tell(Event::Orphan(connection));
                }
            }
        }
    }

    /// Nobody has the connection any more.
    fn ended<'x, 'a>(
        &mut self,
        connection: Connection,
        now: Instant,
        sockets: &'x mut SocketSet<'a>,
    ) -> Result<&'x mut tcp::Socket<'a>, Connection> {
        if !self.holds(&connection) {
            return Err(connection);
        }
        let deadline = self.here(now).now + FIN_TIMEOUT.total_millis();
        self.set_stage(connection.place, Stage::Ending { deadline });
        self.wake_by(deadline);
        Ok(sockets.get_mut(connection.handle))
    }

    /// Tells whether the connection's socket is in this shard's set.
    pub(super) fn holds(&self, connection: &Connection) -> bool {
        let held = self.connections.get(connection.place);
        connection.shard == self.id
            && held
                .is_some_and(|(tuple, held)| *tuple == connection.tuple && held.handle == connection.handle)
    }

    /// Resets a connection that nobody has.
    pub(super) fn reset<F>(&mut self, place: u32, site: &mut Site<'_, '_, F>) {
        let Some((_, &Held { handle, .. })) = self.connections.get(place) else { return };
        let deadline = site.here.now + FIN_TIMEOUT.total_millis();
        self.set_stage(place, Stage::Ending { deadline });
        self.wake_by(deadline);
        site.sockets.get_mut::<tcp::Socket<'_>>(handle).abort();
    }

    /// A connection did not end for [`FIN_TIMEOUT`]. One whose reset cannot be sent, because there is no
    /// answer to the question for the peer's hardware address, is given up; smoltcp sees to the others.
    pub(super) fn linger_out<F: FnMut(Event<'_, B>)>(&mut self, place: u32, site: &mut Site<'_, '_, F>) {
        let Some((_, &Held { handle, .. })) = self.connections.get(place) else { return };
        if site.sockets.get::<tcp::Socket<'_>>(handle).is_open() {
            let deadline = site.here.now + FIN_TIMEOUT.total_millis();
            self.set_stage(place, Stage::Ending { deadline });
            self.wake_by(deadline);
        } else {
            self.end(Some(place), site);
        }
    }

    /// Gives the sockets back that have nothing more to send. O(connections) if any are ending.
    pub(super) fn sweep<F: FnMut(Event<'_, B>)>(&mut self, site: &mut Site<'_, '_, F>) {
        if self.ending == 0 {
            return;
        }
        self.each(|shard, place| {
            let Some((_, held)) = shard.connections.get(place) else { return };
            let socket = site.sockets.get::<tcp::Socket<'_>>(held.handle);
            if held.stage.is_ending() && !socket.is_open() && socket.remote_endpoint().is_none() {
                shard.end(Some(place), site);
            }
        });
    }

    /// Forgets a connection and gives its socket back, without a word to the client.
    pub(super) fn end<F: FnMut(Event<'_, B>)>(&mut self, place: Option<u32>, site: &mut Site<'_, '_, F>) {
        let Some((tuple, held)) = place.and_then(|place| self.connections.remove(place)) else { return };
        self.parked -= usize::from(held.stage.is_parked());
        self.ending -= usize::from(held.stage.is_ending());
        silence(site.sockets.get_mut(held.handle));
        self.supply.give_back(held.handle, site.sockets);
        if let Some(shard) = held.from {
            (site.tell)(Event::Gone(Gone { shard, tuple }));
        }
    }
}

/// Makes a socket one in CLOSED that has nothing to send. smoltcp's own way there sends a reset; one that
/// listens has nobody to send it to.
pub(super) fn silence(socket: &mut tcp::Socket<'_>) {
    let local = socket.local_endpoint();
    socket.abort();
    if let Some(local) = local
        && socket.listen(local).is_ok()
    {
        socket.abort();
    }
}
