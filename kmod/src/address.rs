//! Addresses, connections, and where and when.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use rskq::{Arrival, Hashes, Here, Tuple};

/// One end of a connection.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rskq_addr {
    /// The address, in network order; of IPv4 the first four bytes.
    pub addr: [u8; 16],
    /// The zone of a link-local IPv6 address, otherwise 0.
    pub scope: u32,
    /// The port, in host order.
    pub port: u16,
    /// Whether it is IPv6.
    pub ipv6: bool,
}

/// The two ends of a connection.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rskq_tuple {
    /// Ours.
    pub local: rskq_addr,
    /// The client's.
    pub remote: rskq_addr,
}

/// A connection that arrives, and the hashes that select a listener for it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rskq_arrival {
    /// Its ends.
    pub tuple: rskq_tuple,
    /// Selects when it arrives. Keyed: a client must not be able to choose its listener.
    pub syn_hash: u32,
    /// Selects when it migrates; the same unless the listener is bound to a wildcard.
    pub sk_hash: u32,
}

/// Where and when something happens.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rskq_here {
    /// Milliseconds since any moment, the same for every call.
    pub now: u64,
    /// The CPU.
    pub cpu: u32,
}

impl From<rskq_addr> for SocketAddr {
    fn from(addr: rskq_addr) -> Self {
        let [a, b, c, d, ..] = addr.addr;
        match addr.ipv6 {
            true => SocketAddrV6::new(Ipv6Addr::from(addr.addr), addr.port, 0, addr.scope).into(),
            false => SocketAddr::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), addr.port),
        }
    }
}

impl From<SocketAddr> for rskq_addr {
    fn from(from: SocketAddr) -> Self {
        let mut addr = [0; 16];
        let scope = match from {
            SocketAddr::V4(v4) => {
                addr[..4].copy_from_slice(&v4.ip().octets());
                0
            }
            SocketAddr::V6(v6) => {
                addr = v6.ip().octets();
                v6.scope_id()
            }
        };
        Self { addr, scope, port: from.port(), ipv6: from.is_ipv6() }
    }
}

impl From<rskq_tuple> for Tuple {
    fn from(tuple: rskq_tuple) -> Self {
        Self { local: tuple.local.into(), remote: tuple.remote.into() }
    }
}

impl From<rskq_arrival> for Arrival {
    fn from(arrival: rskq_arrival) -> Self {
        let rskq_arrival { tuple, syn_hash, sk_hash } = arrival;
        Self { tuple: tuple.into(), hashes: Hashes { syn_hash, sk_hash } }
    }
}

impl From<rskq_here> for Here {
    fn from(here: rskq_here) -> Self {
        Self { cpu: here.cpu, now: here.now }
    }
}
