//! The memory that a stack runs in.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

/// The memory behind a slab: the embedder's, until the stack is gone, or, with feature `alloc`, a boxed slice.
pub struct Storage<'s, T> {
    elements: Elements<T>,
    lent: PhantomData<&'s mut [T]>,
}

/// An address and no reference, nor a box: elements are linked to each other by address, and a reference that
/// moves, as the stack around it may, claims anew that there is no other way to what it refers to.
struct Elements<T> {
    slice: NonNull<[T]>,
    #[cfg(feature = "alloc")]
    boxed: bool,
}

// SAFETY: the memory is this one's alone, as if it were a `&mut [T]` or a `Box<[T]>`.
unsafe impl<T: Send> Send for Elements<T> {}
// SAFETY: what is shared is shared as `&[T]`.
unsafe impl<T: Sync> Sync for Elements<T> {}

#[cfg(feature = "alloc")]
impl<T> Drop for Elements<T> {
    fn drop(&mut self) {
        if self.boxed {
            // SAFETY: the slice was a box, and nobody else takes it back.
            drop(unsafe { alloc::boxed::Box::from_raw(self.slice.as_ptr()) });
        }
    }
}

impl<T> Deref for Storage<'_, T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: lent until the stack is gone, or a box; who has `&mut` of it is this one's borrower.
        unsafe { self.elements.slice.as_ref() }
    }
}

impl<T> DerefMut for Storage<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and this one is borrowed exclusively.
        unsafe { self.elements.slice.as_mut() }
    }
}

impl<'s, T> From<&'s mut [T]> for Storage<'s, T> {
    fn from(slots: &'s mut [T]) -> Self {
        let elements = Elements {
            slice: NonNull::from(slots),
            #[cfg(feature = "alloc")]
            boxed: false,
        };
        Self { elements, lent: PhantomData }
    }
}

impl<'s, T, const N: usize> From<&'s mut [T; N]> for Storage<'s, T> {
    fn from(slots: &'s mut [T; N]) -> Self {
        slots.as_mut_slice().into()
    }
}

/// What fresh storage is made of.
pub trait Vacant {
    /// An unused element.
    const VACANT: Self;
}

#[cfg(feature = "alloc")]
impl<T: Vacant> Storage<'_, T> {
    /// Returns `count` elements from the allocator.
    #[must_use]
    pub fn boxed(count: usize) -> Self {
        let slots: alloc::boxed::Box<[T]> = (0..count).map(|_| T::VACANT).collect();
        let elements = Elements { slice: NonNull::from(alloc::boxed::Box::leak(slots)), boxed: true };
        Self { elements, lent: PhantomData }
    }
}
