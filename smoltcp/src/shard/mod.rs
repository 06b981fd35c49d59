//! One interface's share of the connections: what stands between the device and smoltcp.

mod ending;
mod handshake;
mod ingress;
mod moving;

pub use moving::{Departed, MoveError, Moving, Vacancy};

use crate::connection::{Connection, Event};
use crate::frame::OneFrame;
use crate::supply::Supply;
use crate::table::{Place, Table};
use core::hash::Hasher;
use core::net::IpAddr;
use rskq::sync::Backend;
use rskq::timer::Backoff;
use rskq::{Here, ListenerId, RequestId, SockError, Stack, Storage, Tuple};
use siphasher::sip::SipHasher13;
use smoltcp::iface::{Interface, PollIngressSingleResult, PollResult, SocketHandle, SocketSet};
use smoltcp::phy::{Device, RxToken};
use smoltcp::time::Instant;

/// The memory of a shard, handed over until the shard is gone.
///
/// Each part is a slice of the embedder's or, with feature `alloc`, [`Storage::boxed`].
pub struct Memory<'m, B: Backend> {
    /// Connections whose sockets are in the shard's set: one for each socket.
    pub connections: Storage<'m, Place<Held<B>>>,
    /// Connections that moved to another shard and live.
    pub departed: Storage<'m, Place<Departed>>,
}

#[cfg(feature = "alloc")]
impl<B: Backend> Memory<'_, B> {
    /// Memory from the allocator for so many connections, as many of which may move elsewhere.
    #[must_use]
    pub fn boxed(connections: usize) -> Self {
        Self { connections: Storage::boxed(connections), departed: Storage::boxed(connections) }
    }
}

/// What a shard keeps of a connection whose socket is in its set.
pub struct Held<B: Backend> {
    handle: SocketHandle,
    /// The shard that it left for this one.
    from: Option<u32>,
    stage: Stage<B>,
}

/// How far a connection is.
enum Stage<B: Backend> {
    HalfOpen(HalfOpen<B>),
    /// It waits in an accept queue, or was accepted: somebody has its [`Connection`].
    Taken,
    /// Nobody has it any more. What is still to be sent is sent, until `deadline` at most where nobody
    /// answers.
    Ending {
        deadline: u64,
    },
}

/// A connection that the stack has a half-open request for.
struct HalfOpen<B: Backend> {
    request: RequestId<Connection, B>,
    /// When its SYN-ACK timer goes off.
    deadline: u64,
    parked: Parked,
}

/// Why a connection whose handshake is done is not in an accept queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parked {
    /// It is not done.
    No,
    /// The accept queue was full.
    Full,
    /// The listener waits for data.
    Deferred,
}

/// What a shard turned away by itself; what the stack turned away is in [`Stack::counters`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// SYNs that were dropped because there was no socket for them, or no room to keep one in mind.
    pub no_socket: u32,
    /// SYNs that were dropped because a cookie was due, and smoltcp has none: see [`adapted`](crate::adapted).
    pub no_cookie: u32,
    /// SYNs that smoltcp did not want.
    pub not_taken: u32,
}

/// The connections of one interface and its sockets.
///
/// It is polled instead of the interface. All shards of a stack have different numbers and one clock.
pub struct Shard<'m, 's, S, B: Backend> {
    stack: &'m Stack<'s, Connection, B>,
    id: u32,
    supply: S,
    hasher: SipHasher13,
    connections: Table<'m, Held<B>>,
    departed: Table<'m, Departed>,
    /// How much room of the table is promised to connections that are to arrive.
    reserved: usize,
    /// How many connections are parked because a queue is full.
    parked: usize,
    /// How many connections are ending.
    ending: usize,
    /// No timer goes off before.
    next_deadline: Option<u64>,
    counters: Counters,
}

/// What a shard works on: the embedder's sockets, and who is told.
struct Site<'x, 'a, F> {
    here: Here,
    sockets: &'x mut SocketSet<'a>,
    tell: &'x mut F,
}

impl<'m, 's, S: Supply, B: Backend> Shard<'m, 's, S, B> {
    /// Makes shard number `id` of a stack. Connections are spread over listeners by a hash with `key`, which is
    /// to be random and the same for all shards.
    #[must_use]
    pub fn new(
        stack: &'m Stack<'s, Connection, B>,
        id: u32,
        key: [u8; 16],
        supply: S,
        memory: Memory<'m, B>,
    ) -> Self {
        let Memory { connections, departed } = memory;
        Self {
            stack,
            id,
            supply,
            hasher: SipHasher13::new_with_key(&key),
            connections: Table::new(connections),
            departed: Table::new(departed),
            reserved: 0,
            parked: 0,
            ending: 0,
            next_deadline: None,
            counters: Counters::default(),
        }
    }

    /// Returns the shard's number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Returns the stack.
    #[must_use]
    pub fn stack(&self) -> &'m Stack<'s, Connection, B> {
        self.stack
    }

    /// Returns where the sockets come from.
    #[must_use]
    pub fn supply(&self) -> &S {
        &self.supply
    }

    /// Reads the counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Returns how many connections have a socket here, of whatever stage.
    #[must_use]
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Tells whether no connection has a socket here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Receives what the device has and sends what the sockets have; in place of [`Interface::poll`].
    ///
    /// `tell` is called with no lock of the stack held. It works for as long as frames arrive: see
    /// [`poll_ingress_single`](Self::poll_ingress_single).
    pub fn poll<D: Device + ?Sized>(
        &mut self,
        now: Instant,
        device: &mut D,
        iface: &mut Interface,
        sockets: &mut SocketSet<'_>,
        mut tell: impl FnMut(Event<'_, B>),
    ) -> PollResult {
        let mut result = PollResult::None;
        self.poll_maintenance(now, iface, sockets, &mut tell);
        loop {
            match self.poll_ingress_single(now, device, iface, sockets, &mut tell) {
                PollIngressSingleResult::None => break,
                PollIngressSingleResult::PacketProcessed => {}
                PollIngressSingleResult::SocketStateChanged => result = PollResult::SocketStateChanged,
            }
        }
        while self.poll_egress(now, device, iface, sockets, &mut tell) == PollResult::SocketStateChanged {
            result = PollResult::SocketStateChanged;
        }
        result
    }

    /// Deals with the timers that went off, and with the connections that waited for room in a queue; before
    /// frames are received. O(connections) if there are any of those.
    pub fn poll_maintenance(
        &mut self,
        now: Instant,
        iface: &mut Interface,
        sockets: &mut SocketSet<'_>,
        mut tell: impl FnMut(Event<'_, B>),
    ) {
        iface.poll_maintenance(now);
        let site = &mut Site { here: self.here(now), sockets, tell: &mut tell };
        self.time_out(site);
        self.unpark(site);
    }

    /// Receives one frame; in place of [`Interface::poll_ingress_single`].
    pub fn poll_ingress_single<D: Device + ?Sized>(
        &mut self,
        now: Instant,
        device: &mut D,
        iface: &mut Interface,
        sockets: &mut SocketSet<'_>,
        mut tell: impl FnMut(Event<'_, B>),
    ) -> PollIngressSingleResult {
        let capabilities = device.capabilities();
        let Some((rx, tx)) = device.receive(now) else { return PollIngressSingleResult::None };
        let meta = rx.meta();
        let site = &mut Site { here: self.here(now), sockets, tell: &mut tell };
        rx.consume(|frame| {
            self.ingress(now, frame, OneFrame::new(frame, meta, tx, capabilities), iface, site)
        })
    }

    /// Sends what the sockets have; in place of [`Interface::poll_egress`].
    pub fn poll_egress<D: Device + ?Sized>(
        &mut self,
        now: Instant,
        device: &mut D,
        iface: &mut Interface,
        sockets: &mut SocketSet<'_>,
        mut tell: impl FnMut(Event<'_, B>),
    ) -> PollResult {
        let result = iface.poll_egress(now, device, sockets);
        self.sweep(&mut Site { here: self.here(now), sockets, tell: &mut tell });
        result
    }

    /// Returns when to poll next, as [`Interface::poll_at`] does.
    pub fn poll_at(&self, now: Instant, iface: &mut Interface, sockets: &SocketSet<'_>) -> Option<Instant> {
        let timer = self.next_deadline.map(|at| Instant::from_millis(i64::try_from(at).unwrap_or(i64::MAX)));
        [iface.poll_at(now, sockets), timer].into_iter().flatten().min()
    }

    /// Takes the connection that waited longest on a listener, or `None` if none waits. If its socket is in
    /// another shard's set ([`Connection::shard`]), it is to be fetched from there: see [`vacancy`](Self::vacancy).
    ///
    /// As [`Stack::accept`], which may be called as well; but here one that waited for room gets it at once.
    ///
    /// # Errors
    ///
    /// As [`Stack::accept`].
    pub fn accept(
        &mut self,
        listener: ListenerId<Connection, B>,
        now: Instant,
        sockets: &mut SocketSet<'_>,
        mut tell: impl FnMut(Event<'_, B>),
    ) -> Result<Option<Connection>, SockError> {
        let accepted = self.stack.accept(listener)?;
        self.unpark(&mut Site { here: self.here(now), sockets, tell: &mut tell });
        Ok(accepted)
    }

    fn here(&self, now: Instant) -> Here {
        Here { cpu: self.id, now: u64::try_from(now.total_millis()).unwrap_or(0) }
    }

    fn hash(&self, tuple: &Tuple) -> u32 {
        let mut hasher = self.hasher;
        for end in [tuple.local, tuple.remote] {
            match end.ip() {
                IpAddr::V4(ip) => hasher.write(&ip.octets()),
                IpAddr::V6(ip) => hasher.write(&ip.octets()),
            }
            hasher.write(&end.port().to_be_bytes());
        }
        let hash = hasher.finish();
        (hash ^ (hash >> 32)) as u32
    }

    /// Sees to it that a timer that goes off at `deadline` is looked at.
    fn wake_by(&mut self, deadline: u64) {
        self.next_deadline = Some(self.next_deadline.map_or(deadline, |next| next.min(deadline)));
    }

    /// Returns how long the SYN-ACK timer runs that went off so often.
    fn backoff(timeouts: u32) -> u64 {
        Backoff::LINUX.timeout(timeouts)
    }
}

// What is derived would ask the back end to be copied.
impl<B: Backend> Clone for HalfOpen<B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B: Backend> Copy for HalfOpen<B> {}
impl<B: Backend> Clone for Stage<B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B: Backend> Copy for Stage<B> {}
