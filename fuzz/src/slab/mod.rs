//! Slabs, references and ids beside a plain count: ids that are stale, of another slab, or of nobody.

mod bytes;
mod model;
mod real;
pub mod seeds;

use crate::crash;
use model::Model;
use real::{Slabs, Things};
use std::fmt;

/// What can be broken, to show that the target finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An id is not compared with the id of what is in its slot.
    GenerationIgnored,
    /// A reference is not put.
    ReferenceLeaked,
    /// What is retired keeps the reference that it stores.
    ChainKept,
    /// A slot that is not published is not given back.
    FreshLeaked,
}

/// All of them.
pub const FAULTS: &[Fault] =
    &[Fault::GenerationIgnored, Fault::ReferenceLeaked, Fault::ChainKept, Fault::FreshLeaked];

/// Slots of each slab.
const SLOTS: [usize; 2] = [4, 3];
/// Most operations of an input.
const MOST: usize = 64;

/// An operation. A `hand` is one of the references at hand, the last for what is beyond them, an `id` one of those
/// that were given out; `slab` names a slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // as above
pub enum Op {
    /// A slot is taken and published: a reference comes to hand.
    Alloc { slab: usize },
    /// A slot is taken and given back unpublished.
    AllocUnpublished { slab: usize },
    /// One more reference comes to hand.
    Clone { hand: usize },
    /// A reference is put.
    Put { hand: usize },
    /// A reference is stored in another object of its slab, which has none stored, unless that made a ring.
    Store { hand: usize, within: usize },
    /// What an object stores comes to hand.
    TakeBack { within: usize },
    /// A second reference to what an object stores comes to hand.
    CloneStored { within: usize },
    /// A slab is asked for an id that was given out, by whichever slab.
    ById { slab: usize, id: usize },
    /// A slab is asked for an id that is put together.
    FromParts { slab: usize, index: u32, generation: u32 },
    /// A slab is asked for what is in a slot.
    TryGet { slab: usize, index: u32 },
}

/// Operations on two slabs.
#[derive(Clone, PartialEq, Eq)]
pub struct Input {
    ops: Vec<Op>,
}

impl Input {
    /// These operations.
    #[must_use]
    pub fn new(ops: &[Op]) -> Self {
        Self { ops: ops.to_vec() }
    }

    /// Does the operations on slabs and on a count, with something broken or without; whatever differs is a panic,
    /// before which the test is printed that panics in the same way.
    pub fn run(&self, fault: Option<Fault>) {
        crash::tell(self, || {
            let things = SLOTS.map(|slots| Things::new(slots, fault));
            let (mut real, mut model) = (Slabs::new(&things, fault), Model::default());
            for &op in &self.ops {
                let index = real.apply(op);
                assert_eq!(index, model.apply(op, index), "{op:?}");
                real.compare(&model);
            }
            real.empty(&mut model);
        });
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crash::test(f, "slab", "", &self.ops)
    }
}

/// A place among so many: the last for what is beyond; `None` if there is none.
fn place(which: usize, len: usize) -> Option<usize> {
    Some(which.min(len.checked_sub(1)?))
}
