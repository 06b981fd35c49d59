//! Once an order is known, nothing shared is written.
//!
//! loom explores two orders only of accesses of which one writes, and of locks. If threads that do
//! what is known have no more interleavings than threads that do nothing, they wrote nothing that
//! another looked at and took no lock.

use crate::wrong::Counting;
use crate::{Body, Threads, Visit, explore, learning};
use rskq::sync::Backend;
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use std::sync::Arc;

/// How many interleavings three threads have that do this at once, after one that did it before.
fn three<B: Threads>(name: &'static str, all: Body<B>) -> u64 {
    let f = move || {
        let world = Arc::new(learning::<B>());
        all(&world.visit(0));
        world.run([all, all, all]);
        world.reporters()
    };
    let seen = explore(name, f);
    seen.are(&["nobody"]);
    seen.interleavings
}

/// Nested locks, with interrupts off, on, and in a handler.
fn locks<B: Backend>(visit: &Visit<'_, B>) {
    visit.nest(&[0, 1, 2]);
    visit.nest_exposed(&[0, 2]);
    visit.handle(&[3]);
}

#[test]
fn what_is_known_writes_nothing_shared() {
    let nothing = three::<Loom<Fine>>("three threads that do nothing", |_| ());
    assert_eq!(three::<Loom<Fine>>("three threads, all of it known", locks), nothing);
}

/// A word that each reader writes, and a lock that is taken, are noticed.
#[test]
fn what_is_known_control() {
    let nothing = three::<Loom<Fine>>("three threads that do nothing", |_| ());
    let counted = three::<Counting>("control: readers are counted", |visit| visit.nest(&[0, 1]));
    let locked = three::<Loom<Fine>>("control: a lock is taken", |visit| {
        let _ = visit.world.counts();
    });
    assert!(counted > nothing && locked > nothing);
}
