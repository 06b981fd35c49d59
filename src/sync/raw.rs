//! The raw lock that an embedder brings.

/// A mutual-exclusion primitive with state per acquisition.
///
/// Every `lock_api` 0.4 [`RawMutex`](lock_api::RawMutex) is one: `spin`, parking_lot, and the locks
/// of today's unikernels. A kernel without `lock_api` implements it for a type of its own and keeps
/// what an acquisition must remember, such as saved interrupt flags, in
/// [`GuardState`](Self::GuardState), on the stack of the holder.
///
/// # Safety
///
/// While one call of [`lock`](Self::lock) has returned and its [`unlock`](Self::unlock) has not been
/// called, no other call of `lock` on the same object returns; `unlock` publishes, with release
/// ordering or stronger, to the next `lock`.
///
/// # Examples
///
/// A lock that saves interrupt flags:
///
/// ```
/// use core::sync::atomic::{AtomicBool, Ordering};
/// # fn local_irq_save() -> usize { 0 }
/// # fn local_irq_restore(_: usize) {}
/// struct IrqLock(AtomicBool);
///
/// // SAFETY: the swap from `false` to `true` succeeds once between two unlocks, with acquire
/// // ordering, and `unlock` stores with release ordering.
/// unsafe impl rskq::sync::RawLock for IrqLock {
///     const INIT: Self = IrqLock(AtomicBool::new(false));
///     type GuardState = usize;
///     fn lock(&self) -> usize {
///         let flags = local_irq_save();
///         while self.0.swap(true, Ordering::Acquire) {
///             core::hint::spin_loop();
///         }
///         flags
///     }
///     unsafe fn unlock(&self, flags: usize) {
///         self.0.store(false, Ordering::Release);
///         local_irq_restore(flags);
///     }
/// }
/// ```
pub unsafe trait RawLock: Send + Sync + 'static {
    /// An unlocked lock.
    const INIT: Self;
    /// What one acquisition has to remember until its release.
    type GuardState;

    /// Waits for the lock and takes it. May be called in every context that uses the stack.
    fn lock(&self) -> Self::GuardState;

    /// Releases the lock.
    ///
    /// # Safety
    ///
    /// The lock must be held by the calling context, and `state` must come from that acquisition.
    unsafe fn unlock(&self, state: Self::GuardState);
}

// SAFETY: `lock_api::RawMutex` demands exclusion between `lock` and `unlock` from its implementers,
// and a mutex that did not publish would be unsound there too.
unsafe impl<R: lock_api::RawMutex + Send + Sync + 'static> RawLock for R {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor, as in `lock_api`
    const INIT: Self = <R as lock_api::RawMutex>::INIT;
    type GuardState = ();

    #[inline]
    fn lock(&self) {
        lock_api::RawMutex::lock(self);
    }

    #[inline]
    unsafe fn unlock(&self, (): ()) {
        // SAFETY: the caller holds the lock in this context.
        unsafe { lock_api::RawMutex::unlock(self) }
    }
}
