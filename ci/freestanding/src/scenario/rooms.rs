//! Rooms below the stack that an embedder may use by themselves: classed mutexes and slabs.

use crate::memory::Backend;
use crate::sys::{expect, must};
use rskq::lockdep::{Held, Mutex, order};
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
    // SAFETY: the image has one context, and no lock of the stack is held here.
    let mut held = unsafe { Held::nothing() };
    for _ in 0..2 {
        let pair = low.lock_pair(&high, &mut held).ok_or(());
        let (mut first, mut second) = must(pair, "lock_pair: two locks");
        core::mem::swap(&mut *first, &mut *second);
    }
    {
        let pair = high.lock_pair(&low, &mut held).ok_or(());
        let (first, second) = must(pair, "lock_pair: in the other order");
        expect((*first, *second) == (20, 10), "lock_pair: guards in the order of the arguments");
    }
    expect(low.lock_pair(&low, &mut held).is_none(), "lock_pair: one lock is no pair");
    *low.lock(&mut held) += 1;
    let inner = Mutex::<u32, order::FastOpen, Backend>::new(5);
    {
        let (outer, mut held) = high.lock_and(&mut held);
        expect(*outer == 20 && *inner.lock(&mut held) == 5, "lock: one in the other, by the order");
        let innermost = Mutex::<u32, order::Slab, Backend>::new(6);
        let mut held = held.at::<order::FastOpen>();
        expect(*innermost.lock(&mut held.reborrow()) == 6, "at: as if more were held");
    }
    expect(*low.get_mut() == 11 && *high.lock(&mut held) == 20, "lock: what it protects");
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
    fn retire(&self, _: &Placed) -> Option<u32> {
        None
    }
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
