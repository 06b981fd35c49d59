//! Where a socket receives, and what that has in common with where another one does.

#[cfg(feature = "alloc")]
use core::net::SocketAddrV6;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The family of a socket: that of the address that it was bound to. In a lookup the first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    /// `AF_INET`.
    Inet,
    /// `AF_INET6`, also where the address is an IPv4 one that was mapped into IPv6.
    Inet6,
}

/// An address and a port as packets have them.
///
/// An IPv4 address that is mapped into IPv6 is the IPv4 address. Of IPv6's other fields only the zone of a
/// link-local address tells addresses apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    ip: IpAddr,
    /// The zone of a link-local address, otherwise 0.
    scope_id: u32,
    port: u16,
}

impl From<SocketAddr> for Place {
    #[inline]
    fn from(addr: SocketAddr) -> Self {
        let scope_id = match addr {
            SocketAddr::V6(addr) if addr.ip().is_unicast_link_local() => addr.scope_id(),
            _ => 0,
        };
        Self { ip: addr.ip().to_canonical(), scope_id, port: addr.port() }
    }
}

impl Place {
    #[inline]
    fn is_any(&self) -> bool {
        self.ip.is_unspecified()
    }

    /// Returns the wildcard of the family.
    #[inline]
    pub(crate) fn any(&self) -> Self {
        let ip = match self.ip {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        Self { ip, scope_id: 0, port: self.port }
    }

    /// Returns what the listening table is hashed by: the wildcards of both families are in one bucket.
    #[inline]
    pub(crate) fn key(&self) -> (Option<IpAddr>, u32, u16) {
        ((!self.is_any()).then_some(self.ip), self.scope_id, self.port)
    }
}

/// Where a socket receives, and the key of the group that it listens in. (Linux: `sk_rcv_saddr` or
/// `sk_v6_rcv_saddr`, `sk_family`, `skc_ipv6only`, and `skc_num`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RcvSaddr {
    at: Place,
    family: Family,
    /// Whether an IPv6 socket was told not to receive IPv4. (Linux: IPV6_V6ONLY.)
    ipv6only: bool,
}

impl RcvSaddr {
    /// Returns where a socket receives that is bound to `addr`; `None` if none can be: to port 0, to a
    /// link-local address without its zone, or, told not to receive IPv4, to an IPv4 address that is
    /// mapped into IPv6. (Linux: the checks of `inet6_bind()`.)
    pub(crate) fn new(addr: SocketAddr, v6only: bool) -> Option<Self> {
        let at = Place::from(addr);
        let family = if addr.is_ipv4() { Family::Inet } else { Family::Inet6 };
        let ipv6only = v6only && family == Family::Inet6;
        let without_zone = matches!(at.ip, IpAddr::V6(ip) if ip.is_unicast_link_local()) && at.scope_id == 0;
        let bindable = at.port != 0 && !without_zone && !(ipv6only && at.ip.is_ipv4());
        bindable.then_some(Self { at, family, ipv6only })
    }

    /// Returns the address that a socket was bound to.
    #[cfg(feature = "alloc")]
    pub(crate) fn socket_addr(&self) -> SocketAddr {
        let Place { ip, scope_id, port } = self.at;
        match (self.family, ip) {
            (Family::Inet6, IpAddr::V4(ip)) => SocketAddrV6::new(ip.to_ipv6_mapped(), port, 0, 0).into(),
            (_, IpAddr::V6(ip)) => SocketAddrV6::new(ip, port, 0, scope_id).into(),
            (Family::Inet, ip) => SocketAddr::new(ip, port),
        }
    }

    pub(crate) fn at(&self) -> Place {
        self.at
    }

    pub(crate) fn port(&self) -> u16 {
        self.at.port
    }

    /// Returns what comes first where several receive what goes to one place: IPv4's own sockets before
    /// those of IPv6. (Linux: the family's point in `compute_score()`.)
    pub(crate) fn precedence(&self) -> impl Ord + use<> {
        self.family
    }

    fn receives_v4(&self) -> bool {
        self.at.ip.is_ipv4() || (self.at.is_any() && !self.ipv6only)
    }

    fn receives_v6(&self) -> bool {
        self.at.ip.is_ipv6()
    }

    /// Tells whether there is something that both would receive. (Linux: `inet_rcv_saddr_equal()`, with
    /// wildcards.)
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let same_family =
            (self.receives_v4() && other.receives_v4()) || (self.receives_v6() && other.receives_v6());
        let any = self.at.is_any() || other.at.is_any();
        self.port() == other.port() && if any { same_family } else { self.at == other.at }
    }

    /// Tells whether this receives what goes to `place`: by its address, or, if `place` is a wildcard, by a
    /// wildcard for the family.
    #[inline]
    pub(crate) fn receives(&self, place: &Place) -> bool {
        if !place.is_any() {
            return self.at == *place;
        }
        let family = if place.ip.is_ipv4() { self.receives_v4() } else { self.receives_v6() };
        self.at.is_any() && self.port() == place.port && family
    }
}

/// How a socket comes by its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    /// It was asked for, and stays until the socket is closed. (Linux: `SOCK_BINDPORT_LOCK`.)
    Locked,
    /// It was found to be free, and is the socket's until it stops listening. Nobody who shares an
    /// address is asked to share it with who looks for one.
    Found,
}

/// Where a socket is bound, and how. (Linux: `icsk_bind_hash`, and `sk_userlocks`.)
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bind {
    /// Where it receives, while it is bound.
    pub(crate) addr: Option<RcvSaddr>,
    /// How it came by its port.
    pub(crate) port: Port,
    /// Whether the address may be shared with others that also say so. (Linux: SO_REUSEPORT.)
    pub(crate) reuseport: bool,
    /// Whether a socket bound to an IPv6 address receives IPv6 only. (Linux: IPV6_V6ONLY.)
    pub(crate) v6only: bool,
}

impl Bind {
    /// Not bound yet, and nothing was said.
    pub(crate) const NOWHERE: Self = Self { addr: None, port: Port::Locked, reuseport: false, v6only: false };
}
