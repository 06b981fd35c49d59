//! The connection type of the image: counted, so that one that is lost or dropped twice is noticed.

use core::sync::atomic::{AtomicUsize, Ordering};

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// An established connection, told from others by its number. Not `Copy`, and its drop matters.
pub(crate) struct Child(u32);

impl Child {
    pub(crate) fn new(number: u32) -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Child(number)
    }

    pub(crate) fn number(&self) -> u32 {
        self.0
    }

    /// Returns how many children there are, in the stack and out of it.
    pub(crate) fn live() -> usize {
        LIVE.load(Ordering::Relaxed)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}
