//! A mutex with a class.

use super::declare::{Innermost, LockClass};
use super::held::{Before, Held};
use crate::sync::{Backend, Cell, Lock, LockTag, Nesting};
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

/// Guards of two locks of one class, in the order in which they were named.
pub type GuardPair<'a, T, K, B> = (MutexGuard<'a, T, K, B>, MutexGuard<'a, T, K, B>);

/// Protects a `T` by a lock of class `K`.
pub struct Mutex<T, K: LockClass, B: Backend> {
    lock: K::Lock<B>,
    key: u32,
    data: Cell<T, K::Canary<B>>,
    class: PhantomData<fn() -> K>,
}

impl<T, K: LockClass, B: Backend> Mutex<T, K, B> {
    /// Wraps `data`, unlocked, with key 0.
    pub const fn new(data: T) -> Self {
        Self { lock: K::Lock::<B>::INIT, key: 0, data: Cell::new(data), class: PhantomData }
    }

    /// Gives the lock its key within the class, before it is shared, and returns the data.
    pub fn place(&mut self, key: u32) -> &mut T {
        self.lock.place();
        self.key = key;
        self.data.place()
    }

    pub(crate) fn tag(&self) -> LockTag {
        LockTag { class: K::NAME, rank: K::RANK, key: self.key }
    }

    /// Waits for the lock and takes it. `held` says what the context holds, and is out of reach until
    /// the lock is released.
    #[inline]
    #[track_caller]
    pub fn lock<'a, H: Before<K>>(&'a self, held: &'a mut Held<'_, H>) -> MutexGuard<'a, T, K, B> {
        let _ = held;
        self.acquire(Nesting::None)
    }

    /// Waits for the lock and takes it; the token that comes with it says what may be taken while it
    /// is held.
    #[inline]
    #[track_caller]
    pub fn lock_and<'a, H: Before<K>>(
        &'a self,
        held: &'a mut Held<'_, H>,
    ) -> (MutexGuard<'a, T, K, B>, Held<'a, K>) {
        (self.lock(held), Held::new())
    }

    /// Takes the lock of an innermost class, whatever is held.
    ///
    /// For what a `Drop` has to do, where no token can be had. Nothing may be called while it is held.
    #[inline]
    #[track_caller]
    pub(crate) fn lock_innermost(&self) -> MutexGuard<'_, T, K, B>
    where
        K: Innermost,
    {
        self.acquire(Nesting::None)
    }

    /// Takes this lock and `other`, of the same class, the lower key first, and returns the
    /// guards in the order of the arguments.
    ///
    /// Returns `None` if both are the same lock. (Linux: `spin_lock_nested()` with an order by id.)
    #[track_caller]
    pub fn lock_pair<'a, H: Before<K>>(
        &'a self,
        other: &'a Self,
        held: &'a mut Held<'_, H>,
    ) -> Option<GuardPair<'a, T, K, B>> {
        let _ = held;
        match self.key.cmp(&other.key) {
            core::cmp::Ordering::Less => {
                let mine = self.acquire(Nesting::None);
                Some((mine, other.acquire(Nesting::Ordered)))
            }
            core::cmp::Ordering::Greater => {
                let others = other.acquire(Nesting::None);
                Some((self.acquire(Nesting::Ordered), others))
            }
            core::cmp::Ordering::Equal => None,
        }
    }

    /// Takes this lock and then `other`, of the same class, in whatever order their keys are.
    ///
    /// The v1 patch locks so. Whether that can deadlock depends on what else the caller holds; a
    /// model reports the order against the table and goes on.
    #[cfg(feature = "designs")]
    #[track_caller]
    pub fn lock_both_unordered<'a, H: Before<K>>(
        &'a self,
        other: &'a Self,
        held: &'a mut Held<'_, H>,
    ) -> GuardPair<'a, T, K, B> {
        let mine = self.lock(held);
        (mine, other.acquire(Nesting::Unordered))
    }

    #[inline]
    #[track_caller]
    fn acquire(&self, nesting: Nesting) -> MutexGuard<'_, T, K, B> {
        let state = self.lock.lock(self.tag(), nesting);
        self.data.note_write();
        MutexGuard { mutex: self, state: Some(state), context: PhantomData }
    }

    /// Returns the data of a mutex that is not shared.
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// Looks at the data without taking the lock.
    ///
    /// # Safety
    ///
    /// Nobody may change the data while `f` runs, whether by the lock or without.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn peek<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        // SAFETY: nobody writes, by the caller's contract. The canary is not told: a checker's look
        // is not part of the program.
        unsafe { self.data.peek(f) }
    }
}

/// Holds a [`Mutex`]; releases it when dropped.
#[must_use = "the lock is released when the guard is dropped"]
pub struct MutexGuard<'a, T, K: LockClass, B: Backend> {
    mutex: &'a Mutex<T, K, B>,
    /// Taken by `drop` only.
    state: Option<<K::Lock<B> as Lock>::GuardState>,
    /// Keeps the guard in the context that took the lock, as `RawLock::unlock` demands, and a `T`
    /// that is not `Sync` from being looked at through a shared guard.
    context: PhantomData<*mut T>,
}

#[cfg(feature = "spin")]
static_assertions::assert_not_impl_any!(
    MutexGuard<'static, u32, super::order::Rskq, crate::DefaultBackend>: Send, Sync
);

impl<T, K: LockClass, B: Backend> Deref for MutexGuard<'_, T, K, B> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard holds the lock, and the guard is borrowed for the reference's life.
        unsafe { &*self.mutex.data.as_ptr() }
    }
}

impl<T, K: LockClass, B: Backend> DerefMut for MutexGuard<'_, T, K, B> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard holds the lock and is borrowed exclusively for the reference's life.
        unsafe { &mut *self.mutex.data.as_ptr() }
    }
}

impl<T, K: LockClass, B: Backend> Drop for MutexGuard<'_, T, K, B> {
    #[inline]
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            // SAFETY: `state` comes from the acquisition that this guard stands for; `take` leaves
            // none for a second release.
            unsafe { self.mutex.lock.unlock(self.mutex.tag(), state) }
        }
    }
}
