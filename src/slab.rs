//! Type-stable storage, counted handles, generation-checked ids.
//!
//! A [`Slot`] always holds an object of its type, from the moment the embedder hands the storage
//! over until the stack is gone. A reader may therefore come to a slot by an index it loaded
//! without a lock, take a reference with [`Ref::try_get`], which fails when the count is zero, and
//! then check that it is still the object it looked for. That takes the place of RCU.
//!
//! 1. T1 loads index 3 from `socks[]`.
//! 2. T2 drops the last reference: slot 3 returns to the free list.
//! 3. T3 takes slot 3 for another listener, fills it in, and publishes it.
//! 4. T1 calls `Ref::try_get(3)`: between 2 and 3 it fails; after 3 it gets the *new* listener, complete,
//!    and finds by generation, group or state that it is not the one it came for.
//!
//! The model of this schedule is `slab_reuse`.

mod id;
mod storage;
#[cfg(all(test, feature = "spin"))]
mod tests;

pub use id::Id;
pub use storage::{Storage, Vacant};

use crate::lockdep::{Mutex, order};
use crate::sync::{AtomicU32, Backend, Fault};
use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::Ordering;

/// An object that lives in a [`Slab`].
pub trait Stable: Send + Sync {
    /// The object in untouched storage.
    const INIT: Self;
    /// Tells the object its slot, before it is shared.
    fn place(&mut self, index: u32);
}

/// Room for one object of a slab.
pub struct Slot<T, B: Backend> {
    refs: B::Count,
    generation: B::Count,
    next_free: B::Stat,
    value: T,
}

impl<T: Stable, B: Backend> Slot<T, B> {
    /// An empty slot, for statics and arrays.
    #[allow(clippy::new_without_default)] // `const { Slot::new() }` is how arrays are made
    pub const fn new() -> Self {
        Self { refs: B::Count::ZERO, generation: B::Count::ZERO, next_free: B::Stat::ZERO, value: T::INIT }
    }
}

impl<T: Stable, B: Backend> Vacant for Slot<T, B> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const VACANT: Self = Slot::new();
}

/// "No slot", where an index is stored. Slabs are at most this long.
pub(crate) const NONE: u32 = u32::MAX;

struct FreeList {
    head: u32,
    len: u32,
}

/// Slots of one type, of which some are in use.
pub struct Slab<'s, T, B: Backend> {
    slots: Storage<'s, Slot<T, B>>,
    free: Mutex<FreeList, order::Slab, B>,
}

impl<'s, T: Stable, B: Backend> Slab<'s, T, B> {
    /// Makes a slab of `slots`; `key` tells its lock from other slabs' in reports.
    ///
    /// Of more than 2^31 - 1 slots the rest is not used: an index and a tag share 32 bits.
    pub fn new(slots: impl Into<Storage<'s, Slot<T, B>>>, key: u32) -> Self {
        let mut slots = slots.into();
        let count = slots.len().min(i32::MAX as usize) as u32;
        for (index, slot) in (0..count).zip(slots.iter_mut()) {
            // Whatever another stack left in this memory, links above all, points into nowhere.
            *slot = Slot::new();
            slot.refs.place(0);
            slot.generation.place(0);
            slot.next_free.place(if index + 1 < count { index + 1 } else { NONE });
            slot.value.place(index);
        }
        let head = if count == 0 { NONE } else { 0 };
        let mut free = Mutex::new(FreeList { head, len: count });
        free.place(key);
        Self { slots, free }
    }

    /// Returns how many slots the slab has. O(1).
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.len().min(i32::MAX as usize)
    }

    /// Returns how many slots are free. O(1); takes the slab's lock, the innermost.
    #[must_use]
    pub fn available(&self) -> usize {
        self.free.lock_innermost().len as usize
    }

    fn slot(&self, index: u32) -> Option<&Slot<T, B>> {
        self.slots.get(index as usize)
    }

    /// Returns the object at `index`, in use or not.
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.slot(index).map(|slot| &slot.value)
    }

    /// Takes a slot off the free list. O(1).
    fn take(&self) -> Option<u32> {
        let mut free = self.free.lock_innermost();
        let index = free.head;
        let slot = self.slot(index)?;
        free.head = slot.next_free.load(Ordering::Relaxed);
        free.len -= 1;
        Some(index)
    }

    fn free(&self, index: u32) {
        let Some(slot) = self.slot(index) else { return };
        // Ids of the object that was here are stale from now on.
        slot.generation.bump();
        let mut free = self.free.lock_innermost();
        slot.next_free.store(free.head, Ordering::Relaxed);
        free.head = index;
        free.len += 1;
    }

    /// Returns the id of the object at `index` now.
    #[inline]
    pub(crate) fn id_at(&self, index: u32) -> Id<T> {
        let generation = self.slot(index).map_or(0, |slot| slot.generation.load(Ordering::Acquire));
        Id { index, generation, object: PhantomData }
    }

    /// Adds a reference to the object at `index` unless it has none, in which case there is none.
    ///
    /// Whether it is the object that the caller looked for is the caller's to check. O(1), no lock.
    #[inline]
    fn inc(&self, index: u32) -> bool {
        self.slot(index).is_some_and(|slot| match B::planted(Fault::IncFromZero) {
            true => slot.refs.fetch_add(1, Ordering::Acquire) != u32::MAX,
            false => slot.refs.inc_unless_zero(),
        })
    }

    /// Drops a reference; returns whether it was the last.
    #[inline]
    fn dec(&self, index: u32) -> bool {
        // Release what this holder did; the last one acquires what all did.
        self.slot(index).is_some_and(|slot| slot.refs.fetch_sub(1, Ordering::AcqRel) == 1)
    }

    /// Tells whether the reference that the caller knows of is the only one on a slot.
    pub(crate) fn is_unique(&self, index: u32) -> bool {
        self.slot(index).is_some_and(|slot| slot.refs.load(Ordering::Acquire) == 1)
    }

    /// Drops a reference, as [`dec`](Self::dec), for a design that may have none; `None` if there is none.
    #[cfg(feature = "designs")]
    fn dec_as_posted(&self, index: u32) -> Option<bool> {
        let slot = self.slot(index)?;
        loop {
            match slot.refs.peek() {
                0 => return None,
                1 => {
                    if slot.refs.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                        return Some(true);
                    }
                }
                _ => return Some(slot.refs.fetch_sub(1, Ordering::AcqRel) == 1),
            }
        }
    }

    /// Tells whether the object at `index` has more than one reference.
    #[cfg(feature = "designs")]
    pub(crate) fn is_shared(&self, index: u32) -> bool {
        self.slot(index).is_some_and(|slot| slot.refs.peek() > 1)
    }

    /// Returns the number of references on a slot, for checkers.
    #[cfg(feature = "alloc")]
    pub(crate) fn refs(&self, index: u32) -> u32 {
        self.slot(index).map_or(0, |slot| slot.refs.peek())
    }

    /// Returns how many slots are free, without taking the lock, for checkers.
    ///
    /// # Safety
    ///
    /// Nobody may take or free a slot meanwhile.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn peek_available(&self) -> u32 {
        // SAFETY: nobody changes the list, by the caller's contract.
        unsafe { self.free.peek(|free| free.len) }
    }

    /// Returns the objects in order of their slots, in use or not, for checkers.
    #[cfg(feature = "alloc")]
    pub(crate) fn objects(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().map(|slot| &slot.value)
    }
}

/// Where objects of type `T` live, and what has to happen when one is no longer referenced.
pub trait Store<T: Stable> {
    /// The back end.
    type Backend: Backend;
    /// Returns the slab.
    fn slab(&self) -> &Slab<'_, T, Self::Backend>;
    /// Lets go of what `object` holds; its last reference is gone and nobody can take a new one.
    ///
    /// If that includes a stored reference to another object of the same slab, it is returned and put
    /// next: a chain of any length takes no more stack than one object.
    fn retire(&self, object: &T) -> Option<u32>;
}

/// A slot that was taken and is not published yet. Dropping it gives it back.
#[must_use]
pub struct Fresh<'a, T: Stable, S: Store<T>> {
    store: &'a S,
    index: u32,
    object: PhantomData<fn() -> T>,
}

impl<'a, T: Stable, S: Store<T>> Fresh<'a, T, S> {
    /// Takes a free slot, or returns `None` if all are in use. O(1); takes the slab's lock.
    ///
    /// The slot has no references until [`publish`](Self::publish), so no reader can come upon an
    /// object that is not filled in yet.
    pub fn alloc(store: &'a S) -> Option<Self> {
        if S::Backend::planted(Fault::NoRoom) {
            return None;
        }
        let index = store.slab().take()?;
        Some(Fresh { store, index, object: PhantomData })
    }

    /// Publishes the object with one reference, the returned one.
    pub fn publish(self) -> Ref<'a, T, S> {
        let Fresh { store, index, object } = *core::mem::ManuallyDrop::new(self);
        if let Some(slot) = store.slab().slot(index) {
            // Release: who gets a reference sees the object filled in.
            slot.refs.store(1, Ordering::Release);
        }
        Ref { store, index, object }
    }
}

impl<T: Stable, S: Store<T>> Deref for Fresh<'_, T, S> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.store.slab().slots[self.index as usize].value
    }
}

impl<T: Stable, S: Store<T>> Drop for Fresh<'_, T, S> {
    fn drop(&mut self) {
        if !S::Backend::planted(Fault::FreshSlotLeaked) {
            self.store.slab().free(self.index);
        }
    }
}

/// A counted reference to an object of a slab.
///
/// Dropping the last one retires the object, which may take `Reuseport` and `Slab`: not to be
/// dropped under an inner lock unless another reference is known to remain.
#[must_use]
pub struct Ref<'a, T: Stable, S: Store<T>> {
    store: &'a S,
    index: u32,
    object: PhantomData<fn() -> T>,
}

impl<'a, T: Stable, S: Store<T>> Ref<'a, T, S> {
    /// Takes a reference to the object at `index` unless it has none. (Linux: `refcount_inc_not_zero`.)
    #[inline]
    pub fn try_get(store: &'a S, index: u32) -> Option<Self> {
        // Made only once it is counted: dropping it counts down.
        store.slab().inc(index).then(|| Ref { store, index, object: PhantomData })
    }

    /// Takes a reference to the object that `id` names, unless it is gone.
    #[inline]
    pub fn by_id(store: &'a S, id: Id<T>) -> Option<Self> {
        let found = Self::try_get(store, id.index)?;
        (found.id() == id || S::Backend::planted(Fault::GenerationNotChecked)).then_some(found)
    }

    /// Takes one more reference to an object to which one is stored.
    ///
    /// # Safety
    ///
    /// `index` must come from [`into_raw`](Self::into_raw) of the same store and type, and nobody may
    /// take that reference back meanwhile.
    #[inline]
    pub unsafe fn clone_raw(store: &'a S, index: u32) -> Self {
        Self::clone(&core::mem::ManuallyDrop::new(Ref { store, index, object: PhantomData }))
    }

    /// Turns the reference into an index to be stored; the reference lives on in it.
    #[inline]
    #[must_use]
    pub fn into_raw(self) -> u32 {
        let index = self.index;
        core::mem::forget(self);
        index
    }

    /// Takes back a stored reference.
    ///
    /// # Safety
    ///
    /// `index` must come from [`into_raw`](Self::into_raw) of the same store and type, and nobody
    /// else may take it back: the reference that was stored is this one.
    #[inline]
    pub unsafe fn from_raw(store: &'a S, index: u32) -> Self {
        Ref { store, index, object: PhantomData }
    }

    /// Drops a reference as a design does that may have none to drop; tells whether there was one.
    ///
    /// The count never goes below zero, so that whatever else the design does to an object that is gone,
    /// its slot is freed once for each life.
    #[cfg(feature = "designs")]
    pub(crate) fn put_as_posted(store: &'a S, index: u32) -> bool {
        let slab = store.slab();
        let last = slab.dec_as_posted(index);
        if last == Some(true) {
            let next = store.retire(&slab.slots[index as usize].value);
            slab.free(index);
            // Made only to be dropped: the reference that the retired object stored.
            next.map(|index| Ref { store, index, object: PhantomData });
        }
        last.is_some()
    }

    /// Returns the object's slot.
    #[inline]
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Returns the object's id, which no other object of this slab gets before 2^32 reuses of the slot.
    #[inline]
    #[must_use]
    pub fn id(&self) -> Id<T> {
        self.store.slab().id_at(self.index)
    }
}

impl<T: Stable, S: Store<T>> Clone for Ref<'_, T, S> {
    #[inline]
    fn clone(&self) -> Self {
        if let Some(slot) = self.store.slab().slot(self.index) {
            // Relaxed: there is a reference already, so nothing can be retired meanwhile.
            slot.refs.fetch_add(1, Ordering::Relaxed);
        }
        Ref { store: self.store, index: self.index, object: PhantomData }
    }
}

impl<T: Stable, S: Store<T>> Deref for Ref<'_, T, S> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.store.slab().slots[self.index as usize].value
    }
}

impl<T: Stable, S: Store<T>> Drop for Ref<'_, T, S> {
    #[inline]
    fn drop(&mut self) {
        let slab = self.store.slab();
        let mut last = Some(self.index);
        while let Some(index) = last.filter(|&index| slab.dec(index)) {
            last = self.store.retire(&slab.slots[index as usize].value);
            slab.free(index);
        }
    }
}
