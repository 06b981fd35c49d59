//! Slots, references and ids, on one thread.

use super::{Fresh, Id, Ref, Slab, Slot, Stable, Store};
use crate::testing::{B, vacant};
use core::sync::atomic::{AtomicU32, Ordering};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::vec::Vec;

/// Knows its slot, and counts how often it was retired.
struct Thing {
    index: u32,
    retired: AtomicU32,
}

impl Stable for Thing {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Thing { index: u32::MAX, retired: AtomicU32::new(0) };

    fn place(&mut self, index: u32) {
        self.index = index;
    }
}

impl Thing {
    fn retired(&self) -> u32 {
        self.retired.load(Ordering::Relaxed)
    }
}

struct Things<'s>(Slab<'s, Thing, B>);

impl Store<Thing> for Things<'_> {
    type Backend = B;

    fn slab(&self) -> &Slab<'_, Thing, B> {
        &self.0
    }

    fn retire(&self, thing: &Thing) -> Option<u32> {
        thing.retired.fetch_add(1, Ordering::Relaxed);
        None
    }
}

type ThingRef<'a, 's> = Ref<'a, Thing, Things<'s>>;

fn memory(slots: usize) -> Vec<Slot<Thing, B>> {
    vacant(slots)
}

fn things(memory: &mut [Slot<Thing, B>]) -> Things<'_> {
    Things(Slab::new(memory, 0))
}

impl<'s> Things<'s> {
    fn take(&self) -> Option<ThingRef<'_, 's>> {
        Some(Fresh::alloc(self)?.publish())
    }

    fn retired(&self, index: u32) -> u32 {
        self.0.get(index).map_or(0, Thing::retired)
    }
}

#[test]
fn a_full_slab_gives_none_and_always_knows_what_is_free() {
    let mut memory = memory(3);
    let things = things(&mut memory);
    assert_eq!((things.0.capacity(), things.0.available()), (3, 3));
    let mut held = Vec::new();
    for free in (0..3).rev() {
        held.push(things.take().unwrap());
        assert_eq!(things.0.available(), free);
    }
    assert!(things.take().is_none());
    assert_eq!(things.0.available(), 0);
    let mut slots: Vec<_> = held.iter().map(|thing| thing.index).collect();
    slots.sort_unstable();
    assert_eq!(slots, [0, 1, 2]);
    let freed = held.swap_remove(1).index;
    assert_eq!(things.0.available(), 1);
    assert_eq!(things.take().map(|thing| thing.index), Some(freed));
}

#[test]
fn a_slot_that_was_not_published_is_given_back_without_being_retired() {
    let mut memory = memory(1);
    let things = things(&mut memory);
    let fresh = Fresh::<Thing, _>::alloc(&things).unwrap();
    let index = fresh.index;
    assert_eq!(things.0.available(), 0);
    assert!(ThingRef::try_get(&things, index).is_none());
    drop(fresh);
    assert_eq!((things.0.available(), things.retired(index)), (1, 0));
}

#[test]
fn the_last_reference_retires_once() {
    let mut memory = memory(1);
    let things = things(&mut memory);
    let first = things.take().unwrap();
    let second = first.clone();
    let third = ThingRef::try_get(&things, 0).unwrap();
    drop(first);
    drop(third);
    assert_eq!((things.retired(0), things.0.available()), (0, 0));
    drop(second);
    assert_eq!((things.retired(0), things.0.available()), (1, 1));
    drop(things.take());
    assert_eq!(things.retired(0), 2);
}

#[test]
fn a_free_slot_gives_no_reference() {
    let mut memory = memory(2);
    let things = things(&mut memory);
    assert!(ThingRef::try_get(&things, 0).is_none());
    drop(things.take());
    // Twice: to have failed once changes nothing.
    for index in [0, 1, 2, super::NONE, 0, 1] {
        assert!(ThingRef::try_get(&things, index).is_none());
    }
    assert_eq!(things.0.available(), 2);
}

#[test]
fn an_id_is_stale_once_its_object_is_gone_and_when_the_slot_is_reused() {
    let mut memory = memory(1);
    let things = things(&mut memory);
    let thing = things.take().unwrap();
    let id = thing.id();
    assert!(ThingRef::by_id(&things, id).is_some());
    drop(thing);
    assert!(ThingRef::by_id(&things, id).is_none());
    let other = things.take().unwrap();
    assert_eq!(other.id().index(), id.index());
    assert_ne!(other.id(), id);
    assert!(ThingRef::by_id(&things, id).is_none());
    // Asking with the stale id left no reference behind.
    drop(other);
    assert_eq!(things.0.available(), 1);
}

#[test]
fn ids_that_were_never_given_out_are_stale() {
    let mut memory = memory(2);
    let things = things(&mut memory);
    let thing = things.take().unwrap();
    let (index, generation) = (thing.id().index(), thing.id().generation());
    let known = Id::from_parts(index, generation);
    assert_eq!(ThingRef::by_id(&things, known).map(|found| found.index), Some(index));
    for foreign in [
        Id::from_parts(index, generation.wrapping_add(1)),
        Id::from_parts(index, generation.wrapping_sub(1)),
        Id::from_parts(1 - index, generation),
        Id::from_parts(2, 0),
        Id::from_parts(super::NONE, super::NONE),
    ] {
        assert!(ThingRef::by_id(&things, foreign).is_none(), "{foreign:?}");
    }
}

#[test]
fn a_stored_reference_is_one_reference() {
    let mut memory = memory(1);
    let things = things(&mut memory);
    let stored = things.take().unwrap().into_raw();
    assert_eq!((things.retired(stored), things.0.available()), (0, 0));
    // SAFETY: `stored` comes from `into_raw` and is taken back once.
    let back = unsafe { ThingRef::from_raw(&things, stored) };
    assert_eq!(back.index(), stored);
    drop(back);
    assert_eq!((things.retired(stored), things.0.available()), (1, 1));
}

#[test]
fn a_slab_without_slots_is_full() {
    let things = things(&mut []);
    assert_eq!((things.0.capacity(), things.0.available()), (0, 0));
    assert!(things.take().is_none());
    assert!(ThingRef::try_get(&things, 0).is_none());
    assert!(ThingRef::by_id(&things, Id::from_parts(0, 0)).is_none());
}

#[test]
fn memory_that_comes_from_another_slab_is_fresh() {
    let mut memory = memory(2);
    {
        let things = things(&mut memory);
        let _ = things.take().unwrap().into_raw();
        drop(things.take());
        assert_eq!(things.0.available(), 1);
    }
    let things = things(&mut memory);
    assert_eq!(things.0.available(), 2);
    assert_eq!((things.retired(0), things.retired(1)), (0, 0));
    assert!(ThingRef::try_get(&things, 0).is_none());
}

const SLOTS: usize = 3;

#[derive(Clone, Debug)]
enum Op {
    Alloc,
    AllocUnpublished,
    Clone(prop::sample::Index),
    Drop(prop::sample::Index),
    StoreAndTakeBack(prop::sample::Index),
    ById(prop::sample::Index),
}

fn op() -> impl Strategy<Value = Op> {
    let any = any::<prop::sample::Index>;
    prop_oneof![
        3 => Just(Op::Alloc),
        1 => Just(Op::AllocUnpublished),
        2 => any().prop_map(Op::Clone),
        4 => any().prop_map(Op::Drop),
        1 => any().prop_map(Op::StoreAndTakeBack),
        2 => any().prop_map(Op::ById),
    ]
}

proptest! {
    #[test]
    fn references_and_ids_agree_with_a_map(ops in prop::collection::vec(op(), 1..80)) {
        let mut memory = memory(SLOTS);
        let things = things(&mut memory);
        let mut held: Vec<ThingRef<'_, '_>> = Vec::new();
        let mut given_out: Vec<Id<Thing>> = Vec::new();
        let mut retired = 0;
        // References by slot and generation.
        let mut reference: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        let key = |id: Id<Thing>| (id.index(), id.generation());
        for op in ops {
            match op {
                Op::Alloc => match things.take() {
                    Some(thing) => {
                        prop_assert!(!given_out.contains(&thing.id()));
                        prop_assert_eq!(reference.insert(key(thing.id()), 1), None);
                        given_out.push(thing.id());
                        held.push(thing);
                    }
                    None => prop_assert_eq!(reference.len(), SLOTS),
                },
                Op::AllocUnpublished => {
                    prop_assert_eq!(Fresh::<Thing, _>::alloc(&things).is_some(), reference.len() < SLOTS);
                }
                Op::Clone(which) if !held.is_empty() => {
                    let clone = which.get(&held).clone();
                    *reference.get_mut(&key(clone.id())).unwrap() += 1;
                    held.push(clone);
                }
                Op::Drop(which) if !held.is_empty() => {
                    let dropped = held.swap_remove(which.index(held.len()));
                    let left = reference.get_mut(&key(dropped.id())).unwrap();
                    *left -= 1;
                    if *left == 0 {
                        reference.remove(&key(dropped.id()));
                        retired += 1;
                    }
                }
                Op::StoreAndTakeBack(which) if !held.is_empty() => {
                    let stored = held.swap_remove(which.index(held.len())).into_raw();
                    // SAFETY: `stored` comes from `into_raw` and is taken back once.
                    held.push(unsafe { ThingRef::from_raw(&things, stored) });
                }
                Op::ById(which) if !given_out.is_empty() => {
                    let id = *which.get(&given_out);
                    let found = ThingRef::by_id(&things, id);
                    prop_assert_eq!(found.is_some(), reference.contains_key(&key(id)));
                    prop_assert!(found.is_none_or(|found| found.id() == id && found.index == id.index()));
                }
                _ => {}
            }
            prop_assert_eq!(things.0.available(), SLOTS - reference.len());
            let total: u32 = (0..SLOTS as u32).map(|index| things.retired(index)).sum();
            prop_assert_eq!(total, retired);
            prop_assert_eq!(held.len() as u32, reference.values().sum::<u32>());
        }
        drop(held);
        prop_assert_eq!(things.0.available(), SLOTS);
    }
}

/// What is boxed goes with its storage, what is lent does not.
#[test]
fn storage_drops_what_is_its_own() {
    use super::{Storage, Vacant};
    static DROPPED: AtomicU32 = AtomicU32::new(0);
    struct Element;
    impl Vacant for Element {
        const VACANT: Self = Element;
    }
    impl Drop for Element {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
    let mut lent = [Element, Element];
    drop(Storage::from(&mut lent));
    assert_eq!(DROPPED.load(Ordering::Relaxed), 0);
    #[cfg(feature = "alloc")]
    {
        drop(Storage::<Element>::boxed(3));
        assert_eq!(DROPPED.load(Ordering::Relaxed), 3);
    }
}

/// Ids are keys of the embedder's own tables: what differs is told to the hasher.
#[test]
fn an_id_is_hashed_and_shown_by_its_parts() {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    let hashes = |parts: [u32; 2]| {
        let id = Id::<Thing>::from_parts(parts[0], parts[1]);
        BuildHasherDefault::<DefaultHasher>::default().hash_one(id)
    };
    assert_eq!(hashes([1, 2]), hashes([1, 2]));
    assert_ne!(hashes([1, 2]), hashes([2, 2]));
    assert_ne!(hashes([1, 2]), hashes([1, 3]));
    assert_eq!(std::format!("{:?}", Id::<Thing>::from_parts(1, 2)), "1v2");
}
