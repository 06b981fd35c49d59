//! Rooms below the stack that an embedder may use by themselves: classed mutexes and slabs.

use crate::memory::Backend;
use crate::sys::{expect, must};
use rskq::lockdep::{Mutex, order};
use rskq::slab::{Fresh, Ref, Slab, Slot, Stable, Store};

pub(super) fn run() {
    mutexes();
    slabs();
}

fn mutexes() {
    let mut low = Mutex::<u32, order::Rskq, Backend>::new(0);
    let mut high = Mutex::<u32, order::Rskq, Backend>::new(0);
    *low.place(1) = 10;
    *high.place(2) = 20;
    for _ in 0..2 {
        let (mut first, mut second) = must(low.lock_pair(&high).ok_or(()), "lock_pair: two locks");
        core::mem::swap(&mut *first, &mut *second);
    }
    {
        let (first, second) = must(high.lock_pair(&low).ok_or(()), "lock_pair: in the other order");
        expect((*first, *second) == (20, 10), "lock_pair: guards in the order of the arguments");
    }
    expect(low.lock_pair(&low).is_none(), "lock_pair: one lock is no pair");
    *low.lock() += 1;
    expect(*low.get_mut() == 11 && *high.lock() == 20, "lock: what it protects");
}

/// An object of the embedder's own: it knows its slot.
struct Placed(u32);

impl Stable for Placed {
    const INIT: Self = Placed(u32::MAX);
    fn place(&mut self, index: u32) {
        self.0 = index;
    }
}

/// A store of such objects, which have nothing to let go of.
struct Placeds<'s>(Slab<'s, Placed, Backend>);

impl Store<Placed> for Placeds<'_> {
    type Backend = Backend;
    fn slab(&self) -> &Slab<'_, Placed, Backend> {
        &self.0
    }
    fn retire(&self, _: &Placed) {}
}

fn slabs() {
    let mut slots = [const { Slot::<Placed, Backend>::new() }; 2];
    let store = Placeds(Slab::new(&mut slots, 9));
    let slab = &store.0;
    let alloc = || Fresh::<Placed, _>::alloc(&store);
    expect(slab.capacity() == 2 && slab.available() == 2, "slab: all are free");
    let first = must(alloc().ok_or(()), "slab: the first");
    let second = must(alloc().ok_or(()), "slab: the second");
    expect(first.0 != second.0 && alloc().is_none() && slab.available() == 0, "slab: full");
    drop(first);
    expect(slab.available() == 1, "slab: what is not published comes back");
    let second = second.publish();
    let id = second.id();
    expect(Ref::by_id(&store, id).is_some(), "slab: what is published is found by its id");
    drop(second);
    expect(Ref::by_id(&store, id).is_none() && slab.available() == 2, "slab: until it is put");
}
