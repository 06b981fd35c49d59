//! Names of objects that outlive the objects.

use core::marker::PhantomData;

/// Names an object of a slab; stale once the object is gone, whatever its slot holds then.
pub struct Id<T> {
    pub(super) index: u32,
    pub(super) generation: u32,
    pub(super) object: PhantomData<fn() -> T>,
}

// An id is two words to copy, whatever it names.
static_assertions::assert_eq_size!(Id<*const ()>, u64);
static_assertions::assert_impl_all!(Id<*const ()>: Copy, Send, Sync);

impl<T> Id<T> {
    /// Returns the slot, below the slab's capacity: an index for the embedder's own tables.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// Returns how often the slot was reused before this object.
    #[must_use]
    pub fn generation(self) -> u32 {
        self.generation
    }

    /// Puts an id together again from its parts, as after a trip through a C interface.
    ///
    /// Ids that were never given out are stale, not unsafe.
    #[must_use]
    pub fn from_parts(index: u32, generation: u32) -> Self {
        Self { index, generation, object: PhantomData }
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.index, self.generation) == (other.index, other.generation)
    }
}
impl<T> Eq for Id<T> {}
impl<T> core::hash::Hash for Id<T> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        (self.index, self.generation).hash(state);
    }
}
impl<T> core::fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}v{}", self.index, self.generation)
    }
}
