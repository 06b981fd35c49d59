//! Negative controls: each target finds the faults that are planted, and nothing without them.

use arbitrary::{Arbitrary, Unstructured};
use rskq::sync::Fault;
use rskq_fuzz::inputs::{committed, varied};
use rskq_fuzz::{faults, schedule, stack};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Most inputs that are tried for one fault.
const TRIES: usize = 100_000;
/// Inputs that have to pass without one, the seeds among them.
const PASSES: usize = 2_000;

type Target = fn(&[u8], &'static [Fault]);

fn run_stack(bytes: &[u8], faults: &'static [Fault]) {
    stack::Input::arbitrary(&mut Unstructured::new(bytes)).expect("every byte is something").run(faults);
}

fn run_schedule(bytes: &[u8], faults: &'static [Fault]) {
    schedule::Input::arbitrary(&mut Unstructured::new(bytes)).expect("every byte is something").run(faults);
}

/// The committed seeds of a target, and without end what comes of them.
fn inputs(target: &str) -> impl Iterator<Item = Vec<u8>> {
    varied(committed("seeds", target).expect("the seeds can be read"))
}

/// Returns how many inputs it took to find the fault.
fn find(target: Target, name: &str, fault: &'static Fault) -> Option<usize> {
    let fails = |bytes: Vec<u8>| {
        catch_unwind(AssertUnwindSafe(|| target(&bytes, std::slice::from_ref(fault)))).is_err()
    };
    inputs(name).take(TRIES).position(fails)
}

fn finds(target: Target, name: &str, faults: &'static [Fault]) {
    let mut missed = Vec::new();
    for fault in faults {
        match find(target, name, fault) {
            Some(tries) => println!("{name}: {fault:?} after {tries} inputs"),
            None => missed.push(fault),
        }
    }
    assert!(missed.is_empty(), "{name} finds none of {missed:?}");
}

#[test]
fn stack_finds_what_is_planted() {
    finds(run_stack, "stack", faults::OF_STACK);
}

#[test]
fn schedule_finds_what_is_planted() {
    finds(run_schedule, "schedule", faults::OF_SCHEDULE);
}

#[test]
fn nothing_is_found_where_nothing_is_planted() {
    inputs("stack").take(PASSES).for_each(|bytes| run_stack(&bytes, &[]));
    inputs("schedule").take(PASSES).for_each(|bytes| run_schedule(&bytes, &[]));
}

/// What is recorded is read as what it was.
#[test]
fn inputs_are_read_as_they_were_written() {
    for bytes in stack::seeds::all().expect("the traces can be read") {
        let input = stack::Input::arbitrary(&mut Unstructured::new(&bytes)).expect("every byte is something");
        assert_eq!(input.bytes(), bytes);
    }
    for bytes in schedule::seeds::all() {
        let read = |bytes: &[u8]| schedule::Input::arbitrary(&mut Unstructured::new(bytes)).unwrap();
        // What the rules do not let in is left out once.
        let once = read(&bytes).bytes();
        assert_eq!(read(&once).bytes(), once);
    }
}
