//! What is opened, and each CPU's loop.

use crate::arch::{CPUS, clock, idle};
use crate::memory;
use crate::nic::Nic;
use crate::port::{self, Port};
use crate::say;
use crate::worker::Worker;
use rskq::{DefaultBackend, Design, Stack};
use rskq_smoltcp::{Connection, Shard, adapted};
use smoltcp::iface::{Config, Interface};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpCidr, Ipv4Address};
use spin::{Mutex, Once};

/// Where it serves; QEMU's user network gives that address to its first guest.
pub const ADDRESS: Ipv4Address = Ipv4Address::new(10, 0, 2, 15);
pub const PORT: u16 = 80;
const PREFIX: u8 = 24;
/// Spreads the connections. An image that faces the world takes it from a source of randomness.
const KEY: [u8; 16] = *b"not for a secret";

pub type TheStack = Stack<'static, Connection, DefaultBackend>;

static STACK: Once<TheStack> = Once::new();
/// Each is taken by its CPU.
static WORKERS: [Mutex<Option<Worker>>; CPUS] = [const { Mutex::new(None) }; CPUS];

/// Opens everything, on the first CPU before the second one is started.
pub fn open(card: Nic, migrate: bool) {
    // Who closes hands over what waits, or resets it.
    let design = if migrate { Design::Handover } else { Design::Abort };
    let stack = STACK.call_once(|| Stack::new(memory::stack(), adapted(rskq::Config::migrating(design))));
    let mac = HardwareAddress::Ethernet(EthernetAddress(card.mac()));
    *port::CARD.lock() = Some(card);
    for (cpu, worker) in WORKERS.iter().enumerate() {
        *worker.lock() = Some(worker_of(cpu, stack, mac));
    }
    let migration = if migrate { "on" } else { "off" };
    say!("ready at {ADDRESS}:{PORT} after {} ms, migration {migration}", clock::now() / 1000);
}

fn worker_of(cpu: usize, stack: &'static TheStack, mac: HardwareAddress) -> Worker {
    let (memory, sockets, pool) = memory::shard(cpu);
    let mut config = Config::new(mac);
    config.random_seed = clock::now() ^ cpu as u64;
    let mut iface = Interface::new(config, &mut Port { cpu }, now());
    iface.update_ip_addrs(|addresses| {
        addresses.push(IpCidr::new(ADDRESS.into(), PREFIX)).expect("there is room for one");
    });
    Worker::new(cpu, iface, sockets, Shard::new(stack, cpu as u32, KEY, pool, memory))
}

/// The time as smoltcp tells it.
pub fn now() -> Instant {
    Instant::from_micros(clock::now() as i64)
}

/// Works for ever, and waits when there is nothing to do.
pub fn serve(cpu: usize) -> ! {
    let mut worker = WORKERS[cpu].lock().take().expect("it was opened for this CPU");
    loop {
        if cpu == 0 {
            port::distribute();
        }
        if !worker.work() {
            idle();
        }
    }
}
