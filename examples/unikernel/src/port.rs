//! The card as each CPU's interface sees it: what came for that CPU, and the way out, which they share.
//!
//! A segment's CPU is told by the client's port, without its last bit: Linux's clients have ports of one parity.
//! What is not TCP is the first CPU's, and answers to questions for addresses are everybody's.

use crate::arch::{CPUS, apic};
use crate::nic::Nic;
use heapless::{Deque, Vec};
use smoltcp::phy::{Checksum, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;
use smoltcp::wire::{
    ArpOperation, ArpPacket, EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, TcpPacket,
};
use spin::Mutex;

/// The longest frame, without its checksum.
pub const FRAME: usize = 1514;
/// Frames that wait for a CPU; as with any card, what comes when there is no room is lost.
const WAITING: usize = 256;

/// A frame as it came.
pub type Frame = Vec<u8, FRAME>;

/// The card, once it was found.
pub static CARD: Mutex<Option<Nic>> = Mutex::new(None);
static WAITS: [Mutex<Deque<Frame, WAITING>>; CPUS] = [const { Mutex::new(Deque::new()) }; CPUS];
/// Frames of connections that moved, from the CPU that they left.
static FORWARDED: [Mutex<Deque<Frame, WAITING>>; CPUS] = [const { Mutex::new(Deque::new()) }; CPUS];

/// Takes from the card what has come, and gives it to the CPU whose it is.
pub fn distribute() {
    let mut card = CARD.lock();
    let Some(card) = &mut *card else { return };
    card.seen();
    let mut others = false;
    while let Some(()) = card.receive(|frame| match whose(frame) {
        Some(cpu) => {
            hand(cpu, frame);
            others |= cpu != 0;
        }
        None => {
            (0..CPUS).for_each(|cpu| hand(cpu, frame));
            others = true;
        }
    }) {}
    if others {
        apic::call_other();
    }
}

/// Has a frame wait for a CPU.
fn hand(cpu: usize, frame: &[u8]) {
    if let Ok(frame) = Frame::from_slice(frame) {
        let _ = WAITS[cpu].lock().push_back(frame);
    }
}

/// Passes a frame on to the CPU that its connection moved to.
pub fn forward(cpu: usize, frame: &[u8]) {
    if let Ok(frame) = Frame::from_slice(frame) {
        let _ = FORWARDED[cpu].lock().push_back(frame);
    }
    apic::call_other();
}

/// Lets a CPU have the frames that were passed on to it, once it has looked for letters with `read`.
///
/// 1. The other CPU sends this one a connection, and then passes on a frame of it.
/// 2. This CPU counts the frames first, and reads its letters then: whatever it counted is of a connection that it
///    has by now. The other way round, a frame might come to a CPU that knows of no such connection, and resets it.
pub fn admit(cpu: usize, read: impl FnOnce()) {
    let count = FORWARDED[cpu].lock().len();
    read();
    for _ in 0..count {
        let frame = FORWARDED[cpu].lock().pop_front();
        if let Some(frame) = frame {
            let _ = WAITS[cpu].lock().push_back(frame);
        }
    }
}

/// Tells which CPU a frame is for, or `None` if it is for all.
fn whose(frame: &[u8]) -> Option<usize> {
    let first = Some(0);
    let Ok(ethernet) = EthernetFrame::new_checked(frame) else { return first };
    match ethernet.ethertype() {
        EthernetProtocol::Arp => match ArpPacket::new_checked(ethernet.payload()) {
            Ok(arp) if arp.operation() == ArpOperation::Reply => None,
            _ => first,
        },
        EthernetProtocol::Ipv4 => {
            let Ok(ip) = Ipv4Packet::new_checked(ethernet.payload()) else { return first };
            match TcpPacket::new_checked(ip.payload()) {
                Ok(tcp) if ip.next_header() == IpProtocol::Tcp => {
                    Some(usize::from(tcp.src_port() >> 1) % CPUS)
                }
                _ => first,
            }
        }
        _ => first,
    }
}

/// One CPU's side of the card.
pub struct Port {
    pub cpu: usize,
}

/// A frame that came.
pub struct Came(Frame);

/// Leave to send.
pub struct Sends;

impl RxToken for Came {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Sends {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        CARD.lock().as_mut().expect("the card was found").send(length, f)
    }
}

impl Device for Port {
    type RxToken<'a> = Came;
    type TxToken<'a> = Sends;

    fn receive(&mut self, _now: Instant) -> Option<(Came, Sends)> {
        let frame = WAITS[self.cpu].lock().pop_front()?;
        Some((Came(frame), Sends))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Sends> {
        Some(Sends)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities.checksum.tcp = Checksum::Both;
        capabilities
    }
}
