//! TCP segments, written and read by hand.

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    IpAddress, IpProtocol, IpRepr, IpVersion, Ipv4Packet, Ipv6Packet, TcpControl, TcpPacket, TcpRepr,
    TcpSeqNumber,
};
use std::net::SocketAddr;

/// A client that is played by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) addr: SocketAddr,
    pub(crate) server: SocketAddr,
    /// Its initial sequence number.
    pub(crate) isn: i32,
}

/// What is in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) control: TcpControl,
    pub(crate) seq: TcpSeqNumber,
    pub(crate) ack: Option<TcpSeqNumber>,
    pub(crate) len: usize,
}

impl Seen {
    pub(crate) fn is_syn_ack(&self) -> bool {
        self.control == TcpControl::Syn && self.ack.is_some()
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.control == TcpControl::Rst
    }
}

impl Client {
    /// Client number `number` of a server.
    pub(crate) fn new(server: SocketAddr, number: u16) -> Self {
        let ip: std::net::IpAddr = match server {
            SocketAddr::V4(_) => [10, 0, 0, 2].into(),
            SocketAddr::V6(_) => "fd00::2".parse().unwrap(),
        };
        Self { addr: SocketAddr::new(ip, 50_000 + number), server, isn: 1_000 * i32::from(number) }
    }

    pub(crate) fn syn(&self) -> Vec<u8> {
        self.segment(TcpControl::Syn, self.isn, None, &[])
    }

    /// The final ACK of the handshake, which may carry data.
    pub(crate) fn ack(&self, syn_ack: &Seen, payload: &[u8]) -> Vec<u8> {
        self.segment(TcpControl::None, self.isn + 1, Some(syn_ack.seq + 1), payload)
    }

    pub(crate) fn fin(&self, syn_ack: &Seen) -> Vec<u8> {
        self.segment(TcpControl::Fin, self.isn + 1, Some(syn_ack.seq + 1), &[])
    }

    pub(crate) fn rst(&self, syn_ack: &Seen) -> Vec<u8> {
        self.segment(TcpControl::Rst, self.isn + 1, Some(syn_ack.seq + 1), &[])
    }

    fn segment(&self, control: TcpControl, seq: i32, ack: Option<TcpSeqNumber>, payload: &[u8]) -> Vec<u8> {
        let tcp = TcpRepr {
            src_port: self.addr.port(),
            dst_port: self.server.port(),
            control,
            seq_number: TcpSeqNumber(seq),
            ack_number: ack,
            window_len: 8192,
            window_scale: None,
            max_seg_size: None,
            sack_permitted: false,
            sack_ranges: [None; 3],
            timestamp: None,
            payload,
        };
        let (src, dst): (IpAddress, IpAddress) = (self.addr.ip().into(), self.server.ip().into());
        let ip = IpRepr::new(src, dst, IpProtocol::Tcp, tcp.buffer_len(), 64);
        let mut frame = vec![0; ip.buffer_len()];
        let checksums = ChecksumCapabilities::default();
        ip.emit(&mut frame[..], &checksums);
        let mut packet = TcpPacket::new_unchecked(&mut frame[ip.header_len()..]);
        tcp.emit(&mut packet, &src, &dst, &checksums);
        frame
    }
}

/// Reads a segment, whose checksums have to be right; `None` if the frame is something else.
pub(crate) fn read(frame: &[u8]) -> Option<Seen> {
    let checksums = ChecksumCapabilities::default();
    let (src, dst, protocol, payload): (IpAddress, IpAddress, _, _) =
        match IpVersion::of_packet(frame).unwrap() {
            IpVersion::Ipv4 => {
                let packet = Ipv4Packet::new_checked(frame).unwrap();
                assert!(packet.verify_checksum());
                (packet.src_addr().into(), packet.dst_addr().into(), packet.next_header(), packet.payload())
            }
            IpVersion::Ipv6 => {
                let packet = Ipv6Packet::new_checked(frame).unwrap();
                (packet.src_addr().into(), packet.dst_addr().into(), packet.next_header(), packet.payload())
            }
        };
    if protocol != IpProtocol::Tcp {
        return None;
    }
    let tcp = TcpRepr::parse(&TcpPacket::new_checked(payload).unwrap(), &src, &dst, &checksums).unwrap();
    Some(Seen {
        from: SocketAddr::new(src.into(), tcp.src_port),
        to: SocketAddr::new(dst.into(), tcp.dst_port),
        control: tcp.control,
        seq: tcp.seq_number,
        ack: tcp.ack_number,
        len: tcp.payload.len(),
    })
}
