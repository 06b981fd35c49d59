//! The server over smoltcp: a group of listeners, each of which accepts, answers, and is restarted.

use crate::plan::{ACCEPTED, ANSWER, BACKLOG, LISTENERS, Step, due};
use rskq::{DefaultBackend, ListenerId, Stack};
use rskq_smoltcp::{Boxed, Connection, Memory, Shard};
use smoltcp::iface::{Interface, SocketSet};
use smoltcp::phy::Device;
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use std::net::SocketAddr;

/// Bytes in each of a socket's buffers.
const BUFFER: usize = 256;
/// Most sockets at a time.
const SOCKETS: usize = 1024;

pub(crate) type TheStack = Stack<'static, Connection, DefaultBackend>;

pub(crate) struct Server<'m> {
    local: SocketAddr,
    stack: &'m TheStack,
    shard: Shard<'m, 'static, Boxed, DefaultBackend>,
    iface: Interface,
    sockets: SocketSet<'static>,
    listeners: [Option<ListenerId<Connection, DefaultBackend>>; LISTENERS],
    /// Answered: their clients close first.
    answered: Vec<Connection>,
}

impl<'m> Server<'m> {
    pub(crate) fn new(local: SocketAddr, stack: &'m TheStack, iface: Interface) -> Self {
        // The wire is this machine's; elsewhere the key is random.
        let shard =
            Shard::new(stack, 0, [7; 16], Boxed::new(BUFFER, BUFFER, SOCKETS), Memory::boxed(SOCKETS));
        let (sockets, answered) = (SocketSet::new(vec![]), vec![]);
        let mut server = Self { local, stack, shard, iface, sockets, listeners: [None; LISTENERS], answered };
        (0..LISTENERS).for_each(|listener| server.open(listener));
        server
    }

    /// A millisecond passes: what is due is done, frames are received, connections accepted and answered.
    pub(crate) fn tick(&mut self, millisecond: u64, now: Instant, device: &mut impl Device) {
        match due(millisecond) {
            Some((Step::Close, listener)) => self.close(listener, now),
            Some((Step::Open, listener)) => self.open(listener),
            None => {}
        }
        self.poll(now, device);
        for listener in self.listeners.into_iter().flatten() {
            for _ in 0..ACCEPTED {
                let Ok(Some(connection)) = self.shard.accept(listener, now, &mut self.sockets, |_| {}) else {
                    break;
                };
                let socket = self.sockets.get_mut::<tcp::Socket<'_>>(connection.handle());
                // Who was reset meanwhile is not sent anything.
                let _ = socket.send_slice(ANSWER);
                self.answered.push(connection);
            }
        }
        let closed = |connection: &mut Connection| {
            !self.sockets.get::<tcp::Socket<'_>>(connection.handle()).may_recv()
        };
        for connection in self.answered.extract_if(.., closed).collect::<Vec<_>>() {
            let released = self.shard.release(connection, now, &mut self.sockets);
            released.expect("there is one shard");
        }
        self.poll(now, device);
    }

    pub(crate) fn poll(&mut self, now: Instant, device: &mut impl Device) {
        // Everybody looks for connections once in a millisecond, woken or not.
        self.shard.poll(now, device, &mut self.iface, &mut self.sockets, |_| {});
    }

    fn open(&mut self, listener: usize) {
        let opened = self.stack.listen_at(self.local, BACKLOG, true);
        self.listeners[listener] = Some(opened.expect("there is room for four"));
    }

    fn close(&mut self, listener: usize, now: Instant) {
        if let Some(id) = self.listeners[listener].take() {
            let closed = self.shard.close(id, now, &mut self.sockets, |_| {});
            closed.expect("it is open");
        }
    }
}
