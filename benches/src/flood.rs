//! Item 6: a flood of SYNs in its steady state, each of which makes the oldest half-open connection go; and
//! expiry where nothing else happens.

use crate::handshake::{LIVES, ListenSide, Ours, Safe, filled};
use crate::measure::{Make, Measured, Routine, number, timed};
use std::time::Duration;

/// A flood in which as many connections are half open as come in the time that one lives.
pub struct Flood<S> {
    side: S,
    half_open: u64,
    next: u64,
    expired: u64,
}

impl<S: ListenSide> Flood<S> {
    /// A flood in its steady state.
    #[must_use]
    pub fn steady(half_open: u64) -> Self {
        // Those of the first life come spread over it.
        let side = S::with_room(half_open as usize + 1);
        let mut flood = Self { side, half_open, next: 0, expired: 0 };
        (0..half_open).for_each(|_| flood.syn());
        assert_eq!(flood.expired, 0, "nothing goes in the first life");
        flood
    }

    /// One SYN, and whoever has to go.
    #[inline(never)]
    pub fn syn(&mut self) {
        let now = self.next * LIVES / self.half_open;
        while let Some(gone) = self.side.expire(now) {
            debug_assert!(gone < self.next);
            self.expired += 1;
        }
        assert!(self.side.syn(self.next, now), "a SYN was taken for another");
        self.next += 1;
    }

    /// Shows that as many went as came in, but for those of a millisecond, which go together.
    ///
    /// # Panics
    ///
    /// If it is not so.
    pub fn check(&self) {
        let left = self.next - self.expired;
        let together = self.half_open.div_ceil(LIVES);
        assert!(
            (0..=together).contains(&(self.half_open - left)),
            "{left} half open, not {}",
            self.half_open
        );
    }
}

fn steady<S: ListenSide>(case: &str) -> Routine {
    let mut flood = Flood::<S>::steady(number(case) as u64);
    Box::new(move |iters| {
        let took = timed(iters, |_| flood.syn());
        flood.check();
        took
    })
}

/// Expiry of the oldest of so many, which come in again while no clock runs.
fn expiry<S: ListenSide>(case: &str) -> Routine {
    let half_open = number(case) as u64;
    let side = filled::<S>(half_open);
    let (mut next, mut now, mut old) = (half_open, LIVES, half_open);
    Box::new(move |iters| {
        let (mut took, mut left) = (Duration::ZERO, iters);
        while left > 0 {
            let n = left.min(old);
            took += timed(n, |_| assert!(side.expire(now).is_some()));
            assert!((next..next + n).all(|number| side.syn(number, now)), "there is room");
            (next, old, left) = (next + n, old - n, left - n);
            if old == 0 {
                assert_eq!(side.expire(now), None, "one of this life expires with those of the last");
                (now, old) = (now + LIVES, half_open);
            }
        }
        took
    })
}

/// How many are half open.
pub const HALF_OPEN: [u64; 2] = [1_000, 1_000_000];

pub(crate) fn measured() -> Vec<Measured> {
    let contenders: [(_, _, Make); 4] = [
        ("6 SYN in a flood", "rskq", steady::<Ours>),
        ("6 SYN in a flood", "HashMap, BTreeMap", steady::<Safe>),
        ("6 expiry", "rskq", expiry::<Ours>),
        ("6 expiry", "HashMap, BTreeMap", expiry::<Safe>),
    ];
    let case = |n: u64| contenders.iter().map(move |&(item, who, make)| Measured::new(item, n, who, make));
    HALF_OPEN.into_iter().flat_map(case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_go_as_come() {
        for half_open in [10, 1_000] {
            let mut flood = Flood::<Ours>::steady(half_open);
            (0..5_000).for_each(|_| flood.syn());
            flood.check();
        }
    }

    #[test]
    #[should_panic(expected = "half open, not")]
    fn a_flood_that_shrinks_is_noticed() {
        let mut flood = Flood::<Safe>::steady(100);
        flood.expired += 2;
        flood.check();
    }
}
