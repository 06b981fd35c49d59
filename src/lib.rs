//! The listen side of TCP for kernels: accept queues, `SO_REUSEPORT` groups, and the migration of
//! waiting connections from a listener that closes to one that lives.
//!
//! `no_std`, no allocation after construction, none at all without feature `alloc`. What is model
//! checked is what ships: one code base, generic over a [`sync::Backend`].
//!
//! # The rooms
//!
//! Each depends only on those above it.
//!
//! | room | what it is for |
//! |---|---|
//! | [`sync`] | atomics, cells and locks, on hardware and under model checkers |
//! | [`lockdep`] | lock classes, the one order table, the mutex that every lock is |
//! | [`slab`] | type-stable storage, counted handles, generation-checked ids |
//! | [`request`] | requests and owners |
//! | [`queue`] | the accept queue |
//! | [`listener`] | a listening socket |
//! | [`counters`] | statistics, under Linux's names |
//! | [`reuseport`] | groups of listeners |
//! | [`net`] | what the listeners of one stack share |
//! | [`hash`] | the listening table |
//! | [`outcome`] | wake-ups, aborted connections, errors: what operations hand back |
//! | [`migrate`] | what happens to waiting connections at close, one file a design |
//! | [`stack`] | the embedder's face |

#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "loom", feature = "shuttle"))]
extern crate std;

pub mod counters;
pub mod hash;
#[cfg(feature = "alloc")]
pub mod inspect;
pub mod listener;
pub mod lockdep;
pub mod migrate;
pub mod net;
pub mod outcome;
pub mod queue;
pub mod request;
pub mod reuseport;
pub mod slab;
pub mod stack;
pub mod sync;
#[cfg(all(test, feature = "spin"))]
mod testing;

pub use listener::ListenerId;
pub use migrate::Design;
pub use net::Resources;
pub use outcome::{Delivered, ListenError, Outcome, Refusal, Refused, SockError, Wake};
pub use request::Hashes;
pub use slab::{Slot, Storage};
pub use stack::{Arrival, Closing, Config, Stack};

/// What ships by default: hardware atomics and `spin::Mutex`.
#[cfg(feature = "spin")]
pub type DefaultBackend = sync::Core<spin::Mutex<()>>;
