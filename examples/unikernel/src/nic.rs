//! The network card: a virtio device, its rings, and a buffer for each of their places.

mod dma;

use crate::arch::apic;
use core::ptr::{self, NonNull};
use dma::Dma;
use spin::{Mutex, MutexGuard};
use virtio_drivers::device::net::VirtIONetRaw;
use virtio_drivers::transport::mmio::{MmioTransport, VirtIOHeader};
use virtio_drivers::transport::{DeviceType, Transport};

/// Of QEMU's `microvm`: where its devices are, how many there may be, and how far apart.
const DEVICES: usize = 0xfeb0_0000;
const SLOTS: u8 = 24;
const APART: usize = 0x200;

/// Places of a ring.
const RING: usize = 256;
/// The header of virtio, and the longest frame.
const BUFFER: usize = 12 + 1514;

/// A buffer for each place of a ring.
type Buffers = [[u8; BUFFER]; RING];

static RECEIVED: Mutex<Buffers> = Mutex::new([[0; BUFFER]; RING]);
static SENT: Mutex<Buffers> = Mutex::new([[0; BUFFER]; RING]);

/// The card.
pub struct Nic {
    device: VirtIONetRaw<Dma, MmioTransport<'static>, RING>,
    received: &'static mut Buffers,
    /// Which buffer is at which place of the receive ring.
    receiving: [usize; RING],
    sent: &'static mut Buffers,
    /// Buffers that nothing is sent from.
    idle: heapless::Vec<usize, RING>,
    /// Which buffer is at which place of the transmit ring.
    sending: [usize; RING],
}

// SAFETY: its registers and rings are memory that belongs to whoever has it, on whichever CPU.
unsafe impl Send for Nic {}

impl Nic {
    /// Finds the card, starts it, and has it interrupt the first CPU. There is one, and this is called once.
    pub fn find() -> Option<Self> {
        (0..SLOTS).find_map(|slot| {
            let header = NonNull::new(ptr::with_exposed_provenance_mut::<VirtIOHeader>(
                DEVICES + usize::from(slot) * APART,
            ))?;
            // SAFETY: a slot of the machine, mapped, and nobody else's.
            let transport = unsafe { MmioTransport::new(header, APART) }.ok()?;
            (transport.device_type() == DeviceType::Network).then(|| Self::start(transport, slot))
        })
    }

    fn start(transport: MmioTransport<'static>, slot: u8) -> Self {
        let device = VirtIONetRaw::new(transport).expect("the card is one of virtio 1");
        let (received, sent) = (MutexGuard::leak(RECEIVED.lock()), MutexGuard::leak(SENT.lock()));
        let mut nic = Self {
            device,
            received,
            receiving: [0; RING],
            sent,
            idle: (0..RING).collect(),
            sending: [0; RING],
        };
        for buffer in 0..RING {
            nic.offer(buffer);
        }
        apic::enable_device(slot);
        nic
    }

    /// Its address.
    pub fn mac(&self) -> [u8; 6] {
        self.device.mac_address()
    }

    /// Lets the card receive into `buffer`.
    fn offer(&mut self, buffer: usize) {
        // SAFETY: nobody looks at the buffer until `receive` finds it filled.
        let place = unsafe { self.device.receive_begin(&mut self.received[buffer]) };
        self.receiving[usize::from(place.expect("a place for each buffer"))] = buffer;
    }

    /// Shows the oldest frame that has come, if one has.
    pub fn receive<R>(&mut self, look: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let place = self.device.poll_receive()?;
        let buffer = self.receiving[usize::from(place)];
        // SAFETY: the buffer that this place was given.
        let filled = unsafe { self.device.receive_complete(place, &mut self.received[buffer]) };
        let (header, length) = filled.expect("the card fills what it was given");
        let seen = look(&self.received[buffer][header..header + length]);
        self.offer(buffer);
        Some(seen)
    }

    /// Sends a frame of `length` bytes that `write` writes. If the card is slower than that, it is lost.
    pub fn send<R>(&mut self, length: usize, write: impl FnOnce(&mut [u8]) -> R) -> R {
        self.collect();
        let spare = self.idle.pop();
        let buffer = spare.unwrap_or(0);
        let mut lost = [0; BUFFER];
        let bytes = if spare.is_some() { &mut self.sent[buffer] } else { &mut lost };
        let header = self.device.fill_buffer_header(bytes).expect("there is room for it");
        let written = write(&mut bytes[header..header + length]);
        if spare.is_some() {
            // SAFETY: the buffer is not idle, so that nobody looks at it until `collect` finds it sent.
            let place = unsafe { self.device.transmit_begin(&self.sent[buffer][..header + length]) };
            self.sending[usize::from(place.expect("a place for each buffer"))] = buffer;
        }
        written
    }

    /// Takes back what has been sent.
    fn collect(&mut self) {
        while let Some(place) = self.device.poll_transmit() {
            let buffer = self.sending[usize::from(place)];
            // SAFETY: the buffer that this place was given; its length is of no account to the driver.
            unsafe { self.device.transmit_complete(place, &self.sent[buffer]) }.expect("it was sent");
            self.idle.push(buffer).expect("each is idle once");
        }
    }

    /// Tells the card that its interrupt was seen.
    pub fn seen(&mut self) {
        self.device.ack_interrupt();
    }
}
