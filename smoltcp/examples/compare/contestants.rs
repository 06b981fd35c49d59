//! Accept layers over smoltcp, as they are found in the field.

use crate::wire::{End, PORT, SERVER, interface, link, socket};
use rskq::group::SockReuseport;
use rskq::listener::Listener;
use rskq::request::{Owner, RequestSock};
use rskq::{
    BindBucket, Bucket, Config, DefaultBackend, Design, EhashBucket, ListenerId, Member, Resources, Slot,
    Stack,
};
use rskq_smoltcp::{Boxed, Connection, Held, Memory as ShardMemory, Place, Shard, adapted};
use smoltcp::iface::{Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::Medium;
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket};
use std::collections::VecDeque;
use std::net::SocketAddr;

/// Bytes in each of a socket's two buffers.
pub(crate) const BUFFER: usize = 4096;
/// A socket in a set, and its buffers.
const SOCKET: usize = size_of::<SocketStorage<'_>>() + 2 * BUFFER;
/// As many clients as come.
const ROOM: usize = 128;

/// In bytes.
pub(crate) struct Memory {
    /// What a listener costs that nobody has connected to.
    pub(crate) listener: usize,
    /// What each connection adds that waits.
    pub(crate) pending: usize,
}

pub(crate) trait Contestant {
    fn poll(&mut self, now: Instant, device: &mut End);

    /// Accepts and answers somebody, if anybody waits.
    fn accept(&mut self, now: Instant) -> bool;

    /// Closes the listener, as it is commonly done.
    fn close(&mut self, now: Instant);

    fn memory(&self) -> Memory;
}

fn answer(socket: &mut tcp::Socket<'_>) {
    // Who has gone is not answered.
    let _ = socket.send_slice(b".");
}

fn is_connected(socket: &tcp::Socket<'_>) -> bool {
    matches!(socket.state(), tcp::State::Established | tcp::State::CloseWait)
}

/// So many sockets that listen on the port; each that was accepted is replaced.
pub(crate) struct Listening {
    iface: Interface,
    sockets: SocketSet<'static>,
    listening: Vec<SocketHandle>,
}

impl Listening {
    pub(crate) fn new(device: &mut End, count: usize) -> Self {
        let mut all =
            Self { iface: interface(device, SERVER), sockets: SocketSet::new(vec![]), listening: vec![] };
        (0..count).for_each(|_| all.arm());
        all
    }

    fn arm(&mut self) {
        let handle = self.sockets.add(socket(BUFFER));
        self.sockets.get_mut::<tcp::Socket<'_>>(handle).listen(PORT).expect("it is closed");
        self.listening.push(handle);
    }
}

impl Contestant for Listening {
    fn poll(&mut self, now: Instant, device: &mut End) {
        self.iface.poll(now, device, &mut self.sockets);
    }

    fn accept(&mut self, _now: Instant) -> bool {
        let connected = |&handle: &SocketHandle| is_connected(self.sockets.get(handle));
        let Some(at) = self.listening.iter().position(connected) else { return false };
        answer(self.sockets.get_mut(self.listening.swap_remove(at)));
        self.arm();
        true
    }

    fn close(&mut self, _now: Instant) {
        for handle in self.listening.drain(..) {
            self.sockets.remove(handle);
        }
    }

    fn memory(&self) -> Memory {
        Memory { listener: self.listening.len() * SOCKET, pending: 0 }
    }
}

/// A socket is made for each SYN that is seen, and queued.
pub(crate) struct OwnQueue {
    iface: Interface,
    sockets: SocketSet<'static>,
    queue: VecDeque<SocketHandle>,
    open: bool,
    /// Where smoltcp gets its frames from, one by one.
    stage: (End, End),
}

impl OwnQueue {
    pub(crate) fn new(device: &mut End) -> Self {
        let (iface, sockets) = (interface(device, SERVER), SocketSet::new(vec![]));
        Self { iface, sockets, queue: VecDeque::new(), open: true, stage: link(Medium::Ip) }
    }

    fn snoop(&mut self, frame: &[u8]) {
        let opens = Ipv4Packet::new_checked(frame)
            .ok()
            .filter(|packet| packet.next_header() == IpProtocol::Tcp)
            .and_then(|packet| TcpPacket::new_checked(packet.payload()).ok())
            .is_some_and(|tcp| tcp.syn() && !tcp.ack() && tcp.dst_port() == PORT);
        if opens && self.open && self.queue.len() < ROOM {
            let handle = self.sockets.add(socket(BUFFER));
            self.sockets.get_mut::<tcp::Socket<'_>>(handle).listen(PORT).expect("it is closed");
            self.queue.push_back(handle);
        }
    }
}

impl Contestant for OwnQueue {
    fn poll(&mut self, now: Instant, device: &mut End) {
        for frame in device.take() {
            self.snoop(&frame);
            self.stage.1.put(frame);
            self.iface.poll_ingress_single(now, &mut self.stage.0, &mut self.sockets);
        }
        self.stage.1.take().into_iter().for_each(|frame| device.put(frame));
        self.iface.poll(now, device, &mut self.sockets);
    }

    fn accept(&mut self, _now: Instant) -> bool {
        let connected = |&handle: &SocketHandle| is_connected(self.sockets.get(handle));
        let Some(at) = self.queue.iter().position(connected) else { return false };
        if let Some(handle) = self.queue.swap_remove_back(at) {
            answer(self.sockets.get_mut(handle));
        }
        true
    }

    fn close(&mut self, _now: Instant) {
        self.open = false;
        for handle in self.queue.drain(..) {
            self.sockets.remove(handle);
        }
    }

    fn memory(&self) -> Memory {
        Memory { listener: size_of::<VecDeque<SocketHandle>>(), pending: SOCKET + size_of::<SocketHandle>() }
    }
}

/// A listener, and another one at the same address once it closes.
pub(crate) struct Rskq {
    shard: Shard<'static, 'static, Boxed, DefaultBackend>,
    iface: Interface,
    sockets: SocketSet<'static>,
    listeners: Vec<ListenerId<Connection, DefaultBackend>>,
    accepted: Vec<Connection>,
}

impl Rskq {
    pub(crate) fn new(device: &mut End, design: Design) -> Self {
        let stack = Stack::new(Resources::boxed(2, ROOM as u32), adapted(Config::with(design)));
        // For as long as the program runs.
        let stack: &'static Stack<'static, Connection, DefaultBackend> = Box::leak(Box::new(stack));
        let boxed = Boxed::new(BUFFER, BUFFER, ROOM);
        let shard = Shard::new(stack, 0, [7; 16], boxed, ShardMemory::boxed(ROOM));
        let at = SocketAddr::new(SERVER.into(), PORT);
        // Everybody falls on the first one: the other comes when the first closes.
        let listeners = vec![stack.listen_at(at, ROOM as u32, true).expect("there is room for two")];
        let (iface, sockets) = (interface(device, SERVER), SocketSet::new(vec![]));
        Self { shard, iface, sockets, listeners, accepted: vec![] }
    }
}

impl Contestant for Rskq {
    fn poll(&mut self, now: Instant, device: &mut End) {
        self.shard.poll(now, device, &mut self.iface, &mut self.sockets, |_| {});
    }

    fn accept(&mut self, now: Instant) -> bool {
        for &listener in &self.listeners {
            if let Ok(Some(connection)) = self.shard.accept(listener, now, &mut self.sockets, |_| {}) {
                answer(self.sockets.get_mut(connection.handle()));
                self.accepted.push(connection);
                return true;
            }
        }
        false
    }

    fn close(&mut self, now: Instant) {
        let at = SocketAddr::new(SERVER.into(), PORT);
        let successor = self.shard.stack().listen_at(at, ROOM as u32, true).expect("there is room for two");
        for listener in self.listeners.drain(..) {
            self.shard.close(listener, now, &mut self.sockets, |_| {}).expect("it is open");
        }
        self.listeners.push(successor);
    }

    fn memory(&self) -> Memory {
        type Of<T> = Slot<T, DefaultBackend>;
        // Closed, it may be named by a connection still while its successor is there.
        let listener =
            size_of::<Of<Listener<Connection, DefaultBackend>>>() + size_of::<Of<Owner<DefaultBackend>>>();
        // It is the only one at its address.
        let address = size_of::<Of<SockReuseport<DefaultBackend>>>()
            + Member::<DefaultBackend>::count_for(1) * size_of::<Member<DefaultBackend>>()
            + size_of::<BindBucket<Connection, DefaultBackend>>()
            + size_of::<Bucket<DefaultBackend>>();
        let pending = SOCKET
            + size_of::<Place<Held<DefaultBackend>>>()
            + size_of::<Of<RequestSock<Connection, DefaultBackend>>>()
            + size_of::<EhashBucket<Connection, DefaultBackend>>();
        Memory { listener: 2 * listener + address, pending }
    }
}
