//! What a request carries for the designs of the discussion alone, as Linux's code has it.

use crate::sync::{AtomicU32, Backend};
use core::sync::atomic::Ordering;

/// What a request's SYN-ACK timer is at. An armed one holds a reference on the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum TimerState {
    /// Not armed.
    Idle,
    /// Armed: it will go off.
    Pending,
    /// Its handler runs, with the timer's reference.
    Running,
    /// Its handler runs and was told not to arm it again. (In Linux the canceller waits for the handler;
    /// what the handler may do after that is the same.)
    Cancelled,
}

/// Words that Linux's code reads without the lock under which they are written, or under one lock here
/// and another there: a model has to see each access.
pub(crate) struct Posted<B: Backend> {
    /// Whether the request is in the established table. (Linux: `!sk_unhashed()`.)
    pub(crate) hashed: B::AtomicU32,
    /// Whether a fast-open handshake is under way; under the fast-open lock of whichever listener the
    /// request names. (Linux: `tfo_listener`.)
    pub(crate) tfo_listener: B::AtomicU32,
    /// Whether a fast-open connection waits to be accepted, so that its queue's reference is the only one;
    /// under the same. (Linux: `req->sk`.)
    pub(crate) sk: B::AtomicU32,
    /// The SYN-ACK timer, a [`TimerState`]. (Linux: `rsk_timer`.)
    pub(crate) rsk_timer: B::AtomicU32,
    /// 1 while the child names this request as its fast-open request, 2 once it did; under the lock of the
    /// tuple's bucket, which stands for the child's. (Linux: `fastopen_rsk` of the child.)
    pub(crate) fastopen_rsk: B::Stat,
    /// Whether the child is in the established table, in the request's place; under the bucket's lock.
    pub(crate) child_hashed: B::Stat,
}

impl<B: Backend> Posted<B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    pub(super) const INIT: Self = Self {
        hashed: B::AtomicU32::ZERO,
        tfo_listener: B::AtomicU32::ZERO,
        sk: B::AtomicU32::ZERO,
        rsk_timer: B::AtomicU32::ZERO,
        fastopen_rsk: B::Stat::ZERO,
        child_hashed: B::Stat::ZERO,
    };

    pub(super) fn place(&mut self) {
        self.hashed.place(0);
        self.tfo_listener.place(0);
        self.sk.place(0);
        self.rsk_timer.place(TimerState::Idle as u32);
        self.fastopen_rsk.place(0);
        self.child_hashed.place(0);
    }

    /// Clears what another request left in the slot; the request is in nobody's sight.
    pub(super) fn clear(&self) {
        self.fastopen_rsk.store(0, Ordering::Relaxed);
        self.child_hashed.store(0, Ordering::Relaxed);
        // A store is a step of a model: only where a design left something.
        for word in [&self.hashed, &self.tfo_listener, &self.sk, &self.rsk_timer] {
            if word.peek() != 0 {
                word.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Makes the request that of a fast-open connection in nobody's sight.
    pub(crate) fn open_fast(&self) {
        self.fastopen_rsk.store(1, Ordering::Relaxed);
        self.sk.store(1, Ordering::Relaxed);
        self.tfo_listener.store(1, Ordering::Relaxed);
    }

    /// Tells whether the request was made for a fast-open connection, which does not change.
    pub(crate) fn was_fast(&self) -> bool {
        self.fastopen_rsk.load(Ordering::Relaxed) != 0
    }

    /// Returns whether a reference is held by an accepted connection's handshake, and by the timer.
    #[cfg(feature = "alloc")]
    pub(crate) fn holders(&self) -> (bool, bool) {
        let handshake = self.tfo_listener.peek() != 0 && self.sk.peek() == 0;
        (handshake, self.rsk_timer.peek() != TimerState::Idle as u32)
    }
}
