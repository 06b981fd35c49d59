//! A frame, before smoltcp has it: what it is, and a device that holds it alone.

use core::net::SocketAddr;
use rskq::Tuple;
use smoltcp::phy::{self, ChecksumCapabilities, Device, DeviceCapabilities, Medium, PacketMeta};
use smoltcp::time::Instant;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, IpAddress, IpProtocol, Ipv4Packet, Ipv4Repr,
    Ipv6Packet, Ipv6Repr, TcpControl, TcpPacket, TcpRepr,
};

/// What is to be known of a frame before smoltcp has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// A TCP segment whose checksums are right.
    Segment(Segment),
    /// It may carry a segment that is not looked for: behind an extension header, or a part of one.
    Hidden,
    /// Nothing for a TCP socket.
    Other,
}

/// A TCP segment, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Its ends, as the receiver sees them.
    pub(crate) tuple: Tuple,
    /// Whether it opens a connection: a SYN, and neither an ACK nor a reset.
    pub(crate) opens: bool,
    /// The hardware address that it was sent to, if the medium has those.
    pub(crate) hardware: Option<EthernetAddress>,
}

/// Looks at a frame. Checksums are verified, but for those that the device vouches for.
pub(crate) fn look(frame: &[u8], medium: Medium, checksums: &ChecksumCapabilities) -> Look {
    try_look(frame, medium, checksums).unwrap_or(Look::Other)
}

fn try_look(frame: &[u8], medium: Medium, checksums: &ChecksumCapabilities) -> smoltcp::wire::Result<Look> {
    let (hardware, version, packet) = match medium {
        Medium::Ethernet => {
            let frame = EthernetFrame::new_checked(frame)?;
            let version = match frame.ethertype() {
                EthernetProtocol::Ipv4 => 4,
                EthernetProtocol::Ipv6 => 6,
                _ => return Ok(Look::Other),
            };
            (Some(frame.dst_addr()), version, frame.payload())
        }
        Medium::Ip => (None, frame.first().map_or(0, |first| first >> 4), frame),
        #[allow(unreachable_patterns)] // a medium that another user of smoltcp switches on
        _ => return Ok(Look::Hidden),
    };
    let segment = |ends, payload| {
        segment(ends, payload, checksums).map(|segment| Look::Segment(Segment { hardware, ..segment }))
    };
    match version {
        4 => {
            let packet = Ipv4Packet::new_checked(packet)?;
            if packet.next_header() != IpProtocol::Tcp {
                return Ok(Look::Other);
            }
            if packet.more_frags() || packet.frag_offset() != 0 {
                return Ok(Look::Hidden);
            }
            let repr = Ipv4Repr::parse(&packet, checksums)?;
            segment((repr.src_addr.into(), repr.dst_addr.into()), packet.payload())
        }
        6 => {
            let packet = Ipv6Packet::new_checked(packet)?;
            let repr = Ipv6Repr::parse(&packet)?;
            match repr.next_header {
                IpProtocol::Tcp => segment((repr.src_addr.into(), repr.dst_addr.into()), packet.payload()),
                IpProtocol::Udp | IpProtocol::Icmpv6 => Ok(Look::Other),
                _ => Ok(Look::Hidden),
            }
        }
        _ => Ok(Look::Other),
    }
}

fn segment(
    (src, dst): (IpAddress, IpAddress),
    payload: &[u8],
    checksums: &ChecksumCapabilities,
) -> smoltcp::wire::Result<Segment> {
    let repr = TcpRepr::parse(&TcpPacket::new_checked(payload)?, &src, &dst, checksums)?;
    let tuple = Tuple {
        local: SocketAddr::new(dst.into(), repr.dst_port),
        remote: SocketAddr::new(src.into(), repr.src_port),
    };
    let opens = repr.control == TcpControl::Syn && repr.ack_number.is_none();
    Ok(Segment { tuple, opens, hardware: None })
}

/// A device with one frame in it, and room for one answer.
pub(crate) struct OneFrame<'f, T> {
    frame: Option<Received<'f>>,
    answer: Option<T>,
    capabilities: DeviceCapabilities,
}

impl<'f, T: phy::TxToken> OneFrame<'f, T> {
    pub(crate) fn new(
        frame: &'f [u8],
        meta: PacketMeta,
        answer: T,
        capabilities: DeviceCapabilities,
    ) -> Self {
        Self { frame: Some(Received { frame, meta }), answer: Some(answer), capabilities }
    }

    pub(crate) fn look(&self) -> Look {
        let frame = self.frame.as_ref().map_or(&[][..], |received| received.frame);
        look(frame, self.capabilities.medium, &self.capabilities.checksum)
    }
}

impl<'f, T: phy::TxToken> Device for OneFrame<'f, T> {
    type RxToken<'b>
        = Received<'f>
    where
        Self: 'b;
    type TxToken<'b>
        = T
    where
        Self: 'b;

    fn receive(&mut self, _timestamp: Instant) -> Option<(Received<'f>, T)> {
        Some((self.frame.take()?, self.answer.take()?))
    }

    fn transmit(&mut self, _timestamp: Instant) -> Option<T> {
        self.answer.take()
    }

    fn capabilities(&self) -> DeviceCapabilities {
        self.capabilities.clone()
    }
}

/// The one frame.
pub(crate) struct Received<'f> {
    frame: &'f [u8],
    meta: PacketMeta,
}

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.frame)
    }

    fn meta(&self) -> PacketMeta {
        self.meta
    }
}
