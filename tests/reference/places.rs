//! Where sockets are bound, and who receives what is sent where.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const C: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// Where sockets are bound, and what each receives of [`DESTS`].
pub(crate) const PLACES: [(IpAddr, &str); 6] = [
    (IpAddr::V4(A), "A"),
    (IpAddr::V6(A.to_ipv6_mapped()), "A"),
    (IpAddr::V4(Ipv4Addr::UNSPECIFIED), "AB"),
    (IpAddr::V6(C), "C"),
    (IpAddr::V6(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped()), "AB"),
    (IpAddr::V6(Ipv6Addr::UNSPECIFIED), "ABCD"),
];
/// Where connections go to.
pub(crate) const DESTS: [(char, IpAddr); 4] = [
    ('A', IpAddr::V4(A)),
    ('B', IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2))),
    ('C', IpAddr::V6(C)),
    ('D', IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2))),
];

/// Where a socket is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) place: usize,
    pub(crate) port: u16,
    pub(crate) v6only: bool,
}

impl Bound {
    pub(crate) fn ip(self) -> IpAddr {
        PLACES[self.place].0
    }

    pub(crate) fn addr(self) -> SocketAddr {
        SocketAddr::new(self.ip(), self.port)
    }

    fn receives(self) -> impl Iterator<Item = char> {
        PLACES[self.place].1.chars().filter(move |&dest| !self.v6only || dest > 'B')
    }

    /// Tells whether it receives what is sent to a port of `DESTS[dest]`.
    pub(crate) fn is_for(self, dest: usize, port: u16) -> bool {
        self.port == port && self.receives().any(|name| name == DESTS[dest].0)
    }

    /// Tells whether both receive the same of something.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.port == other.port && self.receives().any(|dest| other.receives().any(|also| also == dest))
    }

    /// What is looked at first of those who receive the same: an address, then IPv4's own sockets.
    pub(crate) fn rank(self) -> (bool, bool) {
        (self.ip().to_canonical().is_unspecified(), self.ip().is_ipv6())
    }
}

/// Returns the address of `DESTS[dest]`.
pub(crate) fn dest_addr(dest: usize, port: u16) -> SocketAddr {
    SocketAddr::new(DESTS[dest].1, port)
}
