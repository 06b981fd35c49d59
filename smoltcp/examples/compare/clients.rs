//! Clients that connect at once, each one time.

use crate::wire::{CLIENTS, End, PORT, SERVER, interface, socket};
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;

pub(crate) struct Clients {
    iface: Interface,
    device: End,
    sockets: SocketSet<'static>,
    handles: Vec<SocketHandle>,
}

impl Clients {
    pub(crate) fn connecting(mut device: End, count: usize) -> Self {
        let mut iface = interface(&mut device, CLIENTS);
        let mut sockets = SocketSet::new(vec![]);
        let ports = 50_000..;
        let handles = ports.take(count).map(|port: u16| {
            let handle = sockets.add(socket(64));
            let socket = sockets.get_mut::<tcp::Socket<'_>>(handle);
            socket.connect(iface.context(), (SERVER, PORT), port).expect("it is closed");
            handle
        });
        let handles = handles.collect();
        Self { iface, device, sockets, handles }
    }

    pub(crate) fn poll(&mut self, now: Instant) {
        self.iface.poll(now, &mut self.device, &mut self.sockets);
    }

    /// How many have an answer.
    pub(crate) fn answered(&self) -> usize {
        self.count(tcp::Socket::can_recv)
    }

    /// How many were told no, before an answer.
    pub(crate) fn reset(&self) -> usize {
        self.count(|socket| !socket.is_open() && !socket.can_recv())
    }

    /// How many believe that they are connected, and have no answer.
    pub(crate) fn connected(&self) -> usize {
        self.count(|socket| socket.may_send() && !socket.can_recv())
    }

    fn count(&self, is: impl Fn(&tcp::Socket<'static>) -> bool) -> usize {
        self.handles.iter().filter(|&&handle| is(self.sockets.get(handle))).count()
    }
}
