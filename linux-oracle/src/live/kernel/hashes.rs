//! The hashes that steer a connection, measured.
//!
//! They depend on the namespace, both addresses and both ports, and nobody tells them; but they show
//! in what a group of listeners does. With programs a hash is read exactly; without, a group of
//! [`PARTS`] listeners tells in which of as many equal intervals it is.

use super::client;
use super::error::StepError;
use super::loopback::Loopback;
use super::program::Recorder;
use crate::trace::Conn;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, Socket, Type};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How many listeners measure a hash without a program.
const PARTS: u32 = 1000;
/// Up to how many members a group may have where hashes are only known up to an interval: none of the
/// intervals that are told straddles two members' shares.
pub const MEMBERS_WITHOUT_PROGRAMS: u32 = 8;

/// The two hashes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashes {
    /// Steers its SYN.
    pub syn_hash: u32,
    /// Steers its migration.
    pub sk_hash: u32,
}

/// To what the listeners are bound that a SYN is steered among.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// To the address that clients connect to.
    Specific,
    /// To any address.
    Wildcard,
}

/// Every hash that was measured; `None` where an interval straddles.
pub(super) struct Cache {
    hashes: HashMap<(SocketAddr, Bound, Conn), Option<u32>>,
    recorder: Option<Recorder>,
}

/// Listeners beside all others: those are not bound to a device, so these are a group of their own. It is
/// found first as the youngest of an IPv4 address; of an IPv6 address that would be the oldest.
struct Group {
    to: SocketAddr,
    listeners: Vec<Socket>,
    readable: Epoll,
}

impl Cache {
    pub(super) fn new(programs: bool) -> io::Result<Self> {
        let recorder = programs.then(Recorder::new).transpose()?;
        Ok(Self { hashes: HashMap::new(), recorder })
    }

    /// Whether hashes are exact.
    pub(super) fn exact(&self) -> bool {
        self.recorder.is_some()
    }

    /// Returns both hashes if they were measured, and `None` within if one cannot be told.
    pub(super) fn get(&self, to: SocketAddr, bound: Bound, conn: Conn) -> Option<Option<Hashes>> {
        let syn_hash = *self.hashes.get(&(to, bound, conn))?;
        let sk_hash = *self.hashes.get(&(to, Bound::Specific, conn))?;
        Some(syn_hash.zip(sk_hash).map(|(syn_hash, sk_hash)| Hashes { syn_hash, sk_hash }))
    }

    /// Measures one of the hashes of each of `conns`, on CPU `cpu`. O(`conns`), and without programs
    /// O([`PARTS`]) before.
    pub(super) fn measure(
        &mut self,
        to: SocketAddr,
        bound: Bound,
        conns: &[Conn],
        cpu: u32,
        loopback: &Loopback,
    ) -> Result<(), StepError> {
        let mut wanted =
            conns.iter().copied().filter(|&conn| !self.hashes.contains_key(&(to, bound, conn))).peekable();
        if wanted.peek().is_none() {
            return Ok(());
        }
        let parts = if self.exact() { 1 } else { PARTS };
        let group =
            Group::new(to, bound, parts, cpu).map_err(StepError::at("opening listeners to measure"))?;
        if let Some(recorder) = &self.recorder {
            recorder.attach(&group.listeners[0]).map_err(StepError::at("attaching a program to measure"))?;
        }
        let mut measured = Vec::new();
        for conn in wanted {
            let part = group.part(conn, loopback).map_err(StepError::at("connecting to measure"))?;
            let part = part.ok_or(StepError::NotMeasured(to))?;
            let hash = match &self.recorder {
                Some(recorder) => Some(recorder.hash().map_err(StepError::at("reading a hash"))?),
                None => middle(part),
            };
            measured.push(((to, bound, conn), hash));
        }
        self.hashes.extend(measured);
        Ok(())
    }
}

impl Group {
    fn new(to: SocketAddr, bound: Bound, parts: u32, cpu: u32) -> io::Result<Self> {
        let any: IpAddr =
            if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let (at, to) = match (bound, to) {
            (Bound::Specific, _) => (to, to),
            // The address is no part of a wildcard's hash, so it is one where nobody else listens.
            (Bound::Wildcard, SocketAddr::V4(_)) => {
                (SocketAddr::new(any, to.port()), (Ipv4Addr::new(127, 127, 127, 127), to.port()).into())
            }
            (Bound::Wildcard, SocketAddr::V6(_)) => (SocketAddr::new(any, to.port()), to),
        };
        let readable = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let listeners = (0..parts).map(|part| {
            let socket = Socket::new(Domain::for_address(at), Type::STREAM.nonblocking(), None)?;
            if at.is_ipv6() {
                socket.set_only_v6(true)?;
            }
            socket.set_reuse_port(true)?;
            socket.bind_device(Some(b"lo"))?;
            // Nobody who asks for this CPU's connections is preferred then.
            socket.set_cpu_affinity(cpu as usize)?;
            socket.bind(&at.into())?;
            socket.listen(1)?;
            readable.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, u64::from(part)))?;
            Ok(socket)
        });
        let listeners = listeners.collect::<io::Result<_>>()?;
        Ok(Self { to, listeners, readable })
    }

    /// Connects, and returns which listener got it.
    fn part(&self, conn: Conn, loopback: &Loopback) -> io::Result<Option<u32>> {
        let _client = client::connect(conn, self.to, false)?;
        loopback.drain()?;
        let mut events = [EpollEvent::empty()];
        if self.readable.wait(&mut events, EpollTimeout::ZERO)? == 0 {
            return Ok(None);
        }
        let part = events[0].data() as u32;
        let (child, _) = self.listeners[part as usize].accept()?;
        client::abort_when_dropped(&child)?;
        Ok(Some(part))
    }
}

/// Returns the middle of an interval, unless a group of as many members as are allowed would tell its
/// ends apart.
fn middle(part: u32) -> Option<u32> {
    let first = (u64::from(part) << 32).div_ceil(u64::from(PARTS)) as u32;
    let last = ((u64::from(part + 1) << 32).div_ceil(u64::from(PARTS)) - 1) as u32;
    let place = |hash: u32, members: u32| (u64::from(hash) * u64::from(members)) >> 32;
    let one_share =
        (1..=MEMBERS_WITHOUT_PROGRAMS).all(|members| place(first, members) == place(last, members));
    one_share.then_some(first + (last - first) / 2)
}
