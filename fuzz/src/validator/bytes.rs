//! Inputs as bytes: how many classes are declared, and then operation after operation.

use super::{CONTEXTS, Input, MOST, NAMES, Op};
use crate::codec::{Below, Values, codec, operations};
use arbitrary::{Arbitrary, Unstructured};

const DECLARED: Below = Below(5);
const CPU: Below = Below(CONTEXTS);
const CLASS: Below = Below(NAMES.len());
const KEY: Below = Below(3);
const SELDOM: [bool; 4] = [false, false, false, true];
const YES_NO: [bool; 2] = [true, false];

codec! {
    Op:
    Lock { cpu: CPU, class: CLASS, key: KEY, other: SELDOM, ordered: YES_NO, at_once: YES_NO },
    TryLock { cpu: CPU, class: CLASS, key: KEY, other: SELDOM },
    Wait { cpu: CPU, class: CLASS, key: KEY, other: SELDOM, ordered: YES_NO },
    Unlock { cpu: CPU, below: Below(4), at_once: YES_NO },
    UnlockAny { cpu: CPU, class: CLASS, key: KEY, other: SELDOM },
    Enter { cpu: CPU, hard: YES_NO },
    Leave { cpu: CPU },
    Off { cpu: CPU, hard: YES_NO },
    On { cpu: CPU, hard: YES_NO },
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self { declared: DECLARED.get(u8::arbitrary(u)?), ops: operations(u, MOST)? })
    }
}

impl Input {
    /// Returns the bytes of an input.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![DECLARED.put(self.declared)];
        self.ops.iter().for_each(|&op| encode(op, &mut bytes));
        bytes
    }
}
