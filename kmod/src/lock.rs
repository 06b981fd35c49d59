//! The embedder's lock.

use core::cell::UnsafeCell;
use core::ffi::c_ulong;
use rskq::sync::RawLock;

/// Room for a lock of the embedder's, who makes of it what it likes; zeros are an unlocked one.
#[repr(C)]
pub struct rskq_lock {
    /// For Linux, a `spinlock_t`.
    pub word: UnsafeCell<u32>,
}

// What they have to do is said in cbindgen.toml, from where it gets into the header.
unsafe extern "C" {
    fn rskq_lock_acquire(lock: *mut rskq_lock) -> c_ulong;
    fn rskq_lock_release(lock: *mut rskq_lock, flags: c_ulong);
}

// SAFETY: only the two functions touch the word.
unsafe impl Sync for rskq_lock {}

// SAFETY: exclusion and publication are what the embedder promises of its functions.
unsafe impl RawLock for rskq_lock {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self { word: UnsafeCell::new(0) };
    type GuardState = c_ulong;

    #[inline]
    fn lock(&self) -> c_ulong {
        // SAFETY: the lock is of zeros at first, and stays where it is while it is in use.
        unsafe { rskq_lock_acquire(core::ptr::from_ref(self).cast_mut()) }
    }

    #[inline]
    unsafe fn unlock(&self, flags: c_ulong) {
        // SAFETY: the caller holds it, by the acquisition that returned `flags`.
        unsafe { rskq_lock_release(core::ptr::from_ref(self).cast_mut(), flags) }
    }
}
