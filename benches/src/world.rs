//! Stacks to measure in, and the connections that come to them.

use crate::Child;
use rskq::timer::Backoff;
use rskq::{Arrival, Config, Design, Hashes, Member, Resources, Storage, Sysctl, Timers, Tuple};
use std::net::{Ipv4Addr, SocketAddr};

/// Ours, with the back end that ships.
pub type Stack<B = rskq::DefaultBackend> = rskq::Stack<'static, Child, B>;
/// The name of a listener.
pub type ListenerId<B = rskq::DefaultBackend> = rskq::ListenerId<Child, B>;

/// How large a stack is.
#[derive(Clone, Copy)]
pub struct Size {
    /// Sockets, of one address.
    pub listeners: usize,
    /// Connections, half open and waiting.
    pub requests: usize,
}

/// Returns an empty stack. Whatever limits a listener is out of the way; a request goes when its timer goes
/// off first.
#[must_use]
pub fn stack<B: rskq::sync::Backend>(design: Design, size: Size) -> Stack<B> {
    let Size { listeners, requests } = size;
    let resources = Resources {
        listeners: Storage::boxed(listeners),
        requests: Storage::boxed(requests),
        owners: Storage::boxed(listeners + 1),
        groups: Storage::boxed(4),
        socks: Storage::boxed(4 * Member::<B>::count_for(1) + Member::<B>::count_for(listeners as u32)),
        ports: Storage::boxed(4),
        buckets: Storage::boxed(4),
        ehash: Storage::boxed(requests.next_power_of_two()),
    };
    let sysctl =
        Sysctl { tcp_migrate_req: true, somaxconn: u32::MAX, tcp_synack_retries: 0, ..Sysctl::LINUX };
    let timers = Timers::Stack(Backoff::LINUX);
    Stack::new(resources, Config { sysctl, timers, ..Config::migrating(design) })
}

/// Where everybody listens.
#[must_use]
pub fn local() -> SocketAddr {
    (Ipv4Addr::new(10, 0, 0, 1), 80).into()
}

/// Returns the tuple of a connection. No two numbers below 2^32 have the same.
#[must_use]
pub fn tuple(number: u64) -> Tuple {
    // A client has the ports from 2^15, which it takes one after the other.
    let (ip, port) = ((number >> 15) as u32, 1 << 15 | (number & 0x7fff) as u16);
    Tuple { local: local(), remote: (Ipv4Addr::from_bits(0x0b00_0000 + ip), port).into() }
}

/// Returns a hash of a number, as good as any: what follows each other falls on different places.
#[must_use]
pub fn hash(number: u64) -> u32 {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

/// Returns a connection that falls on any listener.
#[must_use]
pub fn arrival(number: u64) -> Arrival {
    Arrival { tuple: tuple(number), hashes: Hashes { syn_hash: hash(number), sk_hash: hash(!number) } }
}
