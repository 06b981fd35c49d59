//! The stack from outside, one thread: what each call answers, and that nothing is left over.
#![cfg(all(feature = "alloc", feature = "designs", feature = "spin"))]

#[path = "../common/mod.rs"]
mod common;

mod address;
mod bind;
mod capacity;
mod closing;
mod conflicts;
mod cookies;
mod cost;
mod deferral;
mod fastopen;
mod half_open;
mod handover;
mod handshake;
mod ids;
mod incoming_cpu;
mod limits;
mod lookup;
mod map;
mod memory;
mod migration;
mod pickers;
mod program_groups;
mod program_limits;
mod programs;
mod queue;
mod recount;
mod requeue;
mod stress;
mod timers;

use common::calls::*;
use common::{HERE, Listener, Request, Sizes, TestStack, assert_empty, graph, stack_of, tuple};
use rskq::counters::Snapshot;
use rskq::migrate::CloneFixes;
use rskq::*;
use std::net::SocketAddr;

const CLONE: Design = Design::Clone(CloneFixes::AS_FIXED);
const DESIGNS: [Design; 6] =
    [Design::Abort, Design::Linux, Design::Requeue, Design::Handover, Design::Splice, CLONE];
