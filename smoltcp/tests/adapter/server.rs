//! A server of one shard, whose clients are played by hand; and one over plain smoltcp, for comparison.

use super::common::link::{End, link};
use super::common::segment::{Client, Seen, read};
use rskq::*;
use rskq_smoltcp::*;
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::phy::Medium;
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::HardwareAddress;
use std::net::SocketAddr;

pub(crate) type TestStack = Stack<'static, Connection, DefaultBackend>;
pub(crate) type Listener = ListenerId<Connection, DefaultBackend>;
pub(crate) type TestShard = Shard<'static, 'static, Boxed, DefaultBackend>;

/// Whoever needs room for more says so.
pub(crate) const ROOM: usize = 64;

pub(crate) fn at(addr: &str) -> SocketAddr {
    addr.parse().unwrap()
}

pub(crate) fn stack(config: Config) -> &'static TestStack {
    Box::leak(Box::new(Stack::new(Resources::boxed(8, 64), adapted(config))))
}

/// Makes an interface that has the servers' addresses.
pub(crate) fn interface(device: &mut End, now: Instant) -> Interface {
    let config = smoltcp::iface::Config::new(HardwareAddress::Ip);
    let mut iface = Interface::new(config, device, now);
    iface.update_ip_addrs(|addresses| {
        addresses.push("10.0.0.1/24".parse().unwrap()).unwrap();
        addresses.push("fd00::1/64".parse().unwrap()).unwrap();
    });
    iface
}

pub(crate) fn buffers() -> tcp::Socket<'static> {
    tcp::Socket::new(tcp::SocketBuffer::new(vec![0; 256]), tcp::SocketBuffer::new(vec![0; 256]))
}

/// A server of one shard.
pub(crate) struct Server {
    pub(crate) stack: &'static TestStack,
    pub(crate) shard: TestShard,
    pub(crate) sockets: SocketSet<'static>,
    pub(crate) now: Instant,
    iface: Interface,
    device: End,
    clients: End,
    pub(crate) wakes: Vec<Listener>,
    pub(crate) orphans: Vec<Connection>,
    pub(crate) elsewhere: Vec<(u32, Vec<u8>)>,
    pub(crate) gone: Vec<Gone>,
}

impl Server {
    pub(crate) fn new(config: Config) -> Self {
        Self::of(stack(config), 0, ROOM)
    }

    /// Shard number `id` of a stack, with so many sockets at most.
    pub(crate) fn of(stack: &'static TestStack, id: u32, sockets: usize) -> Self {
        let (mut device, clients) = link(Medium::Ip);
        let now = Instant::from_secs(1);
        let iface = interface(&mut device, now);
        let shard = Shard::new(stack, id, [7; 16], Boxed::new(256, 256, sockets), Memory::boxed(ROOM));
        let (sockets, wakes) = (SocketSet::new(vec![]), vec![]);
        let (orphans, elsewhere, gone) = (vec![], vec![], vec![]);
        Self { stack, shard, sockets, now, iface, device, clients, wakes, orphans, elsewhere, gone }
    }

    /// The frames arrive, all before the next poll.
    pub(crate) fn receives(&mut self, frames: impl IntoIterator<Item = Vec<u8>>) -> Vec<Seen> {
        frames.into_iter().for_each(|frame| self.clients.put(frame));
        self.poll()
    }

    /// Polls, and returns what is sent in consequence. No socket listens afterwards, whatever came.
    pub(crate) fn poll(&mut self) -> Vec<Seen> {
        let Self { shard, sockets, now, iface, device, wakes, orphans, elsewhere, gone, .. } = self;
        shard.poll(*now, device, iface, sockets, |event| match event {
            Event::Wake(wake) => wakes.push(wake.listener()),
            Event::Orphan(connection) => orphans.push(connection),
            Event::Elsewhere { shard, frame } => elsewhere.push((shard, frame.to_vec())),
            Event::Gone(told) => gone.push(told),
        });
        assert!(self.tcp_sockets().all(|socket| !socket.is_listening()), "a phantom listens");
        self.clients.take().iter().filter_map(|frame| read(frame)).collect()
    }

    pub(crate) fn tcp_sockets(&self) -> impl Iterator<Item = &tcp::Socket<'static>> {
        self.sockets.iter().filter_map(|(_, socket)| match socket {
            smoltcp::socket::Socket::Tcp(socket) => Some(socket),
            #[allow(unreachable_patterns)] // features of smoltcp that others switch on
            _ => None,
        })
    }

    /// The device has no room to send, or has again.
    pub(crate) fn block(&mut self, blocked: bool) {
        self.device.block(blocked);
    }

    /// Time passes, without polls.
    pub(crate) fn wait(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
    }

    /// A SYN of the client's arrives; returns the SYN-ACK.
    pub(crate) fn syn(&mut self, client: Client) -> Seen {
        let sent = self.receives([client.syn()]);
        assert!(sent.len() == 1 && sent[0].is_syn_ack(), "no SYN-ACK: {sent:?}");
        sent[0]
    }

    /// A socket of the server's own connects to the client, from where its clients connect to.
    pub(crate) fn connects(&mut self, client: Client) -> SocketHandle {
        let handle = self.sockets.add(buffers());
        let socket = self.sockets.get_mut::<tcp::Socket<'_>>(handle);
        socket.connect(self.iface.context(), client.addr, client.server).unwrap();
        handle
    }

    /// The client connects.
    pub(crate) fn connect(&mut self, client: Client) -> Seen {
        let syn_ack = self.syn(client);
        assert_eq!(self.receives([client.ack(&syn_ack, &[])]), []);
        syn_ack
    }

    pub(crate) fn accept(&mut self, listener: Listener) -> Option<Connection> {
        let Self { shard, sockets, now, wakes, .. } = self;
        let accepted = shard.accept(listener, *now, sockets, |event| {
            if let Event::Wake(wake) = event {
                wakes.push(wake.listener());
            }
        });
        accepted.unwrap()
    }

    /// Accepts whatever waits.
    pub(crate) fn accept_all(&mut self, listener: Listener) -> Vec<SocketAddr> {
        let mut accepted = vec![];
        while let Some(connection) = self.accept(listener) {
            let socket = self.sockets.get::<tcp::Socket<'_>>(connection.handle());
            assert_eq!(socket.remote_endpoint(), Some(connection.remote().into()));
            accepted.push(connection.remote());
            self.shard.abort(connection, self.now, &mut self.sockets).unwrap();
        }
        accepted
    }

    pub(crate) fn close(&mut self, listener: Listener) {
        let Self { shard, sockets, now, wakes, orphans, .. } = self;
        let closed = shard.close(listener, *now, sockets, |event| match event {
            Event::Wake(wake) => wakes.push(wake.listener()),
            Event::Orphan(connection) => orphans.push(connection),
            Event::Elsewhere { .. } | Event::Gone(_) => unreachable!(),
        });
        closed.unwrap();
    }

    /// When there is something to do next.
    pub(crate) fn next(&mut self) -> Instant {
        self.shard.poll_at(self.now, &mut self.iface, &self.sockets).expect("something is due")
    }

    /// Nothing is left, of the stack and of smoltcp.
    pub(crate) fn assert_empty(&mut self) {
        self.poll();
        assert!(self.shard.is_empty(), "{} connections are left over", self.shard.len());
        assert_eq!(self.sockets.iter().count(), 0, "sockets are left over");
        assert_eq!(self.shard.half_open().count(), 0);
    }
}

/// A server over smoltcp as it is commonly used: so many sockets that listen on one port.
pub(crate) struct Plain {
    pub(crate) sockets: SocketSet<'static>,
    pub(crate) handles: Vec<SocketHandle>,
    pub(crate) now: Instant,
    iface: Interface,
    device: End,
    clients: End,
}

impl Plain {
    pub(crate) fn listening(at: SocketAddr, listeners: usize) -> Self {
        let (mut device, clients) = link(Medium::Ip);
        let now = Instant::from_secs(1);
        let iface = interface(&mut device, now);
        let mut sockets = SocketSet::new(vec![]);
        let handles = (0..listeners).map(|_| sockets.add(buffers())).collect();
        let mut plain = Self { sockets, handles, now, iface, device, clients };
        (0..listeners).for_each(|socket| plain.listen(socket, at));
        plain
    }

    pub(crate) fn listen(&mut self, socket: usize, at: SocketAddr) {
        self.socket(socket).listen(at).unwrap();
    }

    pub(crate) fn socket(&mut self, socket: usize) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handles[socket])
    }

    pub(crate) fn receives(&mut self, frames: impl IntoIterator<Item = Vec<u8>>) -> Vec<Seen> {
        frames.into_iter().for_each(|frame| self.clients.put(frame));
        self.iface.poll(self.now, &mut self.device, &mut self.sockets);
        self.clients.take().iter().filter_map(|frame| read(frame)).collect()
    }
}
