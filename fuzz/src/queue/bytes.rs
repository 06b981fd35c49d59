//! Inputs as bytes: operation after operation.

use super::{Input, MOST, Op, QUEUES, REQUESTS};
use crate::codec::{Below, Values, codec, operations};
use arbitrary::{Arbitrary, Unstructured};

const QUEUE: Below = Below(QUEUES);
const BY: [usize; 2] = [1, 2];
const HAND: Below = Below(REQUESTS + 1);
const SLOT: Below = Below(REQUESTS + 1);
const YES_NO: [bool; 2] = [true, false];
const CHANGE: [i8; 6] = [1, -1, 2, -2, i8::MAX, i8::MIN];
const LIMIT: [u32; 6] = [0, 1, 2, 3, i32::MAX as u32, u32::MAX];
/// Milliseconds: some are about the time for which a reset connection counts.
const AFTER: [u32; 8] = [1, 999, 1_000, 30_000, 59_000, 59_999, 60_000, 61_000];

codec! {
    Op:
    Push { queue: QUEUE, hand: HAND },
    Pop { queue: QUEUE },
    Get { slot: SLOT },
    Put { hand: HAND },
    SpliceHead { queue: QUEUE, by: BY },
    SpliceTail { queue: QUEUE, by: BY },
    Detach { queue: QUEUE, all: YES_NO },
    Append { queue: QUEUE },
    Prepend { queue: QUEUE },
    Charge { queue: QUEUE, qlen: CHANGE, young: CHANGE },
    PushReset { queue: QUEUE, hand: HAND },
    PopReset { queue: QUEUE },
    EvictReset { queue: QUEUE },
    FastCharge { queue: QUEUE, change: CHANGE },
    Limit { queue: QUEUE, limit: LIMIT },
    FastAppend { queue: QUEUE, by: BY },
    Pass { after: AFTER },
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
