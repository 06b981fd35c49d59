//! Linux's own selftests of what a listener does, as scenarios with their exact counts.
//!
//! | selftest | here |
//! |---|---|
//! | `bpf/migrate_reuseport` | [`migrate_reuseport`] |
//! | `bpf/select_reuseport` | [`select_reuseport`] |
//! | `net/reuseport_bpf`, `_cpu`, `so_incoming_cpu` | [`reuseport`] |
//! | `net/reuseport_addr_any`, `_dualstack` | `tests/stack/lookup.rs` |
//! | `net/stress_reuseport_listen` | `tests/stack/stress.rs` |
#![cfg(all(feature = "alloc", feature = "spin"))]

#[path = "../common/mod.rs"]
mod common;

mod migrate_reuseport;
mod reuseport;
mod select_reuseport;

use common::calls::*;
use common::linux::*;
use common::{HERE, Listener, Request, Sizes, TestStack, stack_of};
use rskq::counters::Snapshot;
use rskq::*;
use std::net::SocketAddr;
