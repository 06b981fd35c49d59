//! The memory that a stack runs in.

use core::ops::{Deref, DerefMut};

/// The memory behind a slab: the embedder's, or, with feature `alloc`, a boxed slice.
pub enum Storage<'s, T> {
    /// Memory that the embedder hands over until the stack is gone.
    Borrowed(&'s mut [T]),
    /// Memory from the allocator.
    #[cfg(feature = "alloc")]
    Owned(alloc::boxed::Box<[T]>),
}

impl<T> Deref for Storage<'_, T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Storage::Borrowed(slots) => slots,
            #[cfg(feature = "alloc")]
            Storage::Owned(slots) => slots,
        }
    }
}

impl<T> DerefMut for Storage<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Storage::Borrowed(slots) => slots,
            #[cfg(feature = "alloc")]
            Storage::Owned(slots) => slots,
        }
    }
}

impl<'s, T> From<&'s mut [T]> for Storage<'s, T> {
    fn from(slots: &'s mut [T]) -> Self {
        Storage::Borrowed(slots)
    }
}

impl<'s, T, const N: usize> From<&'s mut [T; N]> for Storage<'s, T> {
    fn from(slots: &'s mut [T; N]) -> Self {
        Storage::Borrowed(slots)
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
        Storage::Owned((0..count).map(|_| T::VACANT).collect())
    }
}
