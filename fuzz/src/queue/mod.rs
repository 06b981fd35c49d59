//! The accept queue, its list alone, and the fast-open queue, beside deques.

mod bytes;
mod model;
mod real;
pub mod seeds;

use crate::crash;
use model::Model;
use real::Room;
use rskq::sync::Fault;
use rskq::sync::seeded::plant;
use std::fmt;

/// Faults of this layer that the target finds.
pub const FAULTS: &[Fault] =
    &[Fault::BacklogNotCounted, Fault::PushToHead, Fault::StateNotSaid, Fault::FastLimitOneMore];

const QUEUES: usize = 3;
const REQUESTS: usize = 6;
/// Most operations of an input.
const MOST: usize = 64;

/// An operation. A `hand` is one of the references at hand, or, beyond them, one to a fresh request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // `queue` names a queue, `from` one that is `by` further
pub enum Op {
    /// A request goes to the tail.
    Push { queue: usize, hand: usize },
    /// The oldest comes to hand.
    Pop { queue: usize },
    /// One more reference to a request comes to hand.
    Get { slot: usize },
    /// A reference is put.
    Put { hand: usize },
    /// All of another queue goes before a queue.
    SpliceHead { queue: usize, by: usize },
    /// All of another queue goes behind a queue.
    SpliceTail { queue: usize, by: usize },
    /// A whole queue is taken, with its charges or without.
    Detach { queue: usize, all: bool },
    /// What was taken first of all goes behind a queue.
    Append { queue: usize },
    /// What was taken first of all, if it is without charges, goes before a queue.
    Prepend { queue: usize },
    /// Half-open requests are charged, or charges taken back.
    Charge { queue: usize, qlen: i8, young: i8 },
    /// A request that was reset goes to the tail of the reset list.
    PushReset { queue: usize, hand: usize },
    /// The oldest that was reset comes to hand.
    PopReset { queue: usize },
    /// The same, if it has counted for long enough.
    EvictReset { queue: usize },
    /// Fast-open connections are charged, or charges taken back.
    FastCharge { queue: usize, change: i8 },
    /// How many fast-open connections a queue may have.
    Limit { queue: usize, limit: u32 },
    /// All of another fast-open queue goes behind one.
    FastAppend { queue: usize, by: usize },
    /// Milliseconds pass.
    Pass { after: u32 },
}

/// Operations on a few queues and requests.
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

    /// Does the operations on queues and on deques, with a fault planted or without; whatever differs is a panic,
    /// before which the test is printed that panics in the same way.
    pub fn run(&self, fault: Option<Fault>) {
        plant(fault);
        crash::tell(self, || {
            let room = Room::new();
            let (mut real, mut model) = (real::Queues::new(&room), Model::default());
            for &op in &self.ops {
                assert_eq!(real.apply(op), model.apply(op), "{op:?}");
                real.compare(&model);
            }
            real.empty(&mut model);
        });
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crash::test(f, "queue", "", &self.ops)
    }
}

/// What an operation says: the request that it concerns, and whether it was done.
type Said = Option<(u32, bool)>;

/// The queue from which all goes to `queue`: never the same one.
fn other(queue: usize, by: usize) -> usize {
    (queue + by) % QUEUES
}
