//! A wire between a server and its clients, all in this process.

#[path = "../../tests/common/link.rs"]
mod link;

pub(crate) use link::{End, link};

use smoltcp::iface::Interface;
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpCidr};
use std::net::Ipv4Addr;

pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const CLIENTS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(crate) const PORT: u16 = 80;

pub(crate) fn interface(device: &mut End, addr: Ipv4Addr) -> Interface {
    let mut config = smoltcp::iface::Config::new(HardwareAddress::Ip);
    config.random_seed = addr.to_bits().into();
    let mut iface = Interface::new(config, device, Instant::ZERO);
    iface.update_ip_addrs(|addresses| {
        let cidr = IpCidr::new(addr.into(), 24);
        addresses.push(cidr).expect("there is room for one");
    });
    iface
}

/// A socket with buffers of so many bytes.
pub(crate) fn socket(buffer: usize) -> tcp::Socket<'static> {
    tcp::Socket::new(tcp::SocketBuffer::new(vec![0; buffer]), tcp::SocketBuffer::new(vec![0; buffer]))
}
