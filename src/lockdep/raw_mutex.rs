//! Validation for users of `lock_api`: by changing the type of the raw mutex.

#[cfg(feature = "lockdep")]
use super::embedder::Embedder;
use super::embedder::{Class, Key};
#[cfg(feature = "lockdep")]
use super::validator::{Acquisition, Context, Validator};
use crate::sync::Nesting;
use core::cmp::Ordering;
use core::marker::PhantomData;
#[cfg(feature = "lockdep")]
use core::panic::Location;
use lock_api::{RawMutex, RawMutexFair, RawMutexTimed};

/// The raw mutex `R` as one of class `K`: validated with feature `lockdep`, `R` and nothing else
/// without.
///
/// A [`lock_api::Mutex`] over it shows the embedder's own lines in reports. The guard has to be
/// dropped in the context that locked.
///
/// # Examples
///
/// ```
/// # use rskq::lockdep::{Embedder, Validated, validator::{Context, Policy, Validator}};
/// # struct Kernel;
/// # static VALIDATOR: Validator<rskq::sync::Core<spin::Mutex<()>>> = Validator::new(&[], Policy::Record);
/// # std::thread_local!(static CONTEXT: Context = const { Context::new() });
/// # impl Embedder for Kernel {
/// #     type Backend = rskq::sync::Core<spin::Mutex<()>>;
/// #     fn with<R>(f: impl FnOnce(&Validator<Self::Backend>, &Context) -> R) -> R {
/// #         CONTEXT.with(|context| f(&VALIDATOR, context))
/// #     }
/// # }
/// rskq::lock_class! {
///     Inode = "inode" of Kernel;
///     Page = "page" of Kernel;
/// }
/// // Before: type Mutex<T> = lock_api::Mutex<spin::Mutex<()>, T>;
/// type Mutex<T, K> = lock_api::Mutex<Validated<spin::Mutex<()>, K>, T>;
///
/// let (inode, page) = (Mutex::<_, Inode>::new(1), Mutex::<_, Page>::new(2));
/// {
///     let (_inode, _page) = (inode.lock(), page.lock());
/// }
/// let (_page, _inode) = (page.lock(), inode.lock()); // reported
/// # #[cfg(feature = "lockdep")]
/// # assert_eq!(VALIDATOR.counts().violations, 1);
/// ```
pub struct Validated<R, K: Class> {
    raw: R,
    /// In both builds: pairs are ordered by it, whether anybody looks or not.
    key: K::Key,
    class: PhantomData<fn() -> K>,
}

impl<R: RawMutex, K: Class> Validated<R, K> {
    /// An unlocked mutex with a key, in a class that has keys, for [`lock_api::Mutex::from_raw`]: two locks of one class can be
    /// taken together, the lower key first, by [`lock_pair`].
    pub const fn with_key(key: K::Key) -> Self {
        Self { raw: R::INIT, key, class: PhantomData }
    }
}

#[cfg(feature = "lockdep")]
impl<R, K: Class> Validated<R, K> {
    /// Tells `f` of this lock, its validator and the caller's context; not, if the validator has no
    /// room for the class.
    #[inline(always)]
    fn tell(
        &self,
        at: &'static Location<'static>,
        f: impl FnOnce(&Validator<<K::Embedder as Embedder>::Backend>, &Context, Acquisition),
    ) {
        K::Embedder::with(|validator, context| match K::key().id(validator) {
            Ok(class) => {
                let address = core::ptr::from_ref(self).addr();
                f(validator, context, Acquisition { class, key: self.key.number(), address, at });
            }
            Err(full) => validator.obey(Err(full)),
        });
    }

    #[inline(always)]
    fn before_lock(&self, at: &'static Location<'static>, nesting: Nesting) {
        self.tell(at, |validator, context, lock| validator.lock(context, lock, nesting));
    }
}

impl<R: RawMutex, K: Class> Validated<R, K> {
    #[inline(always)]
    #[track_caller]
    fn lock_as(&self, nesting: Nesting) {
        #[cfg(feature = "lockdep")]
        self.before_lock(Location::caller(), nesting);
        #[cfg(not(feature = "lockdep"))]
        let _ = nesting;
        self.raw.lock();
    }
}

// SAFETY: exclusion is `R`'s; what is told to the validator changes nothing about it.
unsafe impl<R: RawMutex, K: Class> RawMutex for Validated<R, K> {
    #[allow(clippy::declare_interior_mutable_const)] // a constructor
    const INIT: Self = Self::with_key(K::Key::NONE);
    type GuardMarker = R::GuardMarker;

    #[inline(always)]
    #[track_caller]
    fn lock(&self) {
        self.lock_as(Nesting::None);
    }

    #[inline(always)]
    #[track_caller]
    fn try_lock(&self) -> bool {
        let taken = self.raw.try_lock();
        #[cfg(feature = "lockdep")]
        if taken {
            self.tell(Location::caller(), |validator, context, lock| {
                validator.obey(validator.try_locked(context, lock));
            });
        }
        taken
    }

    #[inline(always)]
    #[track_caller]
    unsafe fn unlock(&self) {
        #[cfg(feature = "lockdep")]
        self.tell(Location::caller(), |validator, context, lock| validator.unlock(context, lock));
        // SAFETY: the caller holds the lock in this context.
        unsafe { self.raw.unlock() }
    }

    #[inline(always)]
    fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }
}

// SAFETY: as above; a fair release is a release.
unsafe impl<R: RawMutexFair, K: Class> RawMutexFair for Validated<R, K> {
    #[inline(always)]
    #[track_caller]
    unsafe fn unlock_fair(&self) {
        #[cfg(feature = "lockdep")]
        self.tell(Location::caller(), |validator, context, lock| validator.unlock(context, lock));
        // SAFETY: the caller holds the lock in this context.
        unsafe { self.raw.unlock_fair() }
    }

    /// Releases the lock and waits for it again, with all that was taken since.
    #[inline(always)]
    #[track_caller]
    unsafe fn bump(&self) {
        #[cfg(feature = "lockdep")]
        self.tell(Location::caller(), |validator, context, lock| {
            validator.unlock(context, lock);
            // The other one of a pair may be held, as long as this one's key is the higher.
            let verdict = validator.before_lock(context, lock, Nesting::Ordered);
            let verdict = verdict.and(validator.locked(context, lock));
            // Last: if the policy is to panic, the guard that is dropped then is still known to be held.
            validator.obey(verdict);
        });
        // SAFETY: the caller holds the lock in this context.
        unsafe { self.raw.bump() }
    }
}

impl<R: RawMutexTimed, K: Class> Validated<R, K> {
    /// A wait with an end is a wait: two contexts that wait for each other both give up, which is seldom
    /// meant. So its order counts like any other's and is looked at before; what is not taken is not held.
    #[inline(always)]
    #[track_caller]
    fn timed(&self, wait: impl FnOnce() -> bool) -> bool {
        #[cfg(feature = "lockdep")]
        self.before_lock(Location::caller(), Nesting::None);
        let taken = wait();
        #[cfg(feature = "lockdep")]
        if !taken {
            self.tell(Location::caller(), |validator, context, lock| validator.unlock(context, lock));
        }
        taken
    }
}

// SAFETY: as above; what is told to the validator changes nothing about who gets the lock.
unsafe impl<R: RawMutexTimed, K: Class> RawMutexTimed for Validated<R, K> {
    type Duration = R::Duration;
    type Instant = R::Instant;

    #[inline(always)]
    #[track_caller]
    fn try_lock_for(&self, timeout: R::Duration) -> bool {
        self.timed(|| self.raw.try_lock_for(timeout))
    }

    #[inline(always)]
    #[track_caller]
    fn try_lock_until(&self, timeout: R::Instant) -> bool {
        self.timed(|| self.raw.try_lock_until(timeout))
    }
}

/// Locks two mutexes of one class, the lower key first, and returns the guards in the order of the
/// arguments.
///
/// Returns `None` if the keys are equal, so that nothing tells which would be first. Any context in
/// which the locks may be taken; no other lock of the class may be held unless its key is lower.
#[track_caller]
pub fn lock_pair<'a, R: RawMutex, K: Class<Key = u32>, T: ?Sized>(
    one: &'a Keyed<R, K, T>,
    other: &'a Keyed<R, K, T>,
) -> Option<[KeyedGuard<'a, R, K, T>; 2]> {
    // SAFETY: the raw mutexes are locked and made guards of, nothing else.
    let (raw_one, raw_other) = unsafe { (one.raw(), other.raw()) };
    match raw_one.key.cmp(&raw_other.key) {
        Ordering::Less => {
            raw_one.lock_as(Nesting::Ordered);
            raw_other.lock_as(Nesting::Ordered);
        }
        Ordering::Greater => {
            raw_other.lock_as(Nesting::Ordered);
            raw_one.lock_as(Nesting::Ordered);
        }
        Ordering::Equal => return None,
    }
    // SAFETY: both are locked, just now and by this context, and no guard of that exists yet.
    Some(unsafe { [one.make_guard_unchecked(), other.make_guard_unchecked()] })
}

/// A mutex of a class of the embedder's.
pub type Keyed<R, K, T> = lock_api::Mutex<Validated<R, K>, T>;

/// Holds a [`Keyed`] mutex.
pub type KeyedGuard<'a, R, K, T> = lock_api::MutexGuard<'a, Validated<R, K>, T>;
