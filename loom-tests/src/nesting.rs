//! Which classes of locks are taken while which are held, as the models see it.

use rskq::sync::LockTag;
use rskq::sync::model::{Record, What};
use std::collections::{BTreeMap, BTreeSet};

/// A lock of one class was asked for while one of another, or of the same, was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nesting {
    /// The rank of the lock that was held.
    pub held: u8,
    /// The rank of the lock that was asked for.
    pub taken: u8,
    /// Whether the order table has it otherwise: an outer class, or a lower key of the same.
    pub against_order: bool,
}

impl Nesting {
    fn of(held: LockTag, taken: LockTag) -> Self {
        let against_order = (held.rank, held.key) >= (taken.rank, taken.key);
        Self { held: held.rank, taken: taken.rank, against_order }
    }
}

/// Adds the nestings of one execution to `seen`.
pub fn note(records: &[Record], seen: &mut BTreeSet<Nesting>) {
    let mut held: BTreeMap<u8, Vec<LockTag>> = BTreeMap::new();
    for record in records {
        let held = held.entry(record.thread).or_default();
        match record.what {
            What::Wants(taken) => seen.extend(held.iter().map(|&held| Nesting::of(held, taken))),
            What::Gets(taken) => held.push(taken),
            What::Releases(tag) => held.retain(|&h| h != tag),
            What::Step(_) | What::Op(..) | What::Waiting(..) => {}
        }
    }
}
