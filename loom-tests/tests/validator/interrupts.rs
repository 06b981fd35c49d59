//! Facts about interrupts that several contexts teach at once.

use crate::wrong::Stale;
use crate::{Kind, Threads, explore, familiar, learning};
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use std::sync::Arc;

pub(crate) fn both_states<B: Threads>() -> String {
    let world = Arc::new(learning::<B>());
    world.run([|t1| t1.handle(&[0]), |t2| t2.nest_exposed(&[0])]);
    assert!(world.told.lock().unwrap().iter().all(|(_, told)| matches!(told.kind, Kind::IrqState(_))));
    world.reporters()
}

/// A handler takes A on one CPU while the other takes it with interrupts on: the second is told.
#[test]
fn one_of_two_is_told() {
    explore("handler A - exposed A", both_states::<Loom<Fine>>).are(&["T1", "T2"]);
}

#[test]
fn one_of_two_control_stale_words() {
    explore("control: handler A - exposed A, stale words", both_states::<Stale>).notices("nobody");
}

pub(crate) fn three_facts<B: Threads>() -> String {
    let world = Arc::new(familiar::<B>());
    world.run([|t1| t1.handle(&[0]), |t2| t2.nest_exposed(&[1]), |t3| t3.nest(&[0, 1])]);
    assert!(world.told.lock().unwrap().iter().all(|(_, told)| matches!(told.kind, Kind::IrqOrder { .. })));
    world.reporters()
}

/// A is of handlers, B is held with interrupts on, A comes before B: whoever says the last is told.
#[test]
fn one_of_three_is_told() {
    explore("handler A - exposed B - AB", three_facts::<Loom<Fine>>).are(&["T1", "T2", "T3"]);
}

#[test]
fn one_of_three_control_stale_words() {
    explore("control: handler A - exposed B - AB, stale", three_facts::<Stale>).notices("nobody");
}
