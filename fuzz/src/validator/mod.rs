//! The lock validator beside a plain graph: locks, try-locks, releases in any order, interrupts.

mod bytes;
mod graph;
mod model;
mod real;
pub mod seeds;

use crate::crash;
use model::Model;
use real::Validated;
use std::fmt;

/// What can be broken in the plain graph, to show that the target finds where the two differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An order is not learned.
    EdgeDropped,
    /// An order that leads over another class is not seen.
    OneStepOnly,
    /// That a class is held while interrupts may come is not learned.
    ExposureDropped,
    /// An order that handlers forbid is learned.
    HandlersIgnored,
    /// Of a pair of locks the keys are not compared.
    KeysIgnored,
    /// A lock that is not released last stays held.
    ReleaseDropped,
}

/// All of them.
pub const FAULTS: &[Fault] = &[
    Fault::EdgeDropped,
    Fault::OneStepOnly,
    Fault::ExposureDropped,
    Fault::HandlersIgnored,
    Fault::KeysIgnored,
    Fault::ReleaseDropped,
];

/// The classes' names. The last ones are never registered.
const NAMES: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
/// How many of them are, declared or learned.
const REGISTERED: usize = 8;
const CONTEXTS: usize = 2;
/// Most operations of an input.
const MOST: usize = 96;

/// A lock: its class, its key in the class, and which of the locks with that key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    class: usize,
    key: u32,
    other: bool,
}

/// An operation, in one of the contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // `cpu` names a context, the others a lock or a kind of interrupt
pub enum Op {
    /// A lock is waited for and taken, as one of an ordered pair or not; in one call or in two.
    Lock { cpu: usize, class: usize, key: u32, other: bool, ordered: bool, at_once: bool },
    /// A lock is taken without waiting.
    TryLock { cpu: usize, class: usize, key: u32, other: bool },
    /// A lock is waited for and not taken.
    Wait { cpu: usize, class: usize, key: u32, other: bool, ordered: bool },
    /// The lock that is so many below the last one is released; in one call or as it is.
    Unlock { cpu: usize, below: usize, at_once: bool },
    /// Any lock is released.
    UnlockAny { cpu: usize, class: usize, key: u32, other: bool },
    /// A handler begins.
    Enter { cpu: usize, hard: bool },
    /// The handler that began last ends.
    Leave { cpu: usize },
    /// Interrupts are off.
    Off { cpu: usize, hard: bool },
    /// Interrupts are on again.
    On { cpu: usize, hard: bool },
}

/// Operations under an order of so many declared classes.
#[derive(Clone, PartialEq, Eq)]
pub struct Input {
    declared: usize,
    ops: Vec<Op>,
}

impl Input {
    /// These operations.
    #[must_use]
    pub fn new(declared: usize, ops: &[Op]) -> Self {
        Self { declared, ops: ops.to_vec() }
    }

    /// Does the operations on a validator and on a plain graph, with something broken or without; whatever differs
    /// is a panic, before which the test is printed that panics in the same way.
    pub fn run(&self, fault: Option<Fault>) {
        crash::tell(self, || {
            let validator = Validated::validator(self.declared);
            let (mut real, mut model) = (Validated::new(&validator), Model::new(self.declared, fault));
            for &op in &self.ops {
                assert_eq!(real.apply(op), model.apply(op), "{op:?}");
                real.compare(&model);
            }
            real.violations(&model);
        });
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crash::test(f, "validator", &format!("{}, ", self.declared), &self.ops)
    }
}
