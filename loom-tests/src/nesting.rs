//! Which classes of locks are taken while which are held, as the models see it.

use rskq::sync::LockTag;
use rskq::sync::model::{Record, What};
use std::collections::BTreeSet;

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
    let mut held: Vec<(u8, LockTag)> = Vec::new();
    for &Record { thread, what, .. } in records {
        match what {
            What::Wants(taken) => {
                let own = held.iter().filter(|(holder, _)| *holder == thread);
                seen.extend(own.map(|&(_, held)| Nesting::of(held, taken)));
            }
            What::Gets(taken) => held.push((thread, taken)),
            What::Releases(tag) => held.retain(|&(_, held)| held != tag),
            What::Step(_) | What::Op(..) | What::Waiting(..) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::Location;

    fn lock(rank: u8, key: u32) -> LockTag {
        LockTag { class: "some", rank, key }
    }

    fn seen(whats: &[(u8, What)]) -> Vec<(u8, u8, bool)> {
        let record = |&(thread, what): &(u8, What)| Record { thread, what, at: Location::caller() };
        let mut seen = BTreeSet::new();
        note(&whats.iter().map(record).collect::<Vec<_>>(), &mut seen);
        seen.into_iter().map(|n| (n.held, n.taken, n.against_order)).collect()
    }

    #[test]
    fn a_lock_is_nested_in_those_that_its_thread_holds() {
        let (outer, inner) = (lock(1, 0), lock(2, 0));
        assert_eq!(seen(&[(1, What::Gets(outer)), (1, What::Wants(inner))]), [(1, 2, false)]);
        assert_eq!(seen(&[(1, What::Gets(inner)), (1, What::Wants(outer))]), [(2, 1, true)]);
        assert_eq!(seen(&[(1, What::Gets(lock(2, 0))), (1, What::Wants(lock(2, 1)))]), [(2, 2, false)]);
        assert_eq!(seen(&[(1, What::Gets(lock(2, 1))), (1, What::Wants(lock(2, 0)))]), [(2, 2, true)]);
    }

    #[test]
    fn a_lock_is_not_nested_in_what_was_released_or_what_others_hold() {
        let (outer, inner) = (lock(1, 0), lock(2, 0));
        assert!(seen(&[(1, What::Gets(outer)), (2, What::Wants(inner))]).is_empty());
        let released = [(1, What::Gets(outer)), (1, What::Releases(outer)), (1, What::Wants(inner))];
        assert!(seen(&released).is_empty());
    }
}
