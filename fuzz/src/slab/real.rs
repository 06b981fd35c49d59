//! Two slabs of things that may store a reference to another thing.

use super::model::Model;
use super::{Fault, Op, SLOTS, place};
use rskq::DefaultBackend;
use rskq::Storage;
use rskq::slab::{Fresh, Id, Ref, Slab, Stable, Store};
use std::mem;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

const NONE: u32 = u32::MAX;

/// Knows its slot, how often it was retired, and what it stores.
pub(super) struct Thing {
    index: u32,
    retired: AtomicU32,
    next: AtomicU32,
}

impl Stable for Thing {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Thing { index: NONE, retired: AtomicU32::new(0), next: AtomicU32::new(NONE) };

    fn place(&mut self, index: u32) {
        self.index = index;
    }
}

impl Thing {
    fn take_next(&self) -> Option<u32> {
        Some(self.next.swap(NONE, Relaxed)).filter(|&next| next != NONE)
    }
}

/// Where things live.
pub(super) struct Things {
    slab: Slab<'static, Thing, DefaultBackend>,
    retired: AtomicU32,
    fault: Option<Fault>,
}

impl Things {
    pub(super) fn new(slots: usize, fault: Option<Fault>) -> Self {
        Self { slab: Slab::new(Storage::boxed(slots), 0), retired: AtomicU32::new(0), fault }
    }
}

impl Store<Thing> for Things {
    type Backend = DefaultBackend;

    fn slab(&self) -> &Slab<'_, Thing, DefaultBackend> {
        &self.slab
    }

    fn retire(&self, thing: &Thing) -> Option<u32> {
        thing.retired.fetch_add(1, Relaxed);
        self.retired.fetch_add(1, Relaxed);
        thing.take_next().filter(|_| self.fault != Some(Fault::ChainKept))
    }
}

type ThingRef<'a> = Ref<'a, Thing, Things>;

/// References to things of two slabs.
pub(super) struct Slabs<'a> {
    things: &'a [Things; 2],
    /// With its slab.
    hand: Vec<(usize, ThingRef<'a>)>,
    ids: Vec<Id<Thing>>,
    fault: Option<Fault>,
}

impl<'a> Slabs<'a> {
    pub(super) fn new(things: &'a [Things; 2], fault: Option<Fault>) -> Self {
        Self { things, hand: Vec::new(), ids: Vec::new(), fault }
    }

    fn gain(&mut self, slab: usize, thing: Option<ThingRef<'a>>) -> Option<u32> {
        let thing = thing?;
        assert_eq!(thing.index, thing.index(), "a thing is in its slot");
        let index = thing.index();
        self.hand.push((slab, thing));
        Some(index)
    }

    fn by_id(&self, slab: usize, id: Id<Thing>) -> Option<ThingRef<'a>> {
        if self.fault == Some(Fault::GenerationIgnored) {
            return ThingRef::try_get(&self.things[slab], id.index());
        }
        let thing = ThingRef::by_id(&self.things[slab], id)?;
        assert_eq!(thing.id(), id);
        Some(thing)
    }

    fn held(&self, hand: usize) -> Option<&(usize, ThingRef<'a>)> {
        self.hand.get(place(hand, self.hand.len())?)
    }

    pub(super) fn apply(&mut self, op: Op) -> Option<u32> {
        match op {
            Op::Alloc { slab } => {
                let thing = Fresh::<Thing, _>::alloc(&self.things[slab])?.publish();
                self.ids.push(thing.id());
                self.gain(slab, Some(thing))
            }
            Op::AllocUnpublished { slab } => {
                let fresh = Fresh::<Thing, _>::alloc(&self.things[slab])?;
                let index = fresh.index;
                assert!(ThingRef::try_get(&self.things[slab], index).is_none(), "it is not published");
                if self.fault == Some(Fault::FreshLeaked) {
                    mem::forget(fresh);
                }
                Some(index)
            }
            Op::Clone { hand } => {
                let &(slab, ref thing) = self.held(hand)?;
                let thing = thing.clone();
                self.gain(slab, Some(thing))
            }
            Op::Put { hand } => {
                let (_, thing) = self.hand.swap_remove(place(hand, self.hand.len())?);
                let index = thing.index();
                if self.fault == Some(Fault::ReferenceLeaked) {
                    mem::forget(thing);
                }
                Some(index)
            }
            Op::Store { hand, within } => {
                if !self.may_store(hand, within) {
                    return None;
                }
                let holder = self.held(within)?.1.index();
                let (slab, thing) = self.hand.swap_remove(place(hand, self.hand.len())?);
                let index = thing.into_raw();
                let holder = ThingRef::try_get(&self.things[slab], holder)?;
                assert_eq!(holder.next.swap(index, Relaxed), NONE);
                Some(index)
            }
            Op::TakeBack { within } => {
                let &(slab, ref holder) = self.held(within)?;
                let index = holder.take_next()?;
                // SAFETY: `Store` stored it by `into_raw`, and it is stored no longer.
                let thing = unsafe { ThingRef::from_raw(&self.things[slab], index) };
                self.gain(slab, Some(thing))
            }
            Op::CloneStored { within } => {
                let &(slab, ref holder) = self.held(within)?;
                let index = Some(holder.next.load(Relaxed)).filter(|&next| next != NONE)?;
                // SAFETY: `Store` stored it by `into_raw`, and it stays stored.
                let thing = unsafe { ThingRef::clone_raw(&self.things[slab], index) };
                self.gain(slab, Some(thing))
            }
            Op::ById { slab, id } => {
                let id = *self.ids.get(place(id, self.ids.len())?)?;
                let thing = self.by_id(slab, id);
                self.gain(slab, thing)
            }
            Op::FromParts { slab, index, generation } => {
                let thing = self.by_id(slab, Id::from_parts(index, generation));
                self.gain(slab, thing)
            }
            Op::TryGet { slab, index } => {
                let thing = ThingRef::try_get(&self.things[slab], index);
                self.gain(slab, thing)
            }
        }
    }

    /// Tells whether a reference may be stored: in an object of its slab that it does not lead to.
    fn may_store(&self, hand: usize, within: usize) -> bool {
        let (Some((slab, thing)), Some((other, holder))) = (self.held(hand), self.held(within)) else {
            return false;
        };
        let mut next = thing.index();
        while next != NONE && next != holder.index() {
            next =
                ThingRef::try_get(&self.things[*slab], next).map_or(NONE, |thing| thing.next.load(Relaxed));
        }
        slab == other && holder.next.load(Relaxed) == NONE && next == NONE
    }

    /// Compares what can be seen of the slabs with what ought to be.
    pub(super) fn compare(&self, model: &Model) {
        for (index, things) in self.things.iter().enumerate() {
            assert_eq!(things.slab.available(), model.available(index), "free slots of slab {index}");
            assert_eq!(things.retired.load(Relaxed), model.retired(index), "retired of slab {index}");
        }
    }

    /// Looks every id up, puts every reference, and looks them up again.
    pub(super) fn empty(mut self, model: &mut Model) {
        self.look_up(model);
        while self.apply(Op::Put { hand: 0 }).is_some() {
            assert!(model.apply(Op::Put { hand: 0 }, None).is_some());
            self.compare(model);
        }
        self.look_up(model);
        for (things, slots) in self.things.iter().zip(SLOTS) {
            assert_eq!(things.slab.available(), slots, "all is free");
        }
    }

    fn look_up(&self, model: &Model) {
        for (&id, &expected) in self.ids.iter().zip(model.ids()) {
            assert_eq!((id.index(), id.generation()), expected);
            for slab in 0..2 {
                assert_eq!(
                    self.by_id(slab, id).is_some(),
                    model.finds(slab, expected),
                    "{id:?} of slab {slab}"
                );
            }
        }
    }
}
