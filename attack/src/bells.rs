//! Wake-ups on their way to who accepts: one bell for each slot of a listener.

use crate::Listener;
use rskq::sync::Backend;
use std::sync::atomic::{AtomicU64, Ordering};

/// A bell for each slot. Acceptors look at nothing else, so that a wake-up that is forgotten leaves a
/// connection waiting for ever.
pub(crate) struct Bells(Box<[AtomicU64]>);

impl Bells {
    pub(crate) fn new(slots: usize) -> Self {
        Self((0..slots).map(|_| AtomicU64::new(0)).collect())
    }

    /// Of two listeners that had the slot the later one is kept: the other one is gone.
    pub(crate) fn ring<B: Backend>(&self, id: Listener<B>) {
        self.0[id.index() as usize].fetch_max(packed(id), Ordering::AcqRel);
    }

    /// Returns who was rung for since the last time.
    pub(crate) fn rung<B: Backend>(&self) -> impl Iterator<Item = Listener<B>> {
        self.0.iter().filter_map(|bell| unpacked(bell.swap(0, Ordering::AcqRel)))
    }
}

/// An id in one word that is not 0; of two ids of a slot the later one is greater.
pub(crate) fn packed<B: Backend>(id: Listener<B>) -> u64 {
    u64::from(id.generation()) << 32 | u64::from(id.index() + 1)
}

pub(crate) fn unpacked<B: Backend>(word: u64) -> Option<Listener<B>> {
    let index = (word as u32).checked_sub(1)?;
    Some(Listener::<B>::from_parts(index, (word >> 32) as u32))
}
