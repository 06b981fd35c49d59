//! Item 6: how long a lock is held, each time that one is.

use crate::flood::Flood;
use crate::handshake::Ours;
use rskq::sync::{Core, RawLock};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::time::Instant;

/// A spin lock that notes how long it was held.
pub struct Timed(spin::Mutex<()>);

std::thread_local!(static HELD: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) });

// SAFETY: `spin::Mutex` excludes and publishes; what is noted changes nothing about it.
unsafe impl RawLock for Timed {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Timed(spin::Mutex::new(()));
    type GuardState = Instant;

    fn lock(&self) -> Instant {
        RawLock::lock(&self.0);
        Instant::now()
    }

    unsafe fn unlock(&self, since: Instant) {
        let held = since.elapsed();
        // SAFETY: the caller holds the lock in this context.
        unsafe { RawLock::unlock(&self.0, ()) };
        HELD.with_borrow_mut(|all| all.push(held.as_nanos() as u32));
    }
}

/// How long locks were held, in nanoseconds: clocks included, and whatever else the machine did meanwhile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Holds {
    /// How many there were.
    pub times: usize,
    /// Half are not longer.
    pub median: u32,
    /// All but one of ten thousand are not longer.
    pub p9999: u32,
    /// The longest.
    pub max: u32,
}

/// Holds locks through a flood with so many half open.
///
/// # Panics
///
/// If no lock was held.
#[must_use]
pub fn of_a_flood(half_open: u64) -> Holds {
    let mut flood = Flood::<Ours<Core<Timed>>>::steady(half_open);
    HELD.take();
    (0..half_open).for_each(|_| flood.syn());
    flood.check();
    let mut held = HELD.take();
    held.sort_unstable();
    let at = |part: usize| held[(held.len() - 1) * part / 10_000];
    Holds { times: held.len(), median: at(5_000), p9999: at(9_999), max: at(10_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_for_long_is_noticed() {
        let lock = Timed::INIT;
        let since = lock.lock();
        std::thread::sleep(std::time::Duration::from_millis(3));
        // SAFETY: just taken.
        unsafe { lock.unlock(since) };
        assert!(HELD.take().iter().all(|&held| held >= 3_000_000));
    }

    #[test]
    fn locks_are_held_in_a_flood() {
        let holds = of_a_flood(1_000);
        assert!(holds.times >= 5_000 && holds.median <= holds.p9999 && holds.p9999 <= holds.max);
    }
}
