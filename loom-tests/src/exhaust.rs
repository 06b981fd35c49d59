//! Runs a closure under loom in every interleaving, and counts them.
//!
//! loom's own limits make a truncated run return like a complete one, and the environment can set
//! them. Here each is set explicitly, so that a run that returns has seen everything within the
//! bound on preemptions, which is the caller's and belongs into whatever the caller says of it.

use rskq::sync::model::{self, MAIN};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The stack of a model thread, in bytes: a report is formatted on it.
const STACK_SIZE: usize = 64 << 10;

/// Longest execution, in steps of loom. A longer one ends the exploration with a panic.
const MAX_BRANCHES: usize = 10_000;

/// Most threads of a model, the one that sets it up included.
const MAX_THREADS: usize = 5;

/// Returns loom's settings for a run that either sees everything within `bound` or panics.
#[must_use]
pub fn builder(bound: Option<u8>) -> loom::model::Builder {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = bound.map(usize::from);
    builder.max_threads = MAX_THREADS;
    builder.max_branches = MAX_BRANCHES;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.expect_explicit_explore = false;
    builder.location = false;
    builder.log = false;
    builder
}

/// Runs `f` in every interleaving with at most `bound` preemptions; returns how many there are.
///
/// # Panics
///
/// With whatever an execution of `f` panics with: nothing is known of the interleavings after it.
pub fn exhaust(bound: Option<u8>, f: impl Fn() + Send + Sync + 'static) -> u64 {
    let count = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&count);
    builder(bound).check(move || {
        counting.fetch_add(1, Ordering::Relaxed);
        f();
    });
    count.load(Ordering::Relaxed)
}

/// Begins model thread `thread`, counted from 1.
pub fn spawn(thread: u8, body: impl FnOnce() + Send + 'static) -> loom::thread::JoinHandle<()> {
    let body = move || {
        model::enter(thread);
        body();
    };
    loom::thread::Builder::new().stack_size(STACK_SIZE).spawn(body).expect("loom spawns")
}

/// Waits for a model thread.
pub fn join(thread: loom::thread::JoinHandle<()>) {
    thread.join().expect("a panic in a thread ends the exploration");
    model::enter(MAIN);
}
