//! Listeners for [smoltcp]: accept queues with a backlog, `SO_REUSEPORT` groups and the migration of pending
//! connections, by [rskq], over smoltcp as it is published.
//!
//! In smoltcp a listening socket *becomes* the connection: there is no queue, and a second SYN in the same
//! poll is answered with a reset. Here a [`Shard`] stands between the device and the interface. It recognises
//! a SYN, its checksums verified first, asks the [`Stack`](rskq::Stack) who takes it, and arms one socket for
//! it, which listens on the exact address while that one frame is polled in and at no other moment. So no other
//! SYN can take the socket, and no socket listens between polls. Once the handshake is done the connection
//! is in its listener's accept queue.
//!
//! A listener needs no sockets, and a connection that migrates is moved in the queues of the stack alone:
//! smoltcp's socket is bound to its two ends already, and sees nothing.
//!
//! # The adapter in ten lines
//!
#![cfg_attr(feature = "alloc", doc = "```")]
#![cfg_attr(not(feature = "alloc"), doc = "```text")]
#![doc = include_str!("ten_lines.rs")]
//! ```
//!
//! # Several cores
//!
//! One `Stack` is shared, and each core has a `Shard`, an `Interface` and a `SocketSet`. An acceptor may get
//! a connection whose socket is in another core's set: [`Shard::vacancy`], [`Shard::leave`] and
//! [`Shard::arrive`] exchange it for an idle one, with one shard locked at a time. Frames that still come to
//! the core it left are handed out as [`Event::Elsewhere`]. So a core may be taken off line, with its half-open
//! connections, and nobody notices.
//!
//! # What smoltcp does not let a layer above it do
//!
//! SYN cookies and fast open: the initial sequence number is smoltcp's own. A SYN that finds the SYN queue full
//! is dropped, and the client tries again; [`adapted`] configures the stack so. And smoltcp
//! looks through all sockets for each segment, as it always does.
//!
//! [smoltcp]: https://docs.rs/smoltcp
//! [rskq]: https://docs.rs/rskq
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod connection;
mod frame;
mod shard;
mod supply;
mod table;

pub use connection::{Connection, Event, Gone};
pub use shard::{Counters, Departed, Held, Memory, MoveError, Moving, Shard, Vacancy};
#[cfg(feature = "alloc")]
pub use supply::Boxed;
pub use supply::{Pool, Supply};
pub use table::Place;

use rskq::{Config, Syncookies, Sysctl, Timers};

/// Returns `config` as a stack under shards needs it: each shard keeps the timers of its own half-open
/// connections, and there are no SYN cookies.
#[must_use]
pub const fn adapted(config: Config) -> Config {
    let sysctl = Sysctl { tcp_syncookies: Syncookies::Never, ..config.sysctl };
    Config { timers: Timers::Embedder, sysctl, ..config }
}
