//! What operations hand back: wake-ups, connections without a listener, errors.
//!
//! Nothing foreign runs under a lock: the stack does not call wakers and does not destroy children,
//! it returns them.

use crate::listener::ListenerId;
use crate::request::RequestId;
use crate::sync::Backend;

/// A listener gained a connection: whoever waits in accept on it is to be woken.
/// (Linux: a call of `sk_data_ready`.)
#[must_use = "a listener that is not woken may sleep on a connection for ever"]
pub struct Wake<C, B: Backend>(pub(crate) ListenerId<C, B>);

impl<C, B: Backend> Wake<C, B> {
    /// Returns the listener to wake. It may have been closed since.
    #[must_use]
    pub fn listener(&self) -> ListenerId<C, B> {
        self.0
    }
}

/// A connection that was delivered.
#[must_use]
pub struct Delivered<C, B: Backend> {
    /// The listener whose queue it is in.
    pub listener: ListenerId<C, B>,
    /// The wake-up that is due. Always there, but for planted faults.
    pub wake: Option<Wake<C, B>>,
}

/// A connection that was not delivered.
#[must_use = "the child has to be reset or dropped"]
#[derive(Debug)]
pub struct Refused<C> {
    /// The embedder's connection, given back.
    pub child: C,
    /// Why.
    pub why: Refusal,
}

/// Why a connection was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody listens at the address: answer with a reset (RFC 9293, section 3.10.7.1).
    NoListener,
    /// The listener's accept queue is full: drop it, the client tries again.
    AcceptQueueFull,
    /// Every request slot is in use: drop it, the client tries again.
    NoRequestSlot,
    /// No half-open request has this tuple: somebody else dealt with it, or there never was one.
    NoRequest,
    /// The accept queue is full, and the embedder wants such handshakes to end
    /// ([`tcp_abort_on_overflow`](crate::Sysctl::tcp_abort_on_overflow)): answer with a reset.
    AbortedOnOverflow,
    /// The SYN queue is full, and cookies are off: drop it, the client tries again.
    SynQueueFull,
    /// The listener waits for data: drop the bare ACK.
    Deferred,
    /// The listener's group sent no cookie lately, so that there is none to believe: answer with a reset.
    NoCookieSent,
    /// The group's program drops the connection: answer with a reset, as Linux does.
    DroppedByProgram,
    /// The listener has as many fast-open connections as it may, or as many half-open ones: answer as to
    /// an ordinary SYN.
    FastOpenLimit,
}

/// What a SYN came to.
#[derive(Debug)]
pub enum Syn<C, B: Backend> {
    /// A half-open request was made: send a SYN-ACK and start its timer, unless the stack keeps it.
    New {
        /// The request.
        request: RequestId<C, B>,
        /// Its listener, whose options the SYN-ACK is made by.
        listener: ListenerId<C, B>,
    },
    /// The tuple has a half-open request: send its SYN-ACK again.
    Duplicate(RequestId<C, B>),
    /// The listener's SYN queue is full: send a SYN-ACK with a cookie, and remember nothing.
    Cookie(ListenerId<C, B>),
}

/// What a SYN-ACK timer came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SynAckTimer {
    /// Send the SYN-ACK again and restart the timer.
    Retransmit {
        /// How often the timer has gone off.
        timeouts: u32,
    },
    /// Restart the timer and send nothing: the client's ACK has come, and the listener waits for data.
    Wait {
        /// How often the timer has gone off.
        timeouts: u32,
    },
    /// It has gone off often enough: the request was given up.
    Expired,
    /// Its listener left, and nobody else listens: the request was given up.
    Dropped,
}

/// A fast-open connection was added to an accept queue.
#[must_use = "the listener has to be woken, and the end of the handshake to be told"]
pub struct FastOpened<C, B: Backend> {
    /// Where it went.
    pub delivered: Delivered<C, B>,
    /// What to tell of the end of the handshake with.
    pub handshake: RequestId<C, B>,
}

/// How the handshake of a fast-open connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeEnd {
    /// With its final ACK, or by a local close.
    Done,
    /// With a reset from the client.
    Reset,
}

/// What became of a part of what a closing listener held.
#[must_use = "children have to be reset, listeners woken"]
pub enum Outcome<C, B: Backend> {
    /// One connection moved to another listener's queue.
    Moved {
        /// The target.
        to: ListenerId<C, B>,
        /// The wake-up that is due, if the design has one.
        wake: Option<Wake<C, B>>,
    },
    /// The whole queue moved to another listener's.
    Spliced {
        /// The target.
        to: ListenerId<C, B>,
    },
    /// Everything that the listener held is another listener's now.
    HandedOver {
        /// The heir.
        to: ListenerId<C, B>,
        /// How many connections wait to be accepted there in consequence.
        connections: u32,
        /// The wake-up that is due if there are any. Waking one acceptor of several may not do.
        wake: Option<Wake<C, B>>,
    },
    /// No listener took the connection: reset it.
    Aborted(C),
}

// What is due may be done by another thread than the one that was told.
#[cfg(feature = "spin")]
static_assertions::assert_impl_all!(Outcome<core::cell::Cell<u32>, crate::DefaultBackend>: Send);

/// Why a socket was not bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    /// Somebody is bound to what overlaps the address and does not share it, or this socket does not.
    /// (Linux: EADDRINUSE.)
    AddrInUse,
    /// The socket is bound already, or nobody can be bound to the address: its port is 0, it is link-local
    /// without a zone, or it is an IPv4 address for a socket that does not receive IPv4. (Linux: EINVAL.)
    Invalid,
    /// The table of ports has no buckets.
    NoBuckets,
    /// The id is stale: the socket was closed.
    Stale,
    /// The socket is being shut down; take the steps of that first.
    Stopping,
}

/// Why listening failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenError {
    /// The address is bound by a socket that does not share it, or this one does not.
    AddrInUse,
    /// Nobody can be bound to the address: see [`BindError::Invalid`].
    Invalid,
    /// The table of ports has no buckets.
    NoBuckets,
    /// The socket is not bound: it never was, or the free port that it found ended with its listening.
    NotBound,
    /// Every listener or owner slot is in use.
    NoListenerSlot,
    /// Every group slot is in use, or the address's group has no room for another member.
    NoGroupRoom,
    /// The id is stale: the socket was closed.
    Stale,
    /// The socket is being shut down or closed; take the steps of that first.
    Stopping,
}

impl From<BindError> for ListenError {
    fn from(error: BindError) -> Self {
        match error {
            BindError::AddrInUse => Self::AddrInUse,
            BindError::Invalid => Self::Invalid,
            BindError::NoBuckets => Self::NoBuckets,
            BindError::Stale => Self::Stale,
            BindError::Stopping => Self::Stopping,
        }
    }
}

/// Why an operation on a listening socket failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SockError {
    /// The id is stale: the socket was closed.
    Stale,
    /// The socket does not listen. (Linux: EINVAL.)
    NotListening,
}
