//! Clients of this machine's kernel: over a TAP device to smoltcp, and to the kernel's own listeners.

mod clients;
mod kernel;
mod namespace;

use crate::plan::{DESIGNS, Row};
use crate::server::Server;
use rskq::{Config, Design, Resources, Stack};
use rskq_smoltcp::adapted;
use smoltcp::iface::Interface;
use smoltcp::phy::{Medium, TunTapInterface, wait};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, IpCidr};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;

const DEVICE: &str = "rskq0";
/// The server's end of the wire, and the kernel's.
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const KERNEL: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const PORT: u16 = 80;

/// A row for each policy, and for the kernel with migration off and on.
pub(crate) fn rows(connections: u32) -> Result<Vec<Row>, String> {
    namespace::enter()?;
    let mut rows = vec![];
    for design in DESIGNS {
        rows.push(over_smoltcp(design, connections)?);
    }
    for migrate in [false, true] {
        namespace::set("net/ipv4/tcp_migrate_req", if migrate { "1" } else { "0" })?;
        let name = format!("Linux, tcp_migrate_req={}", u8::from(migrate));
        rows.push(
            kernel::run(name, connections).map_err(|error| format!("the kernel's own sockets: {error}"))?,
        );
    }
    Ok(rows)
}

fn over_smoltcp(design: Design, connections: u32) -> Result<Row, String> {
    let device = TunTapInterface::new(DEVICE, Medium::Ethernet);
    let mut device =
        device.map_err(|error| format!("a TAP device cannot be had of /dev/net/tun: {error}"))?;
    namespace::up(DEVICE, Some(KERNEL))?;
    let stack = Stack::new(Resources::boxed(8, 1024), adapted(Config::with(design)));
    let start = Instant::now();
    let mut server = Server::new(SocketAddr::new(SERVER.into(), PORT), &stack, interface(&mut device, start));
    let clients = clients::start(SocketAddr::new(SERVER.into(), PORT), connections);
    let mut millisecond = 0;
    while !clients.done() {
        wait(device.as_raw_fd(), Some(Duration::from_millis(1))).map_err(|error| error.to_string())?;
        let now = Instant::now();
        server.poll(now, &mut device);
        // As many as have passed: the machine may be busy.
        while millisecond < (now - start).total_millis() {
            millisecond += 1;
            server.tick(millisecond, now, &mut device);
        }
    }
    Ok(clients.join().under(design, stack.counters().TCPMigrateReqSuccess))
}

fn interface(device: &mut TunTapInterface, now: Instant) -> Interface {
    let mut config = smoltcp::iface::Config::new(EthernetAddress([0x02, 0, 0, 0, 0, 1]).into());
    config.random_seed = now.total_micros().unsigned_abs();
    let mut iface = Interface::new(config, device, now);
    iface.update_ip_addrs(|addresses| {
        let cidr = IpCidr::new(SERVER.into(), 24);
        addresses.push(cidr).expect("there is room for one");
    });
    iface
}
