//! References against release, release against reuse, allocators against each other.

use crate::wrong::{
    NoGenerations, RelaxedDecrement, RelaxedStore, TornIncrement, Unlocked, Unwatched, With, Wrong,
};
use crate::{Body, Race, expect, outcome, threads};
use rskq::slab::{Fresh, Id, Ref, Slab, Stable, Store};
use rskq::sync::loom::Loom;
use rskq::sync::model::Fine;
use rskq::sync::{Backend, Cell};
use rskq::{Slot, Storage};
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// In untouched storage, and once the object was retired.
const DEAD: u32 = 0;
const OLD: u32 = 1;
const NEW: u32 = 2;

/// An object with content that nothing but its slot's reference count protects.
struct Thing<B: Backend> {
    content: Cell<u32, B::Canary>,
}

impl<B: Backend> Stable for Thing<B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self { content: Cell::new(DEAD) };

    fn place(&mut self, _index: u32) {
        self.content.place();
    }
}

impl<B: Backend> Thing<B> {
    fn set(&self, content: u32) {
        // SAFETY: the caller is alone with the object, because it has no reference yet or no more;
        // where a control makes that untrue, all threads are one OS thread, and `u32` is copied
        // within one step.
        unsafe { self.content.with_mut(|c| *c = content) }
    }

    fn get(&self) -> u32 {
        // SAFETY: nobody writes while there is a reference; in controls as in `set`.
        unsafe { self.content.with(|c| *c) }
    }
}

struct Things<B: Backend> {
    slab: Slab<'static, Thing<B>, B>,
    retired: AtomicU32,
}

impl<B: Backend> Store<Thing<B>> for Things<B> {
    type Backend = B;

    fn slab(&self) -> &Slab<'_, Thing<B>, B> {
        &self.slab
    }

    fn retire(&self, thing: &Thing<B>) -> Option<u32> {
        self.retired.fetch_add(1, Ordering::Relaxed);
        thing.set(DEAD);
        None
    }
}

type ThingRef<'a, B> = Ref<'a, Thing<B>, Things<B>>;

impl<B: Backend> Things<B> {
    fn new(slots: usize) -> Arc<Self> {
        let slots: Storage<'static, Slot<Thing<B>, B>> = Storage::boxed(slots);
        Arc::new(Self { slab: Slab::new(slots, 0), retired: AtomicU32::new(0) })
    }

    /// Takes a slot, fills it in, publishes it, in this order.
    fn make(&self, content: u32) -> Option<ThingRef<'_, B>> {
        let fresh = Fresh::alloc(self)?;
        fresh.set(content);
        Some(fresh.publish())
    }

    /// Puts a stored reference.
    fn put(&self, stored: u32) {
        // SAFETY: each model stores a reference once, with `into_raw`, and puts it once.
        drop(unsafe { ThingRef::from_raw(self, stored) });
    }

    fn retired(&self) -> u32 {
        self.retired.load(Ordering::Relaxed)
    }

    /// At the end: every slot can be taken once.
    fn check_free_list(&self) {
        let count = self.slab.capacity();
        expect("free", self.slab.available() == count, || "not every slot is free".into());
        let mut held: Vec<_> = (0..count).map_while(|_| self.make(OLD)).collect();
        let mut slots: Vec<_> = held.iter().map(Ref::index).collect();
        slots.sort_unstable();
        let all: Vec<_> = (0..count as u32).collect();
        expect("free", slots == all, || format!("the free list gave {slots:?}"));
        expect("free", self.make(OLD).is_none(), || "the free list gave more than there is".into());
        // A wrong free list could give a slot twice: put each once.
        held.dedup_by_key(|thing| thing.index());
    }
}

/// Looks at an object that was come upon without a lock.
fn look<B: Backend>(found: Option<ThingRef<'_, B>>, expected: &[u32]) {
    let Some(found) = found else { return outcome("none") };
    // If the look is a data race, loom panics: then the reference must not be dropped.
    let found = ManuallyDrop::new(found);
    let content = found.get();
    expect("live", expected.contains(&content), || format!("a reference on {content}"));
    outcome(["dead", "old", "new"][content as usize]);
    drop(ManuallyDrop::into_inner(found));
}

fn increment_against_release<B: Backend>(readers: u8) -> impl Fn() + Send + Sync {
    move || {
        let things = Things::<B>::new(1);
        let stored = things.make(OLD).expect("a slot is free").into_raw();
        let reader = || -> Body {
            let things = Arc::clone(&things);
            Box::new(move || look(ThingRef::try_get(&*things, stored), &[OLD]))
        };
        let releaser = {
            let things = Arc::clone(&things);
            Box::new(move || things.put(stored))
        };
        match readers {
            1 => threads([releaser, reader()]),
            _ => threads([releaser, reader(), reader()]),
        }
        expect("once", things.retired() == 1, || format!("retired {} times", things.retired()));
        expect("gone", ThingRef::try_get(&*things, stored).is_none(), || "a reference after the end".into());
        things.check_free_list();
    }
}

/// 1. T1 drops the last reference: the object is retired, its slot becomes free.
/// 2. T2 (and T3) take a reference unless there is none: they get the live object, and may be the
///    last to drop it, or they get nothing.
/// 3. Whoever was last retired the object, once; from then on there is no reference.
#[test]
fn increment_unless_zero_against_release() {
    for (name, readers) in [
        ("increment_unless_zero_against_release, 2 threads", 1),
        ("increment_unless_zero_against_release, 3 threads", 2),
    ] {
        Race::named(name).explore(increment_against_release::<Loom<Fine>>(readers)).holds(&["none", "old"]);
    }
}

/// The same with an increment in two steps: what was retired between them is revived.
#[test]
fn increment_unless_zero_against_release_control_torn() {
    let race = Race::named("control: load, then add");
    let seen = race.explore(increment_against_release::<Unwatched<TornIncrement>>(1));
    seen.notices("live");
    seen.notices("once");
    let watched = Race::named("control: load, then add, watched");
    watched.races(increment_against_release::<With<Wrong<TornIncrement>>>(1));
}

/// The same with a decrement that orders nothing: T1 retires the object while T2, which dropped its
/// reference first, may still be seen reading it.
#[test]
fn increment_unless_zero_against_release_control_relaxed() {
    type B = With<Wrong<RelaxedDecrement>>;
    Race::named("control: relaxed decrement").races(increment_against_release::<B>(1));
}

/// How T3 makes the new object.
#[derive(Clone, Copy)]
enum Order {
    FillPublish,
    PublishFill,
}

fn make_new<B: Backend>(things: &Things<B>, order: Order) {
    let made = match order {
        Order::FillPublish => things.make(NEW),
        Order::PublishFill => Fresh::alloc(things).map(|fresh| {
            let published = ManuallyDrop::new(fresh.publish());
            published.set(NEW);
            ManuallyDrop::into_inner(published)
        }),
    };
    match made {
        // It stays: only its maker has a reference that is not dropped.
        Some(made) => _ = made.into_raw(),
        None => outcome("no slot yet"),
    }
}

/// T1 runs `reader`; T2 drops the last reference and, with two threads, makes the new object.
fn reuse<B: Backend>(
    threads_in_all: u8,
    order: Order,
    reader: fn(&Things<B>, u32, Id<Thing<B>>),
) -> impl Fn() + Send + Sync {
    move || {
        let things = Things::<B>::new(1);
        let old = things.make(OLD).expect("a slot is free");
        let (id, stored) = (old.id(), old.into_raw());
        let t1 = {
            let things = Arc::clone(&things);
            Box::new(move || reader(&things, stored, id))
        };
        let t2 = {
            let things = Arc::clone(&things);
            Box::new(move || {
                things.put(stored);
                if threads_in_all == 2 {
                    make_new(&things, order);
                }
            })
        };
        if threads_in_all == 2 {
            threads([t1, t2]);
        } else {
            let things = Arc::clone(&things);
            threads([t1, t2, Box::new(move || make_new(&things, order))]);
        }
        expect("once", things.retired() == 1, || format!("retired {} times", things.retired()));
        if let Some(made) = ThingRef::try_get(&*things, stored) {
            expect("id", made.id() != id, || "the new object has the old one's id".into());
            drop(made);
            things.put(stored);
        }
        things.check_free_list();
    }
}

fn by_index<B: Backend>(things: &Things<B>, index: u32, _id: Id<Thing<B>>) {
    look(ThingRef::try_get(things, index), &[OLD, NEW]);
}

fn by_id<B: Backend>(things: &Things<B>, _index: u32, id: Id<Thing<B>>) {
    look(ThingRef::by_id(things, id), &[OLD]);
}

/// 1. T1 has loaded the index of an object.
/// 2. T2 drops the object's last reference: the slot returns to the free list.
/// 3. T3 (T2 itself, with two threads) takes the slot for another object, fills it in, publishes.
/// 4. T1 tries to get a reference: nothing, the old object, or the new one, either of them complete.
#[test]
fn slab_reuse() {
    use Order::FillPublish;
    for (name, threads) in [("slab_reuse, 2 threads", 2), ("slab_reuse, 3 threads", 3)] {
        let seen = Race::named(name).explore(reuse::<Loom<Fine>>(threads, FillPublish, by_index));
        seen.holds(&["new", "no slot yet", "none", "old"]);
    }
}

/// The same, where T1 has the old object's id: it never gets the new object.
#[test]
fn slab_reuse_by_id() {
    use Order::FillPublish;
    for (name, threads) in [("slab_reuse_by_id, 2 threads", 2), ("slab_reuse_by_id, 3 threads", 3)] {
        let seen = Race::named(name).explore(reuse::<Loom<Fine>>(threads, FillPublish, by_id));
        seen.holds(&["no slot yet", "none", "old"]);
    }
}

/// 3 of `slab_reuse` in the wrong order: T1 gets an object that is not filled in.
#[test]
fn slab_reuse_control_publish_before_fill() {
    let race = Race::named("control: publish, then fill in");
    race.races(reuse::<Loom<Fine>>(2, Order::PublishFill, by_index));
}

/// 3 of `slab_reuse` with a store that does not publish.
#[test]
fn slab_reuse_control_relaxed_publish() {
    let race = Race::named("control: relaxed publication");
    race.races(reuse::<With<Wrong<RelaxedStore>>>(2, Order::FillPublish, by_index));
}

/// `slab_reuse_by_id` without generations: the old id names the new object.
#[test]
fn slab_reuse_by_id_control_no_generations() {
    let race = Race::named("control: no generations");
    let seen = race.explore(reuse::<With<Wrong<NoGenerations>>>(2, Order::FillPublish, by_id));
    seen.notices("live");
    seen.notices("id");
}

fn one_free_slot<B: Backend>() {
    let things = Things::<B>::new(2);
    let first = things.make(OLD).expect("two slots are free").into_raw();
    let taken = Arc::new(AtomicU32::new(0));
    let allocator = || -> Body {
        let (things, taken) = (Arc::clone(&things), Arc::clone(&taken));
        Box::new(move || {
            if let Some(fresh) = Fresh::alloc(&*things) {
                taken.fetch_add(1, Ordering::Relaxed);
                // Left to be put at the end: what a wrong free list gave twice is put once.
                let _ = fresh.publish().into_raw();
            }
        })
    };
    threads([allocator(), allocator()]);
    let taken = taken.load(Ordering::Relaxed);
    expect("one", taken == 1, || format!("{taken} got the one slot"));
    things.put(first);
    things.put(1 - first);
    things.check_free_list();
}

/// 1. One slot is free.
/// 2. T1 and T2 each want a slot: one of them gets it, the other gets nothing.
/// 3. All is freed: every slot can be taken again, each once.
#[test]
fn two_allocators_one_free_slot() {
    Race::named("two_allocators_one_free_slot").explore(one_free_slot::<Loom<Fine>>).holds(&[]);
}

/// The same without the free list's lock: nothing orders what the two do to the list.
#[test]
fn two_allocators_one_free_slot_control_no_lock() {
    Race::named("control: free list without its lock").races(one_free_slot::<Unlocked>);
}

fn alloc_and_free<B: Backend>(threads_in_all: u8) -> impl Fn() + Send + Sync {
    move || {
        let things = Things::<B>::new(1);
        let user = |content| -> Body {
            let things = Arc::clone(&things);
            Box::new(move || match things.make(content) {
                Some(made) => look(Some(made), &[content]),
                None => outcome("full"),
            })
        };
        match threads_in_all {
            2 => threads([user(OLD), user(NEW)]),
            _ => threads([user(OLD), user(NEW), user(OLD)]),
        }
        things.check_free_list();
    }
}

/// 1. T1 takes the only slot, fills it in, publishes, drops the reference.
/// 2. T2 (and T3) do the same meanwhile: each has the slot alone, or finds the slab full.
#[test]
fn allocators_take_turns() {
    for (name, threads) in [("allocators_take_turns, 2 threads", 2), ("allocators_take_turns, 3 threads", 3)]
    {
        Race::named(name).explore(alloc_and_free::<Loom<Fine>>(threads)).holds(&["full", "new", "old"]);
    }
}

/// `allocators_take_turns` without the free list's lock.
#[test]
fn allocators_take_turns_control_no_lock() {
    Race::named("control: turns without the lock").races(alloc_and_free::<Unlocked>(2));
}
