//! Orders that several contexts teach at once.

use crate::wrong::{Stale, Unexcluded, Unpublished};
use crate::{Kind, Threads, World, declared, explore, familiar, learning, races};
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use std::sync::Arc;

pub(crate) fn ab_ba<B: Threads>() -> String {
    let world = Arc::new(learning::<B>());
    world.run([|t1| t1.nest(&[0, 1]), |t2| t2.nest(&[1, 0])]);
    let counts = world.counts();
    format!("{} told, {} order", world.reporters(), counts.edges)
}

/// 1. T1 takes A, then B; T2 takes B, then A, neither order being known.
/// 2. Whoever comes second is told, whoever that is; the order of the first is learned.
#[test]
fn one_of_two_is_told() {
    explore("AB-BA", ab_ba::<Loom<Fine>>).are(&["T1 told, 1 order", "T2 told, 1 order"]);
}

/// With words that are read from before, nobody is told.
#[test]
fn one_of_two_control_stale_words() {
    explore("control: AB-BA, stale words", ab_ba::<Stale>).notices("nobody told, 2 order");
}

/// A lock that lets both in, and one that does not publish what it guards.
#[test]
fn tables_control_no_lock() {
    races("control: AB-BA, no exclusion", ab_ba::<Unexcluded>);
    races("control: AB-BA, no publication", ab_ba::<Unpublished>);
}

pub(crate) fn ring<B: Threads>() -> String {
    let world = Arc::new(familiar::<B>());
    world.run([|t1| t1.nest(&[0, 1]), |t2| t2.nest(&[1, 2]), |t3| t3.nest(&[2, 0])]);
    let counts = world.counts();
    format!("{} told, {} orders", world.reporters(), counts.edges)
}

/// Three orders that are a ring, from three contexts: the last is told.
#[test]
fn one_of_three_is_told() {
    explore("AB-BC-CA", ring::<Loom<Fine>>).are(&[
        "T1 told, 2 orders",
        "T2 told, 2 orders",
        "T3 told, 2 orders",
    ]);
}

#[test]
fn one_of_three_control_stale_words() {
    explore("control: AB-BC-CA, stale words", ring::<Stale>).notices("nobody told, 3 orders");
}

/// The same order from two contexts is learned once, and nobody is told anything.
#[test]
fn the_same_order_at_once_is_no_violation() {
    let same = || {
        let world = Arc::new(learning::<Loom<Fine>>());
        world.run([|t1| t1.nest(&[0, 1]), |t2| t2.nest(&[0, 1])]);
        format!("{} told, {} order", world.reporters(), world.counts().edges)
    };
    explore("AB-AB", same).are(&["nobody told, 1 order"]);
}

pub(crate) fn two_into_one_word<B: Threads>() -> String {
    let world = Arc::new(learning::<B>());
    world.run([|t1| t1.nest(&[0, 2]), |t2| t2.nest(&[1, 2])]);
    let both = World::visit(&world, 9);
    both.nest(&[2, 0]);
    both.nest(&[2, 1]);
    world.reporters()
}

/// 1. T1 learns A before C while T2 learns B before C: one word.
/// 2. Both are known after.
#[test]
fn orders_into_one_class_are_both_kept() {
    explore("AC-BC", two_into_one_word::<Loom<Fine>>).are(&["T9 T9"]);
}

#[test]
fn orders_into_one_class_control_stale_words() {
    explore("control: AC-BC, stale words", two_into_one_word::<Stale>).notices("nobody");
}

/// 1. T1 and T2 both take what is declared the other way round.
/// 2. Both are told, it is one violation, and exactly one of them is the first.
#[test]
fn one_violation_is_kept_once() {
    let both = || {
        let world = Arc::new(declared::<Loom<Fine>>());
        world.run([|t1| t1.nest(&[1, 0]), |t2| t2.nest(&[1, 0])]);
        let told = world.told.lock().unwrap();
        assert!(told.iter().all(|(_, violation)| violation.kind == Kind::Cycle));
        let mut seen: Vec<_> = told.iter().map(|(_, violation)| violation.seen).collect();
        seen.sort_unstable();
        let counts = world.counts();
        format!("{seen:?}, {} kept, {} repeated, {} orders", counts.violations, counts.repeated, counts.edges)
    };
    explore("BA-BA, declared AB", both).are(&["[1, 2], 1 kept, 1 repeated, 0 orders"]);
}

/// Correct code of two threads, three locks each, two of them shared: nobody is told.
#[test]
fn correct_code_is_silent() {
    let correct = || {
        let world = Arc::new(learning::<Loom<Fine>>());
        world.run([|t1| t1.nest(&[0, 1, 2]), |t2| t2.nest(&[0, 2, 3])]);
        world.reporters()
    };
    explore("ABC-ACD", correct).are(&["nobody"]);
}
