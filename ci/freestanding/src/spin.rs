//! The lock that the image brings: rskq's own default is a feature that is off here.

use crate::sys::expect;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use rskq::sync::RawLock;

/// A spin lock that numbers its acquisitions.
///
/// The number stands for what a kernel's acquisition remembers, such as saved interrupt flags, and
/// shows that each release is handed what its own acquisition returned.
pub(crate) struct Spin {
    held: AtomicBool,
    turn: AtomicU32,
}

/// Which acquisition it was.
pub(crate) struct Turn(u32);

// SAFETY: the swap from `false` to `true` succeeds once between two unlocks, with acquire ordering,
// and `unlock` stores `false` with release ordering. `turn` is touched by the holder only.
unsafe impl RawLock for Spin {
    const INIT: Self = Spin { held: AtomicBool::new(false), turn: AtomicU32::new(0) };
    type GuardState = Turn;

    fn lock(&self) -> Turn {
        while self.held.swap(true, Ordering::Acquire) {
            spin_loop();
        }
        let turn = self.turn.load(Ordering::Relaxed).wrapping_add(1);
        self.turn.store(turn, Ordering::Relaxed);
        Turn(turn)
    }

    unsafe fn unlock(&self, Turn(turn): Turn) {
        expect(self.turn.load(Ordering::Relaxed) == turn, "a lock is released by its own acquisition");
        self.held.store(false, Ordering::Release);
    }
}
