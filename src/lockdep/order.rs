//! The lock order: the only declaration of it.

use super::held::{Before, Nothing};
use crate::sync::{Backend, Canary, Lock};

/// A class of locks: all that share one place in the order.
pub trait LockClass: 'static {
    /// The class's name in reports.
    const NAME: &'static str;
    /// The class's place in the order; a lock is only taken while all locks held have lower ranks.
    const RANK: u8;
    /// Which of a back end's locks stands behind the class.
    type Lock<B: Backend>: Lock;
    /// Which of a back end's race detectors watches what the class protects.
    type Canary<B: Backend>: Canary;
}

/// A class below which nothing is taken: its locks may be taken whatever is held.
pub(crate) trait Innermost: LockClass {}

/// Says of every class of the order which may be taken under it: all that come later.
macro_rules! before {
    ($outer:ident $($inner:ident)*) => {
        impl Before<$outer> for Nothing {}
        $(impl Before<$inner> for $outer {})*
        before!($($inner)*);
    };
    () => {};
}

/// Declares lock classes, outermost first; each with its kind of lock and of
/// race detector: a back end's `Lock` and `Canary`, or those of a piece with models of its own.
macro_rules! lock_order {
    ($($(#[$doc:meta])* $class:ident ( $lock:ident, $canary:ident ) ,)+) => {
        /// Every class's name, by rank.
        pub const ORDER: &[&str] = &[$(stringify!($class)),+];

        #[repr(u8)]
        enum Rank { $($class),+ }

        $(
            $(#[$doc])*
            pub struct $class;

            impl LockClass for $class {
                const NAME: &'static str = stringify!($class);
                const RANK: u8 = Rank::$class as u8;
                type Lock<B: Backend> = B::$lock;
                type Canary<B: Backend> = B::$canary;
            }
        )+

        before!($($class)+);
    };
}

lock_order! {
    /// One listener's process-context lock: listen, shutdown and close of one listener in turn.
    /// Key: the listener's slot. (Linux: `lock_sock()` of a listener.)
    ListenerSock(Lock, Canary),
    /// One bucket of the listening table. Key: the bucket. (Linux: `inet_listen_hashbucket.lock`.)
    ListenBucket(Lock, Canary),
    /// The one global lock of all reuseport groups. (Linux: `reuseport_lock`.)
    Reuseport(Lock, Canary),
    /// One bucket of the established table.
    EstablishedBucket(Lock, Canary),
    /// The timers of half-open requests.
    Timer(Lock, Canary),
    /// One listener's accept queue. Key: the listener's slot. (Linux: `rskq_lock`.)
    Rskq(Lock, Canary),
    /// One listener's fast-open queue. (Linux: `fastopenq.lock`.)
    FastOpen(Lock, Canary),
    /// A slab's free list. Innermost: a last reference may be dropped under any other lock.
    Slab(PieceLock, PieceCanary),
}

impl Innermost for Slab {}

static_assertions::const_assert_eq!(ORDER.len(), Slab::RANK as usize + 1);
