//! The pieces by themselves: what is held, what the graph knows. Where they forget too little, verdicts stay
//! right, but every acquisition takes the slow way.

use super::super::class::ClassSet;
use super::super::graph::Graph;
use super::super::irq::{Irq, Usage, Usages};
use super::super::{MAX_HELD, Table};
use super::*;
use crate::lockdep::Key;

fn set(w: &World<4>, classes: &[usize]) -> ClassSet {
    classes.iter().fold(ClassSet::EMPTY, |all, &class| all.and(ClassSet::of(w.classes[class])))
}

/// What is held is told by class as well, exactly, however it is released.
#[test]
fn classes_are_those_of_the_locks_held() {
    let w = learning::<4>();
    let cpu = Context::new();
    w.nest(&cpu, &[0, 1, 2, 3]).unwrap();
    let level = cpu.here();
    assert!(level.classes().is_empty());
    let [a, a_too, b] = [w.a(0, 0), w.a(0, 1), w.a(1, 0)];
    assert!(level.push(a) && level.push(a_too) && level.push(b));
    assert!(!level.pop(a), "it lies below");
    assert!(level.pop(b) && level.classes() == set(&w, &[0]));
    assert!(level.pop(a_too) && level.classes() == set(&w, &[0]), "the other is held");
    assert!(level.pop(a) && level.classes().is_empty());

    // What an earlier, deeper nest left behind is not held.
    assert!(level.push(a) && level.push(b));
    assert!(level.remove(a) && level.classes() == set(&w, &[1]));
    assert!(level.remove(b) && level.classes().is_empty(), "from the top as well");
}

/// A lock is its address, class and key: the first field of what a lock guards may be a lock.
#[test]
fn locks_at_one_address_are_told_apart() {
    let w = learning::<4>();
    let cpu = Context::new();
    let outer = w.a(0, 0);
    let inner = Acquisition { address: outer.address, ..w.a(1, 0) };
    let elsewhere = Acquisition { address: outer.address + 64, ..outer };
    for above in [inner, elsewhere] {
        w.validator.try_locked(&cpu, outer).unwrap();
        w.validator.try_locked(&cpu, above).unwrap();
        w.validator.unlocked(&cpu, outer).unwrap();
        let left = cpu.held().next().map(|held| (held.class, held.address));
        assert_eq!(left, Some((above.class, above.address)));
        w.validator.unlocked(&cpu, above).unwrap();
    }
}

/// What the graph knows it says at once, of either word of classes, and of usages.
#[test]
fn a_graph_knows_what_it_was_told() {
    let graph = Graph::<Backend>::new(0);
    let [low, high, class] = [3, 40, 5].map(ClassId::of_rank);
    let (both, none) = (ClassSet::of(low).and(ClassSet::of(high)), Usages::within(0));
    assert!(graph.knows(class, ClassSet::EMPTY, none));
    for _ in 0..2 {
        graph.add(low, class);
        assert!(graph.knows(class, ClassSet::of(low), none));
        assert!(!graph.knows(class, both, none));
    }
    graph.add(high, class);
    assert!(graph.knows(class, both, none) && !graph.knows(low, both, none));

    let usage = Usage::InHandler(Irq::Hard);
    assert!(!graph.knows(class, both, none.and(Usages::of(usage))));
    graph.add_usages(class, Usages::of(usage));
    assert!(graph.knows(class, both, none.and(Usages::of(usage))));
    assert!(!graph.knows(class, both, Usages::EXPOSED.and(Usages::of(usage))));
    assert!(Usages::EXPOSED.and(Usages::EXPOSED) == Usages::EXPOSED);
}

/// A class that is not in the declared order has no place in it: not even the first one after.
#[test]
fn a_class_beyond_the_order_may_come_first() {
    let validator = Validator::<Backend>::new(&["A", "B"], Policy::Record);
    let classes = ["A", "B", "C"].map(|name| validator.register(name).unwrap());
    let w = World { validator, classes };
    assert_eq!(w.nest(&Context::new(), &[2, 0]), Ok(()));
    assert_eq!(w.validator.counts().classes, 3);
}

/// The wrappers' way in tells of what does not fit as well.
#[test]
fn a_full_held_stack_is_seen_by_wrappers() {
    let w = learning::<1>();
    let cpu = Context::new();
    for key in 0..=MAX_HELD as u32 {
        w.validator.lock(&cpu, w.a(0, key), Nesting::Ordered);
    }
    let counts = w.validator.counts();
    assert_eq!((counts.held_unseen, counts.violations), (1, 1));
    assert_eq!(w.validator.violation(0).unwrap().kind, Kind::Full(Table::Held));
}

#[test]
fn a_lock_with_no_key_shows_none() {
    assert_eq!((().number(), 7.number()), (0, 7));
}
