//! What is committed is replayed: seeds, and inputs that once failed.

use arbitrary::{Arbitrary, Unstructured};
use rskq_fuzz::inputs::committed;
use rskq_fuzz::{queue, schedule, slab, stack, trace, validator};

fn read<'a, T: Arbitrary<'a>>(bytes: &'a [u8]) -> T {
    T::arbitrary(&mut Unstructured::new(bytes)).expect("every byte is something")
}

fn replay(target: &str, run: impl Fn(&[u8])) {
    let mut inputs = committed("seeds", target).expect("the seeds can be read");
    assert!(!inputs.is_empty(), "{target} has no seeds");
    inputs.extend(committed("regressions", target).expect("the regressions can be read"));
    inputs.iter().for_each(|bytes| run(bytes));
}

#[test]
fn queue() {
    replay("queue", |bytes| read::<queue::Input>(bytes).run(None));
}

#[test]
fn schedule() {
    replay("schedule", |bytes| read::<schedule::Input>(bytes).run(&[]));
}

#[test]
fn slab() {
    replay("slab", |bytes| read::<slab::Input>(bytes).run(None));
}

#[test]
fn stack() {
    replay("stack", |bytes| read::<stack::Input>(bytes).run(&[]));
}

#[test]
fn trace() {
    replay("trace", |bytes| trace::Input::new(bytes).run(None));
}

#[test]
fn validator() {
    replay("validator", |bytes| read::<validator::Input>(bytes).run(None));
}
