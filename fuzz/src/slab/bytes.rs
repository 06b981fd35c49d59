//! Inputs as bytes: operation after operation.

use super::{Input, MOST, Op};
use crate::codec::{Below, Values, codec, operations};
use arbitrary::{Arbitrary, Unstructured};

const SLAB: Below = Below(2);
const HAND: Below = Below(8);
const ID: Below = Below(64);
const INDEX: [u32; 8] = [0, 1, 2, 3, 4, i32::MAX as u32, i32::MAX as u32 + 1, u32::MAX];
const GENERATION: [u32; 6] = [0, 1, 2, 3, 4, u32::MAX];

codec! {
    Op:
    Alloc { slab: SLAB },
    AllocUnpublished { slab: SLAB },
    Clone { hand: HAND },
    Put { hand: HAND },
    Store { hand: HAND, within: HAND },
    TakeBack { within: HAND },
    CloneStored { within: HAND },
    ById { slab: SLAB, id: ID },
    FromParts { slab: SLAB, index: INDEX, generation: GENERATION },
    TryGet { slab: SLAB, index: INDEX },
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self { ops: operations(u, MOST)? })
    }
}

impl Input {
    /// Returns the bytes of an input.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.ops.iter().for_each(|&op| encode(op, &mut bytes));
        bytes
    }
}
