//! smoltcp's own demultiplexing: a listening socket for each connection, and every packet offered to each
//! socket in turn. Packets are made, parsed and answered, which is most of it where sockets are few.

use crate::world::tuple;
use rskq::Tuple;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{
    HardwareAddress, IpAddress, IpCidr, IpProtocol, IpRepr, Ipv4Packet, Ipv4Repr, TcpControl, TcpPacket,
    TcpRepr, TcpSeqNumber,
};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

/// The wire: what comes in, and what went out last.
#[derive(Default)]
struct Wire {
    incoming: VecDeque<Vec<u8>>,
    sent: Vec<u8>,
}

struct Incoming(Vec<u8>);
struct Outgoing<'a>(&'a mut Vec<u8>);

impl RxToken for Incoming {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        self.0.resize(len, 0);
        f(self.0)
    }
}

impl Device for Wire {
    type RxToken<'a> = Incoming;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Incoming, Outgoing<'_>)> {
        Some((Incoming(self.incoming.pop_front()?), Outgoing(&mut self.sent)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Outgoing<'_>> {
        Some(Outgoing(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = 1500;
        capabilities.checksum = ChecksumCapabilities::ignored();
        capabilities
    }
}

/// A host with half-open sockets, and one behind them that listens.
pub struct Smoltcp {
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    listens: SocketHandle,
}

fn v4(addr: std::net::SocketAddr) -> (Ipv4Addr, u16) {
    match addr.ip() {
        IpAddr::V4(ip) => (ip, addr.port()),
        IpAddr::V6(_) => unreachable!("tuples are IPv4"),
    }
}

/// The client's sequence number.
const ISN: TcpSeqNumber = TcpSeqNumber(1000);

/// Returns a packet from the client.
fn packet(tuple: Tuple, control: TcpControl, ack: Option<TcpSeqNumber>) -> Vec<u8> {
    let ((src, src_port), (dst, dst_port)) = (v4(tuple.remote), v4(tuple.local));
    let tcp = TcpRepr {
        src_port,
        dst_port,
        control,
        seq_number: if control == TcpControl::Syn { ISN } else { ISN + 1 },
        ack_number: ack,
        window_len: 1024,
        window_scale: None,
        max_seg_size: None,
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload: &[],
    };
    let ip = Ipv4Repr {
        src_addr: src,
        dst_addr: dst,
        next_header: IpProtocol::Tcp,
        payload_len: tcp.buffer_len(),
        hop_limit: 64,
    };
    let mut bytes = vec![0; ip.buffer_len() + tcp.buffer_len()];
    let none = ChecksumCapabilities::ignored();
    ip.emit(&mut Ipv4Packet::new_unchecked(&mut bytes), &none);
    let at = IpRepr::Ipv4(ip).header_len();
    tcp.emit(
        &mut TcpPacket::new_unchecked(&mut bytes[at..]),
        &IpAddress::Ipv4(src),
        &IpAddress::Ipv4(dst),
        &none,
    );
    bytes
}

impl Smoltcp {
    /// A host with so many half-open connections, from number 0 on.
    #[must_use]
    pub fn filled(half_open: u64) -> Self {
        let mut wire = Wire::default();
        let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|addrs| {
            addrs.push(IpCidr::new(IpAddress::v4(10, 0, 0, 1), 8)).expect("there is room for one");
        });
        interface.routes_mut().add_default_ipv4_route(Ipv4Addr::new(10, 0, 0, 2)).expect("as above");
        let mut sockets = SocketSet::new(Vec::new());
        let mut listen = |_| {
            let buffer = || tcp::SocketBuffer::new(vec![0; 64]);
            let mut socket = tcp::Socket::new(buffer(), buffer());
            socket.listen(80).expect("a port");
            sockets.add(socket)
        };
        let listens = (0..=half_open).map(&mut listen).last().expect("one at least");
        let mut host = Self { wire, interface, sockets, listens };
        for number in 0..half_open {
            assert!(host.receive(packet(tuple(number), TcpControl::Syn, None)).is_some(), "there is room");
        }
        assert_eq!(host.socket().state(), tcp::State::Listen);
        host
    }

    fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.listens)
    }

    /// Brings a packet in. Returns the sequence number of the SYN-ACK, if one is sent in answer.
    fn receive(&mut self, packet: Vec<u8>) -> Option<TcpSeqNumber> {
        self.wire.incoming.push_back(packet);
        self.wire.sent.clear();
        self.interface.poll(Instant::ZERO, &mut self.wire, &mut self.sockets);
        let ip = Ipv4Packet::new_checked(&self.wire.sent).ok()?;
        let tcp = TcpPacket::new_checked(ip.payload()).ok()?;
        (tcp.syn() && tcp.ack()).then(|| tcp.seq_number())
    }

    /// One connection, from its SYN until it is established, and the socket as it was; tells whether that was
    /// done.
    #[inline(never)]
    pub fn whole_path(&mut self, number: u64) -> bool {
        let Some(isn) = self.receive(packet(tuple(number), TcpControl::Syn, None)) else { return false };
        self.receive(packet(tuple(number), TcpControl::None, Some(isn + 1)));
        let done = self.socket().state() == tcp::State::Established;
        // The socket is the connection: another one has to be made to listen, or this one again. No reset is
        // sent for it.
        let buffer = || tcp::SocketBuffer::new(vec![0; 64]);
        *self.socket() = tcp::Socket::new(buffer(), buffer());
        self.socket().listen(80).expect("it is closed");
        done
    }
}
