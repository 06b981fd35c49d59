//! What an embedder holds of a connection, and what it is told.

use core::net::SocketAddr;
use rskq::sync::Backend;
use rskq::{Tuple, Wake};
use smoltcp::iface::SocketHandle;

/// A connection that was established, and its socket. There is one of each: who has it has the connection.
///
/// The socket stays in its shard's set until the connection is given back with
/// [`Shard::release`](crate::Shard::release) or [`Shard::abort`](crate::Shard::abort).
#[must_use = "the socket is kept until the connection is released"]
#[derive(Debug, PartialEq, Eq)]
pub struct Connection {
    pub(crate) shard: u32,
    pub(crate) place: u32,
    pub(crate) handle: SocketHandle,
    pub(crate) tuple: Tuple,
}

impl Connection {
    /// Returns the socket, in the set of the connection's shard.
    #[must_use]
    pub fn handle(&self) -> SocketHandle {
        self.handle
    }

    /// Returns the shard in whose set the socket is.
    #[must_use]
    pub fn shard(&self) -> u32 {
        self.shard
    }

    /// Returns both ends.
    #[must_use]
    pub fn tuple(&self) -> &Tuple {
        &self.tuple
    }

    /// Returns the client's address. (Linux: `getpeername`.)
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        self.tuple.remote
    }
}

/// What an embedder is told while a shard works. No lock of the stack is held meanwhile.
#[must_use = "somebody may sleep on what is told"]
pub enum Event<'f, B: Backend> {
    /// A listener gained a connection: whoever waits in accept on it is to be woken.
    Wake(Wake<Connection, B>),
    /// A connection of another shard lost its listener: hand it to [`Shard::abort`](crate::Shard::abort) there.
    Orphan(Connection),
    /// A frame of a connection that moved to another shard: let that one have it.
    Elsewhere {
        /// The shard.
        shard: u32,
        /// As it came from the device.
        frame: &'f [u8],
    },
    /// A connection that had moved here is gone.
    Gone(Gone),
}

/// A connection that had moved is gone: the shard that it left is to [`forget`](crate::Shard::forget) it.
#[must_use = "the shard that it left remembers it"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The shard to tell.
    pub shard: u32,
    /// The connection.
    pub tuple: Tuple,
}
