//! Attacks on a stack: threads that flood it, starve it and close its listeners under traffic, on the lock that
//! ships.
//!
//! Every call that a thread makes is written down by its [`Clerk`], and at the end of an attack the books have
//! to agree: with each of the stack's counters to the last count, with the half-open requests that were made, and
//! with the connections that went in. Each attack has faults that it is shown to catch ([`controls`]).

pub mod attacks;
mod bells;
mod clerk;
pub mod controls;
mod host;
mod report;
mod tally;
mod world;

pub use clerk::Clerk;
pub use host::{Host, Seeded, Slip, Unpublished, Yielding};
pub use report::Report;
pub use world::World;

use cap::Cap;
use rskq::{ListenerId, RequestId};
use std::alloc::System;

/// What a connection is here: on the heap, so that one that is lost is a leak, and named by a number.
pub type Child = Box<u64>;

type Listener<B> = ListenerId<Child, B>;
type Request<B> = RequestId<Child, B>;

/// The heap, counted.
#[global_allocator]
pub static HEAP: Cap<System> = Cap::new(System, usize::MAX);
