//! What slabs ought to hold: a count, a generation and what is stored, for each slot.

use super::{Op, SLOTS, place};

/// One slot.
#[derive(Clone, Default)]
struct Slot {
    refs: u32,
    /// How often it was given back.
    generation: u32,
    retired: u32,
    /// The slot to which its object stores a reference.
    next: Option<usize>,
}

/// All slabs.
pub(super) struct Model {
    slabs: [Vec<Slot>; 2],
    /// Slab and slot of each reference at hand.
    hand: Vec<(usize, usize)>,
    /// Index and generation of every object that there was.
    ids: Vec<(u32, u32)>,
}

impl Default for Model {
    fn default() -> Self {
        Self { slabs: SLOTS.map(|slots| vec![Slot::default(); slots]), hand: Vec::new(), ids: Vec::new() }
    }
}

impl Model {
    pub(super) fn available(&self, slab: usize) -> usize {
        self.slabs[slab].iter().filter(|slot| slot.refs == 0).count()
    }

    pub(super) fn retired(&self, slab: usize) -> u32 {
        self.slabs[slab].iter().map(|slot| slot.retired).sum()
    }

    pub(super) fn ids(&self) -> &[(u32, u32)] {
        &self.ids
    }

    /// Tells whether an id names something.
    pub(super) fn finds(&self, slab: usize, (index, generation): (u32, u32)) -> bool {
        let slot = self.slabs[slab].get(index as usize);
        slot.is_some_and(|slot| slot.refs > 0 && slot.generation == generation)
    }

    /// Puts a reference, and what is stored in what it was the last to.
    fn put(&mut self, slab: usize, slot: usize) {
        let slot = &mut self.slabs[slab][slot];
        slot.refs -= 1;
        if slot.refs == 0 {
            slot.generation += 1;
            slot.retired += 1;
            if let Some(next) = slot.next.take() {
                self.put(slab, next);
            }
        }
    }

    /// Tells whether what `slot` stores leads to `to`.
    fn leads(&self, slab: usize, slot: usize, to: usize) -> bool {
        slot == to || self.slabs[slab][slot].next.is_some_and(|next| self.leads(slab, next, to))
    }

    /// What is at hand there.
    fn held(&self, hand: usize) -> Option<(usize, usize)> {
        Some(self.hand[place(hand, self.hand.len())?])
    }

    fn gain(&mut self, slab: usize, slot: usize) -> Option<u32> {
        self.slabs[slab][slot].refs += 1;
        self.hand.push((slab, slot));
        Some(slot as u32)
    }

    /// Tells whether a reference may be stored: never in a ring, which would keep itself.
    pub(super) fn may_store(&self, hand: usize, within: usize) -> bool {
        let (Some((slab, slot)), Some((other, holder))) = (self.held(hand), self.held(within)) else {
            return false;
        };
        slab == other && self.slabs[slab][holder].next.is_none() && !self.leads(slab, slot, holder)
    }

    /// Returns the slot of the reference that is concerned. Which free slot is taken is the slab's to choose.
    pub(super) fn apply(&mut self, op: Op, chosen: Option<u32>) -> Option<u32> {
        match op {
            Op::Alloc { slab } => {
                let slot = self.free(slab, chosen)?;
                self.ids.push((slot as u32, self.slabs[slab][slot].generation));
                self.gain(slab, slot)
            }
            Op::AllocUnpublished { slab } => {
                let slot = self.free(slab, chosen)?;
                self.slabs[slab][slot].generation += 1;
                Some(slot as u32)
            }
            Op::Clone { hand } => {
                let (slab, slot) = self.held(hand)?;
                self.gain(slab, slot)
            }
            Op::Put { hand } => {
                let (slab, slot) = self.hand.swap_remove(place(hand, self.hand.len())?);
                self.put(slab, slot);
                Some(slot as u32)
            }
            Op::Store { hand, within } => {
                if !self.may_store(hand, within) {
                    return None;
                }
                let (slab, holder) = self.held(within)?;
                let (_, slot) = self.hand.swap_remove(place(hand, self.hand.len())?);
                self.slabs[slab][holder].next = Some(slot);
                Some(slot as u32)
            }
            Op::TakeBack { within } => {
                let (slab, holder) = self.held(within)?;
                let slot = self.slabs[slab][holder].next.take()?;
                self.hand.push((slab, slot));
                Some(slot as u32)
            }
            Op::CloneStored { within } => {
                let (slab, holder) = self.held(within)?;
                let slot = self.slabs[slab][holder].next?;
                self.gain(slab, slot)
            }
            Op::ById { slab, id } => {
                let id = self.ids[place(id, self.ids.len())?];
                if self.finds(slab, id) { self.gain(slab, id.0 as usize) } else { None }
            }
            Op::FromParts { slab, index, generation } => {
                if self.finds(slab, (index, generation)) {
                    self.gain(slab, index as usize)
                } else {
                    None
                }
            }
            Op::TryGet { slab, index } => {
                let used = self.slabs[slab].get(index as usize)?.refs > 0;
                if used { self.gain(slab, index as usize) } else { None }
            }
        }
    }

    /// The free slot that was chosen; any other free one if none was.
    fn free(&self, slab: usize, chosen: Option<u32>) -> Option<usize> {
        let free = |slot: &usize| self.slabs[slab][*slot].refs == 0;
        let chosen = chosen.map(|chosen| chosen as usize).filter(|&slot| slot < self.slabs[slab].len());
        chosen.filter(free).or_else(|| (0..self.slabs[slab].len()).find(free))
    }
}
