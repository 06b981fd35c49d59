//! A cell whose accesses a model checks for data races.

use core::cell::UnsafeCell;

/// Watches the accesses to a [`Cell`].
pub trait Canary: Send + Sync + 'static {
    /// A canary that has seen nothing.
    const INIT: Self;
    /// Prepares the canary, before the cell is shared.
    fn place(&mut self);
    /// Runs `f` as a read.
    fn reading<R>(&self, f: impl FnOnce() -> R) -> R;
    /// Runs `f` as a write.
    fn writing<R>(&self, f: impl FnOnce() -> R) -> R;
}

/// Outside of models a cell is watched by nobody.
impl Canary for () {
    const INIT: Self = ();
    #[inline(always)]
    fn place(&mut self) {}
    #[inline(always)]
    fn reading<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
    #[inline(always)]
    fn writing<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }
}

/// Shared memory without a lock of its own: some lock or protocol outside says who may look.
///
/// The same as [`core::cell::UnsafeCell`], except that a model reports two accesses of which one
/// is a write and neither happens before the other.
pub struct Cell<T, Y: Canary> {
    canary: Y,
    value: UnsafeCell<T>,
}

// SAFETY: the cell hands out references only through `unsafe` functions whose callers exclude
// concurrent access; moving the value between threads by that protocol needs `T: Send`.
unsafe impl<T: Send, Y: Canary> Sync for Cell<T, Y> {}

impl<T, Y: Canary> Cell<T, Y> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self { canary: Y::INIT, value: UnsafeCell::new(value) }
    }

    /// Prepares the cell, before it is shared, and returns the value for initialisation.
    pub fn place(&mut self) -> &mut T {
        self.canary.place();
        self.value.get_mut()
    }

    /// Runs `f` with the value.
    ///
    /// # Safety
    ///
    /// Nobody may write the value while `f` runs.
    #[inline(always)]
    pub unsafe fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        // SAFETY: no writer, by the caller's contract.
        self.canary.reading(|| f(unsafe { &*self.value.get() }))
    }

    /// Runs `f` with the value, writable.
    ///
    /// # Safety
    ///
    /// Nobody else may look at the value while `f` runs.
    #[inline(always)]
    pub unsafe fn with_mut<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: no other access, by the caller's contract.
        self.canary.writing(|| f(unsafe { &mut *self.value.get() }))
    }

    /// Returns the value of a cell that is not shared.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// Runs `f` with the value without being an access, for checkers.
    ///
    /// # Safety
    ///
    /// Nobody may write the value while `f` runs.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn peek<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        // SAFETY: no writer, by the caller's contract.
        f(unsafe { &*self.value.get() })
    }

    /// Returns the value's address, for guards that outlive one call and for checkers.
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.value.get()
    }

    /// Tells the canary of a write that begins now; the guard that asked makes the access itself.
    pub(crate) fn note_write(&self) {
        self.canary.writing(|| ());
    }
}
