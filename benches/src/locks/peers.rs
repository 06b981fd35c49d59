//! Peers whose types prevent deadlocks: happylock, where a thread takes everything that it needs in one call, and
//! surelock, which has that and levels, in whose order locks are nested.
//!
//! Their raw lock is the others'. Nothing of them is looked up while a lock is taken, but the order in one call.

use super::{Locks, SpinMutex};
use ::happylock::ThreadKey;
use ::happylock::collection::OwnedLockCollection;
use ::surelock::key_handle::KeyHandle;
use ::surelock::level::Level;
use ::surelock::set::LockSet;

type Raw = spin::Mutex<()>;
type HappyMutex = ::happylock::mutex::Mutex<u64, Raw>;
type SureMutex<const LEVEL: usize> = ::surelock::mutex::Mutex<u64, Level<LEVEL>, Raw>;

/// Two locks that are taken in one call, as fast as the peer has it; and one alone. Each counts.
pub(super) trait Together: Default + 'static {
    /// What a thread has to have, if anything.
    type Key: 'static;
    /// Returns the thread's.
    fn key() -> Self::Key;
    /// Takes one.
    fn one(&self, key: &mut Self::Key);
    /// Takes two.
    fn two(&self, key: &mut Self::Key);
    /// Returns the numbers behind the lock that is alone, and the two.
    fn counts(&self, key: &mut Self::Key) -> [u64; 3];
}

/// happylock: the fastest of its collections, and a lock.
pub(super) struct Happylock {
    one: HappyMutex,
    two: OwnedLockCollection<(HappyMutex, HappyMutex)>,
}

impl Default for Happylock {
    fn default() -> Self {
        let mutex = || HappyMutex::new(0);
        Self { one: mutex(), two: OwnedLockCollection::new((mutex(), mutex())) }
    }
}

impl Together for Happylock {
    type Key = ThreadKey;

    fn key() -> ThreadKey {
        ThreadKey::get().expect("one thing at a time is measured")
    }

    #[inline(always)]
    fn one(&self, key: &mut ThreadKey) {
        self.one.scoped_lock(key, |count| *count += 1);
    }

    #[inline(always)]
    fn two(&self, key: &mut ThreadKey) {
        self.two.scoped_lock(key, |(first, second)| {
            *first += 1;
            *second += 1;
        });
    }

    fn counts(&self, key: &mut ThreadKey) -> [u64; 3] {
        let one = self.one.scoped_lock(&mut *key, |count| *count);
        self.two.scoped_lock(key, |(first, second)| [one, *first, *second])
    }
}

/// surelock: a set of two, and a lock.
pub(super) struct Surelock {
    one: SureMutex<0>,
    two: LockSet<(&'static SureMutex<0>, &'static SureMutex<0>)>,
}

impl Default for Surelock {
    fn default() -> Self {
        // A set borrows its locks, and is kept as long as the program runs.
        let mutex = || &*Box::leak(Box::new(SureMutex::new(0)));
        Self { one: SureMutex::new(0), two: LockSet::new((mutex(), mutex())) }
    }
}

impl Together for Surelock {
    type Key = KeyHandle;

    fn key() -> KeyHandle {
        KeyHandle::claim()
    }

    #[inline(always)]
    fn one(&self, key: &mut KeyHandle) {
        key.scope(|key| *key.lock(&self.one).0 += 1);
    }

    #[inline(always)]
    fn two(&self, key: &mut KeyHandle) {
        key.scope(|key| {
            let ((mut first, mut second), _) = key.lock(&self.two);
            *first += 1;
            *second += 1;
        });
    }

    fn counts(&self, key: &mut KeyHandle) -> [u64; 3] {
        let one = key.scope(|key| *key.lock(&self.one).0);
        key.scope(|key| {
            let ((first, second), _) = key.lock(&self.two);
            [one, *first, *second]
        })
    }
}

/// Raw locks, nested by hand: what everybody's two cost at least.
#[derive(Default)]
pub(super) struct ByHand {
    one: SpinMutex,
    two: (SpinMutex, SpinMutex),
}

impl Together for ByHand {
    type Key = ();

    fn key() {}

    #[inline(always)]
    fn one(&self, (): &mut ()) {
        *self.one.lock() += 1;
    }

    #[inline(always)]
    fn two(&self, (): &mut ()) {
        let (mut first, mut second) = (self.two.0.lock(), self.two.1.lock());
        *first += 1;
        *second += 1;
    }

    fn counts(&self, (): &mut ()) -> [u64; 3] {
        [*self.one.lock(), *self.two.0.lock(), *self.two.1.lock()]
    }
}

macro_rules! levels {
    ($($field:tt: $level:literal),+) => {
        /// surelock, with a level for each of eight locks.
        pub(super) struct Levels($(SureMutex<$level>),+);

        impl Default for Levels {
            fn default() -> Self {
                Self($(SureMutex::<$level>::new(0)),+)
            }
        }

        impl Locks for Levels {
            #[inline(always)]
            fn one(&self) {
                KeyHandle::claim().scope(|key| *key.lock(&self.0).0 += 1);
            }

            #[inline(always)]
            fn two(&self) {
                KeyHandle::claim().scope(|key| {
                    let (mut outer, key) = key.lock(&self.0);
                    let (mut inner, _) = key.lock(&self.1);
                    *outer += 1;
                    *inner += 1;
                });
            }

            #[inline(always)]
            fn eight(&self) {
                KeyHandle::claim().scope(|key| {
                    let (l0, key) = key.lock(&self.0);
                    let (l1, key) = key.lock(&self.1);
                    let (l2, key) = key.lock(&self.2);
                    let (l3, key) = key.lock(&self.3);
                    let (l4, key) = key.lock(&self.4);
                    let (l5, key) = key.lock(&self.5);
                    let (l6, key) = key.lock(&self.6);
                    let (mut l7, _) = key.lock(&self.7);
                    *l7 += *l0 + *l1 + *l2 + *l3 + *l4 + *l5 + *l6;
                });
            }

            fn counts(&self) -> [u64; 8] {
                let mut key = KeyHandle::claim();
                [$(key.scope(|key| *key.lock(&self.$field).0)),+]
            }
        }
    };
}

levels!(0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7);
