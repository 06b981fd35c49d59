//! The embedder's face: bind, listen, deliver, accept, shutdown, close.

mod accept;
mod ack;
mod closing;
mod cookie;
mod deliver;
mod elsewhere;
mod fastopen;
mod half_open;
mod listen;
mod poll;
#[cfg(feature = "designs")]
mod posted;
mod resources;
mod reuseport;
mod syn;
mod timer;

pub use closing::Closing;
pub use cookie::CookieAck;
pub use listen::SockOptions;
pub use poll::{TimedOut, Timers};
pub use resources::Resources;

use crate::counters::Snapshot;
use crate::group::MAX_SOCKS;
use crate::hash::{BindTable, EstablishedTable, ListenTable};
use crate::listener::{Descriptor, ListenerId};
use crate::lockdep::{Held, Nothing};
use crate::migrate::Design;
use crate::net::{ListenerRef, Net, Sysctl};
use crate::outcome::SockError;
use crate::sync::{AtomicU32, Backend};
use crate::timer::{Backoff, SynAckTimers};
use core::sync::atomic::Ordering;

/// How a stack behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What close and shutdown do with waiting connections.
    pub design: Design,
    /// The switches at first; see [`Stack::set_sysctl`].
    pub sysctl: Sysctl,
    /// Who keeps the SYN-ACK timers.
    pub timers: Timers,
    /// Most members of a group, those included that it keeps though they were shut down or closed; more
    /// than 65,535 means that. A group of so many evicts a closed one for each that joins, and is full
    /// when it has none. (Linux: `U16_MAX`.)
    pub max_socks: u32,
}

impl Config {
    /// Linux's switches and timers, and `design`.
    #[must_use]
    pub const fn with(design: Design) -> Self {
        Self { design, sysctl: Sysctl::LINUX, timers: Timers::Stack(Backoff::LINUX), max_socks: MAX_SOCKS }
    }

    /// The same with migration switched on.
    #[must_use]
    pub const fn migrating(design: Design) -> Self {
        Self { sysctl: Sysctl { tcp_migrate_req: true, ..Sysctl::LINUX }, ..Self::with(design) }
    }
}

impl Default for Config {
    /// As Linux does.
    fn default() -> Self {
        Self::with(Design::Linux)
    }
}

/// The listen side of TCP. `C` is the embedder's established connection, never looked into.
///
/// Shared by reference: every method takes `&self` and may be called in any context that may spin
/// on the raw lock, with no lock of this stack held. Nothing allocates.
pub struct Stack<'s, C, B: Backend> {
    pub(crate) net: Net<'s, C, B>,
    ports: BindTable<'s, C, B>,
    pub(crate) table: ListenTable<'s, B>,
    pub(crate) ehash: EstablishedTable<'s, C, B>,
    pub(crate) timers: Option<SynAckTimers<C, B>>,
    design: Design,
}

// A stack is shared whatever the connections are: they go in and come out, but are not looked at.
#[cfg(feature = "spin")]
static_assertions::assert_impl_all!(Stack<'static, core::cell::Cell<u32>, crate::DefaultBackend>: Send, Sync);

impl<'s, C: Send + 'static, B: Backend> Stack<'s, C, B> {
    /// Makes a stack of the memory in `resources`.
    ///
    /// O(size of the memory). A part without elements is not an error: what needs one fails.
    #[must_use]
    pub fn new(resources: Resources<'s, C, B>, config: Config) -> Self {
        let Resources { listeners, requests, owners, groups, socks, ports, buckets, ehash } = resources;
        Self {
            net: Net::new(listeners, requests, owners, groups, socks, config.max_socks, config.sysctl),
            ports: BindTable::new(ports),
            table: ListenTable::new(buckets),
            ehash: EstablishedTable::new(ehash),
            timers: match config.timers {
                Timers::Stack(backoff) if !config.design.is_posted() => Some(SynAckTimers::new(backoff)),
                // The designs of the discussion have timers of their own.
                Timers::Stack(_) | Timers::Embedder => None,
            },
            design: config.design,
        }
    }

    /// What an operation begins with.
    fn nothing_held(&self) -> Held<'_, Nothing> {
        // SAFETY: no guard of this stack's locks leaves it, and nothing foreign runs under one: who
        // begins an operation holds none.
        unsafe { Held::nothing() }
    }

    /// Sets every switch, for decisions from now on. No lock; each switch changes by itself.
    pub fn set_sysctl(&self, values: Sysctl) {
        self.net.sysctl.set(values);
    }

    /// Returns every switch. No lock.
    #[must_use]
    pub fn sysctl(&self) -> Sysctl {
        self.net.sysctl.get()
    }

    /// Switches migration on or off: [`Sysctl::tcp_migrate_req`].
    pub fn set_migrate_req(&self, on: bool) {
        self.net.sysctl.set_tcp_migrate_req(on);
    }

    /// Returns how many connections wait on a listener and its backlog; no lock.
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`] if the socket was closed, [`SockError::NotListening`] if it does not listen.
    /// (Linux: `tcpi_unacked` and `tcpi_sacked` of a listener.)
    pub fn queue_len(&self, id: ListenerId<C, B>) -> Result<(u32, u32), SockError> {
        let listener = self.listening(id)?;
        Ok((listener.accept_queue.len(), listener.sk_max_ack_backlog.load(Ordering::Relaxed)))
    }

    /// Makes a listener wait for data: a bare final ACK does not end a handshake before its SYN-ACK timer has
    /// gone off `timeouts` times; 0, as at first, switches that off. It stays set when the socket is shut
    /// down. (Linux: `TCP_DEFER_ACCEPT`, which is in seconds.)
    ///
    /// # Errors
    ///
    /// [`SockError::Stale`] if the socket was closed.
    pub fn set_defer_accept(&self, id: ListenerId<C, B>, timeouts: u32) -> Result<(), SockError> {
        self.opened(id)?.set_rskq_defer_accept(timeouts);
        Ok(())
    }

    /// Takes a reference on a listener whose socket is open.
    fn opened(&self, id: ListenerId<C, B>) -> Result<ListenerRef<'_, 's, C, B>, SockError> {
        let listener = ListenerRef::by_id(&self.net, id).ok_or(SockError::Stale)?;
        match *listener.sock.lock(&mut self.nothing_held()) {
            Descriptor::Closed | Descriptor::Stopping { close: true, .. } => Err(SockError::Stale),
            _ => Ok(()),
        }?;
        Ok(listener)
    }

    /// Reads every counter. No lock.
    #[must_use]
    pub fn counters(&self) -> Snapshot {
        self.net.counters.snapshot()
    }

    /// Takes a reference on a listener in LISTEN.
    fn listening(&self, id: ListenerId<C, B>) -> Result<ListenerRef<'_, 's, C, B>, SockError> {
        let listener = ListenerRef::by_id(&self.net, id).ok_or(SockError::Stale)?;
        if listener.is_listening() {
            return Ok(listener);
        }
        match *listener.sock.lock(&mut self.nothing_held()) {
            Descriptor::Closed | Descriptor::Stopping { close: true, .. } => Err(SockError::Stale),
            // It may listen again by now, but it did not when it was asked.
            Descriptor::Stopping { close: false, .. } | Descriptor::Idle | Descriptor::Listening => {
                Err(SockError::NotListening)
            }
        }
    }
}
