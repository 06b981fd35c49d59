//! Open, bind, listen.

use crate::memory::{B, Connection};
use crate::{rskq_addr, rskq_stack};
use rskq::{BindError, ListenError, ListenerId, SockError, SockOptions};

/// Names a listening socket; stale once it was closed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rskq_listener {
    /// Its slot, below `rskq_sizes.listeners`: an index for tables of the embedder's.
    pub index: u32,
    /// How often the slot was used before.
    pub generation: u32,
}

impl From<ListenerId<Connection, B>> for rskq_listener {
    fn from(id: ListenerId<Connection, B>) -> Self {
        Self { index: id.index(), generation: id.generation() }
    }
}

impl From<rskq_listener> for ListenerId<Connection, B> {
    fn from(id: rskq_listener) -> Self {
        Self::from_parts(id.index, id.generation)
    }
}

/// What an operation on a socket came to.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum rskq_sock {
    /// It was done.
    Ok,
    /// Somebody is bound to what overlaps the address and does not share it, or this socket does not.
    AddrInUse,
    /// The socket is bound already, or nobody can be bound to the address.
    Invalid,
    /// There are no buckets.
    NoBuckets,
    /// The socket is not bound.
    NotBound,
    /// Every listener is in use.
    NoListenerSlot,
    /// Every group is in use, or the address's has no room for another member.
    NoGroupRoom,
    /// The socket was closed.
    Stale,
    /// The socket does not listen.
    NotListening,
    /// The socket is being shut down or closed; take the steps of that first.
    Stopping,
    /// An error that this header does not know.
    Other,
}

impl From<ListenError> for rskq_sock {
    fn from(error: ListenError) -> Self {
        match error {
            ListenError::AddrInUse => Self::AddrInUse,
            ListenError::Invalid => Self::Invalid,
            ListenError::NoBuckets => Self::NoBuckets,
            ListenError::NotBound => Self::NotBound,
            ListenError::NoListenerSlot => Self::NoListenerSlot,
            ListenError::NoGroupRoom => Self::NoGroupRoom,
            ListenError::Stale => Self::Stale,
            ListenError::Stopping => Self::Stopping,
            _ => Self::Other,
        }
    }
}

impl From<BindError> for rskq_sock {
    fn from(error: BindError) -> Self {
        ListenError::from(error).into()
    }
}

impl From<SockError> for rskq_sock {
    fn from(error: SockError) -> Self {
        match error {
            SockError::Stale => Self::Stale,
            SockError::NotListening => Self::NotListening,
            _ => Self::Other,
        }
    }
}

/// `Ok`, or why not.
pub(crate) fn done<E: Into<rskq_sock>>(result: Result<(), E>) -> rskq_sock {
    result.map_or_else(Into::into, |()| rskq_sock::Ok)
}

/// Opens a socket that is not bound, and stores its name. `reuseport`: it shares its address with others that
/// say so; `v6only`: bound to IPv6, it does not receive IPv4. O(1).
///
/// # Safety
///
/// `stack` is one that `rskq_init` made, and `listener` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_open(
    stack: &rskq_stack,
    reuseport: bool,
    v6only: bool,
    listener: &mut rskq_listener,
) -> rskq_sock {
    done(stack.0.open(SockOptions { reuseport, v6only }).map(|id| *listener = id.into()))
}

/// Binds a socket to an address for as long as it is open.
///
/// # Safety
///
/// `stack` is one that `rskq_init` made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_bind(
    stack: &rskq_stack,
    listener: rskq_listener,
    addr: rskq_addr,
) -> rskq_sock {
    done(stack.0.bind(listener.into(), addr.into()))
}

/// Makes a bound socket listen, or changes its backlog; a backlog of N holds N + 1 connections.
///
/// # Safety
///
/// `stack` is one that `rskq_init` made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rskq_listen(stack: &rskq_stack, listener: rskq_listener, backlog: u32) -> rskq_sock {
    done(stack.0.listen(listener.into(), backlog))
}
