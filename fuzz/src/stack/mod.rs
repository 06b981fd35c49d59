//! Operations on a stack: under designs that are for use beside the reference of the tests, under those of the
//! discussion with what holds of all of them.

mod bytes;
mod posted;
pub mod seeds;

use crate::crash;
use crate::reference::{self, Op};
use loom_tests::designs::{self, Column};
use rskq::sync::Fault;
use rskq::sync::seeded::plant;
use std::fmt;

/// The designs, in the order of the input's first byte.
const DESIGNS: [&str; 12] = [
    "abort",
    "linux",
    "requeue",
    "handover",
    "splice",
    "splice-tfo",
    "in-place",
    "splice-nested",
    "relabel",
    "requeue-naive",
    "clone-5.14",
    "clone",
];
/// Most operations of an input.
const MOST: usize = 64;

/// A design, and operations under it.
#[derive(Clone, PartialEq, Eq)]
pub struct Input {
    design: &'static str,
    ops: Vec<Op>,
}

impl Input {
    /// Does the operations with the first of `faults` planted; whatever is not as it ought to be is a panic, before which the test is printed that
    /// panics in the same way.
    pub fn run(&self, faults: &[Fault]) {
        plant(faults.first().copied());
        let column = self.column();
        crash::tell(self, || match column.is_ours() {
            true => reference::run(column.design, &self.ops),
            false => posted::run(column, &self.ops),
        });
    }

    fn column(&self) -> Column {
        designs::by_name(self.design).expect("the design is a column")
    }
}

/// A test: for `tests/random/regressions.rs`, or, under a design of the discussion, for
/// `fuzz/tests/regressions.rs`.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column();
        writeln!(f, "#[test]\nfn found_by_fuzzing() {{")?;
        if !column.is_ours() {
            for op in &self.ops {
                writeln!(f, "    // {op:?}")?;
            }
            return write!(f, "    run(&{:?});\n}}", self.bytes());
        }
        writeln!(f, "    let ops = [")?;
        for op in &self.ops {
            let op = format!("Op::{op:?}").replace("flag: ", "flag: rskq::MapFlag::");
            writeln!(f, "        {},", op.replace("to: ", "to: rskq::Syncookies::"))?;
        }
        write!(f, "    ];\n    run(Design::{:?}, &ops);\n}}", column.design)
    }
}
