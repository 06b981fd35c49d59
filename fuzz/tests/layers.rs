//! Negative controls of the targets that have faults of their own: each is found, and nothing where there is none.

use arbitrary::{Arbitrary, Unstructured};
use rskq_fuzz::inputs::{committed, varied};
use rskq_fuzz::{queue, slab, trace, validator};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Most inputs that are tried for one fault.
const TRIES: usize = 20_000;
/// Inputs that have to pass without one.
const PASSES: usize = 5_000;

fn read<'a, T: Arbitrary<'a>>(bytes: &'a [u8]) -> T {
    T::arbitrary(&mut Unstructured::new(bytes)).expect("every byte is something")
}

/// Finds each fault, and nothing without one.
fn finds<F: Copy + Debug>(target: &str, faults: &[F], run: impl Fn(&[u8], Option<F>)) {
    let seeds = committed("seeds", target).expect("the seeds can be read");
    varied(seeds.clone()).take(PASSES).for_each(|bytes| run(&bytes, None));
    let mut missed = Vec::new();
    for &fault in faults {
        let fails = |bytes: Vec<u8>| catch_unwind(AssertUnwindSafe(|| run(&bytes, Some(fault)))).is_err();
        match varied(seeds.clone()).take(TRIES).position(fails) {
            Some(tries) => println!("{target}: {fault:?} after {tries} inputs"),
            None => missed.push(fault),
        }
    }
    assert!(missed.is_empty(), "{target} finds none of {missed:?}");
}

#[test]
fn queue_finds_what_is_planted() {
    finds("queue", queue::FAULTS, |bytes, fault| read::<queue::Input>(bytes).run(fault));
}

#[test]
fn slab_finds_what_is_broken() {
    finds("slab", slab::FAULTS, |bytes, fault| read::<slab::Input>(bytes).run(fault));
}

#[test]
fn trace_finds_what_is_broken() {
    finds("trace", trace::FAULTS, |bytes, fault| trace::Input::new(bytes).run(fault));
}

#[test]
fn validator_finds_what_is_broken() {
    finds("validator", validator::FAULTS, |bytes, fault| read::<validator::Input>(bytes).run(fault));
}

/// What the seeds are made of is read as what it was.
#[test]
fn inputs_are_read_as_they_were_written() {
    for bytes in queue::seeds::all() {
        assert_eq!(read::<queue::Input>(&bytes).bytes(), bytes);
    }
    for bytes in slab::seeds::all() {
        assert_eq!(read::<slab::Input>(&bytes).bytes(), bytes);
    }
    for bytes in validator::seeds::all() {
        assert_eq!(read::<validator::Input>(&bytes).bytes(), bytes);
    }
}
